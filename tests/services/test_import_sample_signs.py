"""Rows of samples that cannot be as they say: entered too early, or of a tank not in use."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from tests.services.register_files import as_utf8, refused, register, take, text_of
from water2.domain.facility import Tank
from water2.domain.water import Sample, SampleResult
from water2.services.lab_reports import RecordLabReport, ReportedSample, record_lab_report
from water2.services.sample_results import GivenResult

EARLY = {"plate_count_too_early", "coliform_too_early"}


@pytest.fixture
async def filled(lishui):
    """A utility with the small register in it."""
    await take(lishui, *register())
    return lishui


def a_row(taken: str, report: str = "OZ1", count: str = "4") -> str:
    """The file of samples with one row: of tank 1#, whose first day in use is 2023-11-18."""
    header = text_of("水质检测").splitlines()[0]
    row = f"{report},BY-001,1#,水箱出水,{taken},LS004,瓯源检测,2200,2028-03-14,"
    return f"{header}\n{row},<5,0.11,无,无,7.25,未检出,{count},0.38,合格\n"


async def the_sample(installation, report: str = "OZ1"):
    async with installation.runtime.read() as work:
        rows = await work.session.exec(select(Sample).where(Sample.report_number == report))
        sample = rows.one()
        items = await work.session.exec(
            select(SampleResult).where(SampleResult.sample_id == sample.id)
        )
        return sample, {one.parameter: one.flags for one in items}


async def test_old_files_are_not_flagged_by_the_day_they_are_taken_in(filled):
    async with filled.runtime.read() as work:
        for sample in await work.session.exec(select(Sample)):
            early = {*sample.flags} & EARLY
            assert early == ({"plate_count_too_early"} if sample.report_number == "OY6" else set())


@pytest.mark.parametrize(
    ("ago", "clock_known", "flags"),
    [
        pytest.param(timedelta(hours=1), True, EARLY, id="an hour ago"),
        pytest.param(timedelta(hours=25), True, {"plate_count_too_early"}, id="yesterday"),
        pytest.param(timedelta(hours=49), True, set(), id="two days ago"),
        pytest.param(timedelta(days=0), False, EARLY, id="some time today"),
        pytest.param(timedelta(days=1), False, {"plate_count_too_early"}, id="some time yesterday"),
        pytest.param(timedelta(days=2), False, set(), id="some time two days ago"),
    ],
)
async def test_bacteria_in_a_file_taken_in_before_they_can_have_grown_are_flagged(
    filled, ago, clock_known, flags
):
    local = (filled.runtime.now() - ago).astimezone(_zone(filled))
    taken = local.strftime("%Y-%m-%d %H:%M" if clock_known else "%Y-%m-%d")
    report = await take(filled, as_utf8("水质检测", a_row(taken)))
    assert report.accepted == 1
    sample, items = await the_sample(filled)
    assert {*sample.flags} & EARLY == flags
    assert {flag for of_item in items.values() for flag in of_item} == flags
    assert sample.verdict.value == "pass"


async def test_a_file_brought_again_later_leaves_the_flag_on_what_it_does_not_change(filled, clock):
    taken = filled.runtime.now().astimezone(_zone(filled)).strftime("%Y-%m-%d %H:%M")
    await take(filled, as_utf8("水质检测", a_row(taken)))
    clock.set(clock.now + timedelta(days=3))
    await take(filled, as_utf8("水质检测", a_row(taken, count="7")))
    sample, items = await the_sample(filled)
    assert {*sample.flags} & EARLY == {"coliform_too_early"}
    assert items["plate_count"] == []


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        ("2023-11-17 09:00", "tank_not_in_use_yet"),
        ("2023-11-18 09:00", None),
        ("2026-06-30 09:00", None),
        ("2026-07-01", "tank_out_of_use"),
    ],
)
async def test_a_sample_of_a_tank_that_was_not_in_use_is_refused(filled, taken, reason):
    async with filled.runtime.work() as work:
        tanks = await work.session.exec(select(Tank).where(Tank.in_use_on == date(2023, 11, 18)))
        for tank in tanks:
            tank.out_of_use_on = date(2026, 6, 30)
            work.session.add(tank)
    report = await take(filled, as_utf8("水质检测", a_row(taken)))
    expected = {"水质检测": [(2, "采样时间", reason)]} if reason else {}
    assert refused(report) == expected
    assert report.accepted == (0 if reason else 1)


def _zone(installation):
    return ZoneInfo(installation.utility.timezone)


async def test_a_newer_file_does_not_write_over_a_laboratorys_report(filled):
    await take(filled, as_utf8("水质检测", a_row("2026-11-01 09:00")))
    sample, _ = await the_sample(filled)
    report = RecordLabReport(
        number="OZ1",
        laboratory="瓯源检测",
        samples=[
            ReportedSample(sample_id=sample.id, results=[GivenResult(parameter="iron", raw="0.1")])
        ],
    )
    async with filled.runtime.work(filled.manager) as work:
        await record_lab_report(work, report)
    newer = await take(filled, as_utf8("水质检测", a_row("2026-11-01 09:00", count="2")))
    assert refused(newer) == {"水质检测": [(2, "报告编号", "reported_since")]}
    again = await take(filled, as_utf8("水质检测", a_row("2026-11-01 09:00")))
    assert not refused(again)
