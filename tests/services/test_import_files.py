"""A utility's dirty files taken into the register."""

import asyncio
from datetime import date

import pytest
from sqlmodel import col, func, select

from tests.builders import install
from tests.services.register_files import (
    as_gb18030,
    as_utf8,
    as_xlsx,
    refused,
    register,
    take,
    text_of,
)
from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty
from water2.domain.errors import NotFound, NotPermitted
from water2.domain.facility import Building, Facility, Tank, Zone
from water2.domain.household import Household
from water2.domain.importing import ImportRun
from water2.domain.ledger import LedgerEntry
from water2.domain.organisation import Contact
from water2.domain.staff import Certificate, Staff
from water2.domain.water import Purpose, Sample, SampleResult, SampleVerdict
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.source import Source

REFUSED = {
    "泵房台账": [
        (6, "竣工验收日期", "date_impossible"),
        (7, "联系电话", "phone_letters"),
        (8, "泵房编号", "empty"),
        (10, "泵房编号", "identity_repeated"),
    ],
    "水箱台账": [
        (5, "泵房编号", "unknown_facility"),
        (6, "泵房编号", "facility_is_tankless"),
        (7, "有效容积(m³)", "not_positive"),
        (8, "有效容积(m³)", "number_unreadable"),
    ],
    "楼栋": [(5, "层数", "not_positive")],
    "用户": [
        (6, "手机号", "phone_letters"),
        (7, "楼栋号", "unknown_building"),
        (8, "户号", "identity_repeated"),
    ],
    "人员台账": [(7, "有效期至", "before_start"), (8, "姓名", "contradicts_earlier_row")],
    "清洗消毒记录": [
        (6, "清洗日期", "in_future"),
        (7, "水箱编号", "unknown_tank"),
        (8, "浓度(mg/L)", "not_positive"),
        (9, "放水起止", "range_reversed"),
    ],
    "水质检测": [
        (8, "pH", "result_impossible"),
        (9, "游离氯", "result_unreadable"),
        (10, "泵房编号", "unknown_facility"),
    ],
}
COUNTS = {
    "泵房台账": (4, 1),
    "水箱台账": (3, 1),
    "楼栋": (3, 0),
    "用户": (3, 1),
    "人员台账": (5, 0),
    "清洗消毒记录": (5, 0),
    "水质检测": (5, 1),
}


async def all_of(installation, statement):
    async with installation.runtime.read() as work:
        return list((await work.session.exec(statement)).all())


@pytest.mark.parametrize("shape", [as_utf8, as_gb18030, as_xlsx])
async def test_good_rows_are_taken_and_every_bad_one_is_named(lishui, shape):
    report = await take(lishui, *register(shape))
    assert refused(report) == REFUSED
    counts = {f.name.partition(".")[0]: (f.accepted, f.duplicate) for f in report.files}
    assert counts == COUNTS
    assert not report.complete


async def test_the_same_files_twice_change_nothing(lishui):
    await take(lishui, *register())
    before = await all_of(lishui, select(func.count()).select_from(LedgerEntry))
    again = await take(lishui, *register(as_gb18030))
    assert (again.accepted, again.updated) == (0, 0)
    assert again.duplicate == sum(map(sum, COUNTS.values()))
    assert refused(again) == REFUSED
    assert await all_of(lishui, select(func.count()).select_from(LedgerEntry)) == before
    assert [file.import_id for file in again.files] == [None] * len(again.files)


async def test_places_are_stored_with_what_follows_from_them(lishui):
    await take(lishui, *register())
    facilities = {f.code: f for f in await all_of(lishui, select(Facility))}
    assert facilities["BY-001"].handed_over_on == date(2023, 10, 22)
    assert facilities["BY-002"].tankless
    assert facilities["BY-002"].accepted_on == date(2023, 9, 3)
    assert (facilities["BY-002"].in_scope, facilities["BY-002"].scope_clause) == (True, "20.2")
    assert not facilities["BY-004"].in_scope
    tanks = {(t.code, t.isolable): t for t in await all_of(lishui, select(Tank))}
    assert tanks["2#", False].in_use_on is None
    assert {z.name for z in await all_of(lishui, select(Zone))} == {"低区", "高区", "加压区"}
    assert len(await all_of(lishui, select(Building))) == 3


async def test_contacts_and_holders_are_sealed(lishui):
    await take(lishui, *register())
    box = lishui.runtime.contacts
    households = {h.code: h for h in await all_of(lishui, select(Household))}
    assert box.open(households["3000000001"].holder_sealed) == "王䶮"
    assert households["3000000001"].needs_care
    contacts = await all_of(lishui, select(Contact).where(Contact.owner_type == "household"))
    assert {(c.channel, box.open(c.sealed)) for c in contacts} == {
        ("phone", "19905781001"),
        ("mail", "u1@example.com"),
        ("phone", "19905781002"),
    }
    for table in (Contact, Household):
        for row in await all_of(lishui, select(table)):
            assert "19905781001" not in repr(row)


async def test_people_owe_checks_from_what_their_cards_say(lishui):
    await take(lishui, *register())
    people = {p.code: p for p in await all_of(lishui, select(Staff))}
    duties = {
        d.subject_id: d.due_on
        for d in await all_of(
            lishui,
            select(Duty).where(
                Duty.obligation == "staff.fitness",
                col(Duty.satisfied_on).is_(None),
                col(Duty.ended_on).is_(None),
            ),
        )
    }
    assert people["LS001"].id not in duties  # does not handle water
    assert duties[people["LS002"].id] == date(2027, 2, 20)
    assert duties[people["LS003"].id] == date(2026, 11, 23)  # never examined: today
    assert people["LS004"].left_on == date(2026, 11, 23)
    assert people["LS004"].id not in duties
    assert people["LS002"].since_on == date(2023, 4, 12)
    numbers = {c.number for c in await all_of(lishui, select(Certificate))}
    assert numbers >= {"JK1", "JK2", "PX2023-2"}


async def test_a_cleaning_is_credited_by_its_own_sample_and_due_six_months_on(lishui):
    await take(lishui, *register())
    cleanings = {c.code: c for c in await all_of(lishui, select(Cleaning))}
    assert cleanings["QX1"].credited_on == date(2025, 8, 31)
    assert cleanings["QX2"].credited_on is None  # its sample failed
    assert cleanings["QX4"].credited_on is None  # the conclusion is not out yet
    assert cleanings["QX9"].credited_on is None  # sampled before it was cleaned
    due = {
        d.subject_id: d.due_on
        for d in await all_of(
            lishui,
            select(Duty).where(Duty.obligation == "cleaning", col(Duty.satisfied_on).is_(None)),
        )
    }
    assert due[cleanings["QX1"].tank_id] == date(2026, 2, 28)  # 31 August, clamped
    assert due[cleanings["QX2"].tank_id] == date(2024, 5, 18)  # never credited
    assert due[cleanings["QX3"].facility_id] == date(2026, 12, 2)  # a facility without a tank


async def test_signs_of_a_made_up_record_are_flags(lishui):
    report = await take(lishui, *register())
    cleanings = {c.code: c for c in await all_of(lishui, select(Cleaning))}
    assert set(cleanings["QX9"].flags) >= {
        "sampled_before_cleaning_ended",
        "batch_made_after_use",
        "impossible_flow",
        "entered_long_after",
    }
    lacks = {(v["reason"], v["article"]) for v in cleanings["QX1"].violations}
    assert lacks == {("never_examined", "17(2)")}
    flagged = {f.name: {(x.line, x.flag) for x in f.flags} for f in report.files}
    assert (6, "accreditation_expired") in flagged["水质检测.csv"]
    assert {line for line, flag in flagged["水质检测.csv"] if flag == "report_number_reused"} == {
        4,
        7,
    }
    assert (3, "no_meter") in flagged["泵房台账.csv"]
    assert (4, "not_in_use") in flagged["泵房台账.csv"]


async def test_a_cleanings_own_sample_is_stored_once_with_the_laboratorys_results(lishui):
    await take(lishui, *register())
    cleanings = {c.id: c for c in await all_of(lishui, select(Cleaning))}
    own = await all_of(lishui, select(Sample).where(Sample.purpose == Purpose.after_cleaning))
    assert sorted(cleanings[s.cleaning_id].code for s in own) == ["QX1", "QX2", "QX3", "QX4", "QX9"]
    of_first = next(s for s in own if cleanings[s.cleaning_id].code == "QX1")
    assert of_first.sampled_at is not None
    results = await all_of(
        lishui, select(SampleResult).where(SampleResult.sample_id == of_first.id)
    )
    assert {r.parameter: r.raw for r in results}["colour"] == "<5"
    pending = next(s for s in own if cleanings[s.cleaning_id].code == "QX4")
    assert pending.verdict is SampleVerdict.pending


async def test_samples_are_judged_item_by_item_whatever_the_report_concludes(lishui):
    await take(lishui, *register())
    routine = await all_of(lishui, select(Sample).where(Sample.purpose == Purpose.routine))
    by_report = {(s.report_number, s.point.value): s for s in routine}
    failed = by_report["OY6", "terminal"]
    assert (failed.verdict, failed.conclusion) == (SampleVerdict.failed, SampleVerdict.passed)
    assert "conclusion_disagrees" in failed.flags
    assert not failed.counts  # accreditation expired
    assert by_report["OY5", "inlet"].verdict is SampleVerdict.passed  # no lower bound at the inlet


async def test_files_may_come_in_any_order(runtime, lishui):
    other = await install(runtime, code="XC")
    await take(lishui, *register())
    *late, facilities, tanks = [
        as_utf8(n) for n in ("水质检测", "清洗消毒记录", "人员台账", "泵房台账", "水箱台账")
    ]
    for source in (facilities, tanks, *late):
        await take(other, source)
    chains = []
    for installation in (lishui, other):
        duties = await all_of(
            installation,
            select(Duty).where(
                Duty.utility_id == installation.utility.id, Duty.obligation == "cleaning"
            ),
        )
        chains.append(sorted((d.ordinal, d.due_on, str(d.satisfied_on)) for d in duties))
    assert chains[0] == chains[1]


async def test_the_ledgers_get_one_entry_per_file_and_one_per_act(lishui):
    await take(lishui, *register())
    entries = await all_of(lishui, select(LedgerEntry))
    kinds = [entry.type for entry in entries]
    assert kinds.count("cleaning.recorded") == 5
    assert kinds.count("sample.recorded") == 5
    assert kinds.count("certificate.recorded") == 4 + 3
    own = [
        e
        for e in entries
        if e.ledger_id == lishui.utility.ledger_id and e.type == "import.recorded"
    ]
    assert len(own) == 7
    told = b"".join(entry.body for entry in entries).decode()
    for personal in ("王䶮", "19905781001", "贺二", "柳一", "u1@example.com"):
        assert personal not in told
        assert personal.encode("unicode_escape").decode() not in told


async def test_a_dry_run_tells_the_same_and_writes_nothing(lishui):
    tried = await take(lishui, *register(), dry_run=True)
    assert refused(tried) == REFUSED
    assert tried.accepted == sum(accepted for accepted, _ in COUNTS.values())
    for table in (Facility, Household, Staff, ImportRun):
        assert await all_of(lishui, select(table)) == []


async def test_a_file_nobody_knows_costs_the_others_nothing(lishui):
    strange = Source("notes.csv", b"a,b\n1,2\n")
    report = await take(lishui, strange, as_utf8("泵房台账"))
    assert [file.problem for file in report.files] == ["unknown_columns", None]
    report = await take(lishui, strange, as_utf8("水箱台账"), pass_over=True)
    assert report.passed_over == ["notes.csv"]
    wrong = await take(lishui, as_utf8("楼栋"), kind="household")
    assert wrong.files[0].problem == "unknown_columns"


async def test_a_folder_may_hold_what_is_no_table(lishui):
    letter = Source("letter.docx", b"PK\x03\x04 a letter")
    report = await take(lishui, letter, as_utf8("泵房台账"), pass_over=True)
    assert report.passed_over == ["letter.docx"]
    broken = Source("水箱.xlsx", b"PK\x03\x04 half a workbook")
    report = await take(lishui, broken, pass_over=True)
    assert report.files[0].problem == "not_a_workbook"


async def test_two_imports_of_one_file_side_by_side_take_it_once(lishui):
    reports = await asyncio.gather(*(take(lishui, as_utf8("泵房台账")) for _ in range(2)))
    assert sorted((r.accepted, r.duplicate) for r in reports) == [(0, 5), (4, 1)]


async def test_only_those_who_keep_the_register_import(lishui):
    for actor in (lishui.crew, lishui.inspector):
        with pytest.raises(NotPermitted):
            await take(lishui, as_utf8("泵房台账"), actor=actor)
    with pytest.raises(NotFound):
        await take(lishui, as_utf8("泵房台账"), actor=lishui.outsider)
    report = await take(lishui, as_utf8("泵房台账"), actor=lishui.manager)
    assert report.accepted == 4


async def test_progress_is_told_by_file_and_row(lishui):
    steps = []
    command = ImportFiles(lishui.utility.id, [as_utf8("泵房台账")])
    await import_files(lishui.runtime, lishui.manager, command, lambda *step: steps.append(step))
    assert steps == [("泵房台账.csv", text_of("泵房台账").count("\n") - 1)]


async def test_a_result_in_another_unit_refuses_its_row_alone(lishui):
    header, good, *_ = text_of("水质检测").splitlines()
    wrong = good.replace("OY1", "OY99").replace("7.25", "7.25 mg/L")
    text = "\n".join([header, wrong, good.replace(",0.11,", ",0.11 NTU,"), ""])
    sources = [as_utf8("泵房台账"), as_utf8("水箱台账"), as_utf8("水质检测", text)]
    report = await take(lishui, *sources)
    file = next(file for file in report.files if file.name.startswith("水质检测"))
    assert [(r.line, r.column, r.reason) for r in file.rejections] == [
        (2, "pH", "result_wrong_unit")
    ]
    assert file.accepted == 1
