"""What credits a cleaning, what is only a sign, and how a wrong result is put right."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from tests.records import routine_results
from tests.services.register_files import take
from tests.services.test_work_orders import (
    an_order,
    cleaning_duty,
    completed,
    sampled,
)
from water2.domain.cleaning import Cleaning
from water2.domain.errors import Invalid, RuleViolation
from water2.domain.ledger import LedgerEntry
from water2.domain.staff import Staff
from water2.domain.water import Point, Purpose, Sample
from water2.services.credit import ReturnToService, return_to_service
from water2.services.importing.source import Source
from water2.services.sample_corrections import CorrectResult, correct_result
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, RecordSample, add_results, record_sample

FIELD_SET = {"free_chlorine": "0.30", "turbidity": "0.3", "ph": "7.2"}
RECORD = (
    "记录编号,泵房编号,水箱编号,清洗日期,清洗单位,采样日期,报告编号,检测结论\n"
    "OLD1,BY-001,1#,2026-08-10,甲,2026-08-11,R1,合格\n"
)


async def cleanings(runtime):
    async with runtime.read() as work:
        rows = await work.session.exec(select(Cleaning).order_by(Cleaning.cleaned_on))
        return rows.all()


async def an_imported_cleaning(lishui):
    report = await take(lishui, Source("清洗消毒记录.csv", RECORD.encode()))
    assert report.files[0].accepted == 1


async def test_an_imported_conclusion_credits_though_a_single_item_is_added(
    runtime,
    lishui,
    place,
):
    _, tank = place
    await an_imported_cleaning(lishui)
    async with runtime.work(lishui.crew) as work:
        sample = (await work.session.exec(select(Sample))).one()
        given = [GivenResult(parameter="ph", raw="7")]
        await add_results(work, sample.id, AddResults(results=given))
    assert await cleaning_duty(runtime, lishui, tank) == [
        ("2027-01-15", "satisfied"),
        ("2027-02-10", "upcoming"),
    ]


async def test_a_sample_of_the_next_cleaning_takes_no_credit_from_the_last(
    runtime,
    lishui,
    place,
    clock,
):
    facility, tank = place
    await an_imported_cleaning(lishui)
    clock.set(datetime(2027, 2, 23, 9, tzinfo=UTC))
    sample = await sampled(runtime, lishui, facility, tank, routine_results())
    before = await cleanings(runtime)
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    old, new = await cleanings(runtime)
    assert "sampled_long_after_cleaning" in sample.flags
    assert (before[0].sampled_on, old.sampled_on) == (old.credited_on, old.credited_on)
    assert (str(old.credited_on), str(new.credited_on)) == ("2026-08-11", "2027-02-23")


async def test_a_sample_from_before_the_tank_was_full_opens_no_gate(
    runtime,
    lishui,
    place,
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    async with runtime.work(lishui.crew) as work:
        early = RecordSample(
            facility_id=facility.id,
            tank_id=tank.id,
            point=Point.outlet,
            purpose=Purpose.after_cleaning,
            sampled_at=work.now - timedelta(minutes=101),
        )
        sample = await record_sample(work, early)
    assert "sampled_before_cleaning_ended" in sample.flags
    (cleaning,) = await cleanings(runtime)
    back = ReturnToService(field_results=FIELD_SET)
    async with runtime.work(lishui.crew) as work:
        with pytest.raises(RuleViolation) as refusal:
            await return_to_service(work, cleaning.id, back)
    assert refusal.value.refused.reason == "sample_not_taken"
    await sampled(runtime, lishui, facility, tank)
    async with runtime.work(lishui.crew) as work:
        assert (await return_to_service(work, cleaning.id, back)).returned_to_service_at


async def test_a_result_entered_wrongly_is_put_right_and_both_values_stay(
    runtime,
    lishui,
    place,
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    wrong = routine_results() | {"turbidity": "30"}
    sample = await sampled(runtime, lishui, facility, tank, wrong)
    assert (sample.verdict, len(await cleaning_duty(runtime, lishui, tank))) == ("fail", 1)
    right = CorrectResult(parameter="turbidity", raw="0.30", reason="小数点录入错误")
    async with runtime.work(lishui.manager) as work:
        assert (await correct_result(work, sample.id, right)).verdict == "pass"
    assert len(await cleaning_duty(runtime, lishui, tank)) == 2
    async with runtime.read() as work:
        bodies = await work.session.exec(
            select(LedgerEntry.body).where(LedgerEntry.type == "entry.corrected")
        )
        data = json.loads(bodies.one())["data"]
    assert (data["old"], data["new"], data["reason"]) == ("30", "0.30", "小数点录入错误")


@pytest.mark.parametrize(
    ("parameter", "raw", "fault"),
    [
        pytest.param("ph", "71", Invalid, id="a value that cannot be"),
        pytest.param("lead", "0.001", Invalid, id="an item it has not"),
        pytest.param("ph", "7.0", Invalid, id="nothing changes"),
    ],
)
async def test_a_correction_that_corrects_nothing_is_refused(
    runtime,
    lishui,
    place,
    parameter,
    raw,
    fault,
):
    facility, tank = place
    sample = await sampled(runtime, lishui, facility, tank, {"ph": "7.0"})
    command = CorrectResult(parameter=parameter, raw=raw, reason="录入错误")
    async with runtime.work(lishui.manager) as work:
        with pytest.raises(fault):
            await correct_result(work, sample.id, command)


async def test_what_came_with_a_file_is_corrected_alike(
    runtime,
    lishui,
    place,
):
    await an_imported_cleaning(lishui)
    header = "报告编号,泵房编号,水箱编号,采样点,采样时间,采样人,检测机构,浑浊度\n"
    row = "R2,BY-001,1#,水箱出水,2026-09-10 09:00,,某检测,0.3\n"
    report = await take(lishui, Source("水质检测.csv", (header + row).encode()))
    assert report.files[0].accepted == 1, report
    async with runtime.work(lishui.manager) as work:
        sample = (await work.session.exec(select(Sample).where(Sample.report_number == "R2"))).one()
        command = CorrectResult(parameter="turbidity", raw="0.4", reason="录入错误")
        assert (await correct_result(work, sample.id, command)).verdict == "pass"


async def test_the_ledger_holds_who_took_a_sample_and_whose_report_it_is(
    runtime,
    lishui,
    place,
):
    facility, _ = place
    async with runtime.work(lishui.crew) as work:
        command = RecordSample(
            facility_id=facility.id,
            point=Point.terminal,
            purpose=Purpose.routine,
            sampled_at=work.now,
            sampled_by="LS001",
            laboratory="某检测有限公司",
            accreditation_number="231100000001",
        )
        await record_sample(work, command)
    async with runtime.read() as work:
        bodies = await work.session.exec(
            select(LedgerEntry.body).where(LedgerEntry.type == "sample.recorded")
        )
        data = json.loads(bodies.one())["data"]
        staff = await work.session.exec(select(Staff.id).where(Staff.code == "LS001"))
    assert data["sampled_by"] == staff.one()
    assert (data["laboratory"], data["accreditation_number"]) == ("某检测有限公司", "231100000001")
