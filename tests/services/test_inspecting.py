"""What an inspector and a manager find listed of anomalies and reports, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from tests.builders import install
from tests.conftest import NOW
from tests.estate import an_estate
from tests.instruments import an_instrument, sent
from tests.instruments import rows as series
from tests.reported import a_reported_anomaly, failed_sample
from water2.domain.access import Role
from water2.domain.anomaly import Anomaly
from water2.domain.errors import NotFound, NotPermitted
from water2.domain.organisation import Utility
from water2.domain.regulator_report import Regulator, ReportKind
from water2.services.anomalies.handling import AssessDanger, assess_danger
from water2.services.anomaly_detail import view_anomaly
from water2.services.board import view_board
from water2.services.board_anomalies import (
    count_historical,
    list_current_anomalies,
    list_open_requests,
    list_owed_reports,
    list_sent_reports,
)
from water2.services.inspecting import count_waiting, view_inspection
from water2.services.regulator_reports.acknowledging import WriteMessage, write_message
from water2.services.regulator_reports.owing import reports_of
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.report_detail import view_report
from water2.services.report_text import report_lines

HOUR = timedelta(hours=1)


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def inspection(installation, role=Role.health_inspector, **changes):
    async with installation.runtime.read(installation.actor(role, **changes)) as work:
        return await view_inspection(work, limit=10)


def kinds(found):
    return [(row.look.report.regulator.value, row.look.report.kind.value) for row in found.rows]


async def test_an_inspector_finds_first_what_waits_for_her_and_the_others_too(lishui, estate):
    await a_reported_anomaly(lishui.runtime, lishui.manager, estate, sent=tuple(Regulator))
    seen = await inspection(lishui)
    assert kinds(seen.waiting) == [("health", "first")]
    assert kinds(seen.owed) == [("health", "progress"), ("health", "final")]
    assert kinds(seen.others) == [("water", "first"), ("water", "progress"), ("water", "final")]
    assert seen.settled.total == 0
    assert [row.doing for row in seen.anomalies.rows] == ["stop"]
    water = await inspection(lishui, Role.water_inspector)
    assert kinds(water.waiting) == [("water", "first")]
    async with lishui.runtime.read(lishui.inspector) as work:
        assert await count_waiting(work) == 1
    async with lishui.runtime.read(lishui.manager) as work:
        assert await count_waiting(work) == 0


async def test_an_inspector_sees_the_utilities_under_her_and_no_other(lishui, estate):
    second = await install(lishui.runtime, code="SECOND")
    foreign = await install(lishui.runtime, code="FOREIGN")
    reports = {}
    for installation in (lishui, second, foreign):
        place = estate if installation is lishui else await an_estate(installation)
        reports[installation.utility.id] = await a_reported_anomaly(
            installation.runtime, installation.manager, place, sent=(Regulator.health,)
        )
    both = (lishui.utility.id, second.utility.id)
    seen = await inspection(lishui, utility_ids=both)
    assert {row.utility.id for row in seen.waiting.rows} == set(both)
    assert {row.utility.id for row in seen.anomalies.rows} == set(both)
    other = reports[foreign.utility.id]
    async with lishui.runtime.read(lishui.actor(Role.health_inspector, utility_ids=both)) as work:
        with pytest.raises(NotFound):
            await view_report(work, other.first(Regulator.health).id)
        with pytest.raises(NotFound):
            await view_anomaly(work, other.anomaly.id)


async def test_the_lists_of_inspectors_are_nobody_elses(lishui):
    for role in (Role.manager, Role.crew, Role.administrator, Role.system):
        with pytest.raises(NotPermitted):
            await inspection(lishui, role)


async def test_a_call_not_made_is_late_until_the_report_in_writing_makes_it_needless(
    lishui, estate, clock
):
    found = await a_reported_anomaly(lishui.runtime, lishui.manager, estate)
    clock.set(NOW + 2 * HOUR + timedelta(seconds=1))
    (phone, written) = (await inspection(lishui)).owed.rows[0].marks
    assert (phone.form, phone.late_at(clock.now), phone.law) == ("phone", True, False)
    assert (written.form, written.late_at(clock.now)) == ("written", False)
    async with lishui.runtime.read(lishui.manager) as work:
        view = await view_board(work, await work.session.get_one(Utility, lishui.utility.id))
        owed = await list_owed_reports(work, view, limit=1)
        sent = await list_sent_reports(work, view, limit=10)
    assert (owed.total, len(owed.rows), sent.total) == (4, 1, 0)
    assert owed.rows[0].look.report.kind is ReportKind.first
    assert owed.rows[0].anomaly.id == found.anomaly.id


async def test_requests_are_listed_until_they_are_answered(lishui, estate):
    found = await a_reported_anomaly(
        lishui.runtime, lishui.manager, estate, sent=(Regulator.health,)
    )
    report = found.first(Regulator.health)
    async with lishui.runtime.work(lishui.inspector) as work:
        asked = await write_message(work, report.id, WriteMessage(text="影响多少户？"))
    (row,) = (await inspection(lishui, Role.water_inspector)).requests.rows
    assert (row.message.text, row.report.id) == ("影响多少户？", report.id)
    async with lishui.runtime.work(lishui.manager) as work:
        view = await view_board(work, await work.session.get_one(Utility, lishui.utility.id))
        assert (await list_open_requests(work, view, limit=5)).total == 1
        await write_message(work, report.id, WriteMessage(text="六户", answers_id=asked.id))
    assert (await inspection(lishui)).requests.total == 0


async def test_the_current_anomalies_come_page_by_page_the_first_found_first(lishui, clock):
    numbers = []
    for code in ("BY-1", "BY-2", "BY-3"):
        place = await an_estate(lishui, code)
        async with lishui.runtime.work(lishui.crew) as work:
            numbers.append((await failed_sample(work, place, work.now, turbidity="2")).number)
        clock.set(clock.now + HOUR)
    shown, cursor = [], None
    async with lishui.runtime.read(lishui.manager) as work:
        view = await view_board(work, await work.session.get_one(Utility, lishui.utility.id))
        while True:
            found = await list_current_anomalies(work, view, limit=2, cursor=cursor)
            shown += [row.look.anomaly.number for row in found.rows]
            assert found.total == 3
            cursor = found.next
            if cursor is None:
                break
        assert await count_historical(work, view) == 0
    assert shown == numbers


async def test_a_draft_is_shown_to_those_alone_who_write_it(lishui, estate):
    found = await a_reported_anomaly(lishui.runtime, lishui.manager, estate)
    report = found.first(Regulator.health)
    async with lishui.runtime.read(lishui.inspector) as work:
        assert (await view_report(work, report.id)).content is None
    async with lishui.runtime.read(lishui.manager) as work:
        detail = await view_report(work, report.id)
    assert detail.draft
    assert detail.content["results"][0]["title"] == "大肠埃希氏菌"


async def test_an_anomaly_is_shown_with_what_was_measured_and_where(lishui, estate):
    async with lishui.runtime.work(lishui.crew) as work:
        anomaly = await failed_sample(work, estate, work.now, turbidity="1.8", colour="20")
    async with lishui.runtime.read(lishui.inspector) as work:
        page = await view_anomaly(work, anomaly.id)
    told = {one.cause.parameter: (one.raw, one.limit, one.tank_code) for one in page.causes}
    assert told["turbidity"][0] == "1.8"
    assert told["turbidity"][2] == estate.tank.code
    assert {one.point for one in page.outstanding} == {"outlet", "terminal"}
    assert page.reports == []


async def test_an_anomaly_an_instrument_found_tells_how_bad_it_read_and_how_long(lishui, estate):
    meter = await an_instrument(lishui, estate.facility)
    start = NOW - timedelta(minutes=40)
    await sent(lishui, series(meter, start, ["1.3"] * 10 + ["1.9"] + ["1.4"] * 9))
    async with lishui.runtime.work(lishui.manager) as work:
        (anomaly,) = (await work.session.exec(select(Anomaly))).all()
        danger = AssessDanger(endangers_health=True, reason="浑浊")
        await assess_danger(work, anomaly.id, danger)
    (told,) = await causes(lishui, anomaly)
    assert (told.raw, told.unit, told.limit, told.instrument) == ("1.9", "NTU", "≤ 1", "ZD-1")
    assert (told.last_at, told.lasting) == (start + timedelta(minutes=19), True)
    async with lishui.runtime.work(lishui.manager) as work:
        report = (await reports_of(work, anomaly.id))[0]
        await send_report(work, report.id, SendReport())
    async with lishui.runtime.read(lishui.manager) as work:
        lines = dict(report_lines((await view_report(work, report.id)).content, "Asia/Shanghai"))
    assert lines["不合格项目"] == (
        "2026年11月23日08:20 水箱出水：浑浊度 在线仪表ZD-1连续超限，最差 1.9 NTU（限值 ≤ 1）"
    )
    await sent(lishui, series(meter, start + timedelta(minutes=20), ["0.3"]))
    (told,) = await causes(lishui, anomaly)
    assert (told.last_at, told.lasting) == (start + timedelta(minutes=19), False)


async def causes(lishui, anomaly):
    async with lishui.runtime.read(lishui.inspector) as work:
        return (await view_anomaly(work, anomaly.id)).causes


async def test_a_longer_list_asks_no_more_questions(lishui):
    questions = []
    engine = lishui.runtime.database.reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: questions.append(given[2]))
    counts = []
    for code in ("BY-1", "BY-2", "BY-3"):
        place = await an_estate(lishui, code)
        await a_reported_anomaly(lishui.runtime, lishui.manager, place, sent=tuple(Regulator))
        questions.clear()
        seen = await inspection(lishui)
        counts.append(len(questions))
    assert seen.anomalies.total == seen.waiting.total == 3
    assert counts[1:] == counts[:1] * 2
