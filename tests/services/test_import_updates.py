"""A newer export: what it changes, lists and records."""

import json
from datetime import date

import pytest
from sqlmodel import select

from tests.services.register_files import as_utf8, register, take, text_of
from water2.domain.cleaning import Cleaning
from water2.domain.facility import Facility, Tank
from water2.domain.household import Household
from water2.domain.ledger import LedgerEntry
from water2.domain.organisation import Contact
from water2.domain.staff import Staff
from water2.domain.water import Sample, SampleVerdict
from water2.domain.work_order import (
    Assignment,
    WithdrawnBecause,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
)


def edited(name: str, *changes: tuple[str, str]):
    """The file with some of its text replaced."""
    text = text_of(name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return as_utf8(name, text)


async def all_of(installation, statement):
    async with installation.runtime.read() as work:
        return list((await work.session.exec(statement)).all())


@pytest.fixture
async def filled(lishui):
    """A utility with the small register in it."""
    await take(lishui, *register())
    return lishui


def told(report):
    return {(c.line, c.field, c.old, c.new) for file in report.files for c in file.changes}


async def test_other_content_is_an_update_with_old_and_new_value(filled):
    newer = edited("水箱台账", ("不锈钢304,50,是", "搪瓷,55.5,是"))
    tried = await take(filled, newer, dry_run=True)
    report = await take(filled, newer)
    assert told(report) == told(tried)
    assert told(report) == {(2, "material", "不锈钢304", "搪瓷"), (2, "volume_m3", "50", "55.5")}
    assert (report.accepted, report.updated, report.duplicate) == (1, 1, 2)
    tank = (await all_of(filled, select(Tank).where(Tank.material == "搪瓷")))[0]
    assert tank.version == 2
    entries = await all_of(filled, select(LedgerEntry).where(LedgerEntry.type == "import.recorded"))
    changes = [c for e in entries for c in json.loads(e.body)["data"]["changes"]]
    assert {
        "subject": f"tank:{tank.id}",
        "field": "volume_m3",
        "old": "50",
        "new": "55.5",
    } in changes


async def test_an_update_moves_the_duties_that_follow_from_it(filled):
    newer = edited("泵房台账", ("2023-11-18,,,,,", "2026-07-01,,,,,"))
    await take(filled, newer)
    facility = (await all_of(filled, select(Facility).where(Facility.code == "BY-002")))[0]
    assert facility.in_service_on == date(2026, 7, 1)


async def test_personal_values_are_masked_for_people_and_absent_from_ledgers(filled):
    newer = edited("用户", ("199 0578 1001,u1@example.com", "19905789999,"), ("王䶮", "王小龙"))
    report = await take(filled, newer)
    shown = {(field, old, new) for _, field, old, new in told(report)}
    assert shown == {
        ("phones", "199****1001", "199****9999"),
        ("mail", "u***@example.com", None),
        ("holder", "****", "****"),
    }
    household = (await all_of(filled, select(Household).where(Household.code == "3000000001")))[0]
    assert filled.runtime.contacts.open(household.holder_sealed) == "王小龙"
    contacts = await all_of(filled, select(Contact).where(Contact.owner_id == household.id))
    assert [filled.runtime.contacts.open(c.sealed) for c in contacts] == ["19905789999"]
    bodies = [e.body for e in await all_of(filled, select(LedgerEntry))]
    assert not any(b"19905789999" in body or b"1001" in body for body in bodies)


async def test_a_conclusion_that_comes_later_credits_the_cleaning(filled):
    newer = edited("清洗消毒记录", ("2026-11-20,,,,2026-11-21", "2026-11-20,OY20,合格,,2026-11-21"))
    report = await take(filled, newer)
    assert report.updated == 1
    cleaning = (await all_of(filled, select(Cleaning).where(Cleaning.code == "QX4")))[0]
    assert cleaning.credited_on == date(2026, 11, 20)
    own = (await all_of(filled, select(Sample).where(Sample.cleaning_id == cleaning.id)))[0]
    assert own.verdict is SampleVerdict.passed


async def test_the_laboratorys_row_credits_a_cleaning_whose_record_waits_for_it(filled):
    row = (
        "OY20,BY-001,1#,水箱出水,2026-11-20 11:35,LS004,瓯源检测,2200,2028-03-14,2026-11-23,"
        "<5,0.11,无,无,7.25,未检出,4,0.38,合格\n"
    )
    report = await take(filled, as_utf8("水质检测", text_of("水质检测") + row))
    assert report.accepted == 1
    cleaning = (await all_of(filled, select(Cleaning).where(Cleaning.code == "QX4")))[0]
    assert cleaning.credited_on == date(2026, 11, 20)
    samples = await all_of(filled, select(Sample).where(Sample.cleaning_id == cleaning.id))
    assert len(samples) == 1


async def test_a_corrected_result_is_judged_anew(filled):
    newer = edited("水质检测", ("1.05", "0.05"), (">300", "30"), ("0.04,合格", "0.40,合格"))
    report = await take(filled, newer)
    assert {(field, old, new) for _, field, old, new in told(report)} == {
        ("turbidity", "1.05", "0.05"),
        ("plate_count", ">300", "30"),
        ("free_chlorine", "0.04", "0.40"),
    }
    sample = (await all_of(filled, select(Sample).where(Sample.report_number == "OY6")))[0]
    assert sample.verdict is SampleVerdict.passed


async def test_who_left_is_told_of_once(filled, clock):
    newer = edited(
        "人员台账",
        ("JK1,2025-03-01,2026-03-01,体检所,在岗", "JK1,2025-03-01,2026-03-01,体检所,离岗"),
    )
    newer = as_utf8("人员台账", newer.content.decode().replace("在岗", "离岗"))
    await take(filled, newer)
    clock.set(clock.now.replace(day=25))
    again = await take(filled, newer)
    assert again.updated == 0
    person = (await all_of(filled, select(Staff).where(Staff.code == "LS002")))[0]
    assert person.left_on == date(2026, 11, 23)


async def test_who_left_is_withdrawn_from_coming_work(filled):
    async with filled.runtime.work() as work:
        person = (await work.session.exec(select(Staff).where(Staff.code == "LS002"))).one()
        facility = (await work.session.exec(select(Facility))).first()
        order = WorkOrder(
            utility_id=filled.utility.id,
            facility_id=facility.id,
            kind=WorkOrderKind.cleaning,
            state=WorkOrderState.planned,
            created_at=work.now,
            planned_on=date(2026, 12, 1),
        )
        work.session.add(order)
        await work.session.flush()
        work.session.add(
            Assignment(work_order_id=order.id, staff_id=person.id, assigned_at=work.now)
        )
    await take(filled, as_utf8("人员台账", text_of("人员台账").replace("在岗", "离岗")))
    assignment = (await all_of(filled, select(Assignment)))[0]
    assert assignment.withdrawn_because is WithdrawnBecause.left


async def test_a_column_that_is_not_there_leaves_its_field_alone(filled):
    lines = [line.split(",") for line in text_of("水箱台账").splitlines()]
    fewer = "\n".join(
        ",".join([*cells[:2], "搪瓷" if at else "材质"]) for at, cells in enumerate(lines[:2])
    )
    report = await take(filled, as_utf8("水箱台账", fewer))
    assert told(report) == {(2, "material", "不锈钢304", "搪瓷")}
