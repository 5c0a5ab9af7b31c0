"""The demonstration: a believable utility on any day, made by the ways a utility has."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from tests.builders import Installation, install
from water2.clock import DemoClock
from water2.database import open_database
from water2.domain.access import SYSTEM, Role
from water2.domain.anomaly import Anomaly, AnomalySource, AnomalyState
from water2.domain.contacts import ContactBox
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, NotFound, NotPermitted
from water2.domain.facility import Facility, Tank
from water2.domain.household import Household
from water2.domain.instrument import Excursion, Instrument
from water2.domain.organisation import Contact, OrganisationKind, Utility
from water2.domain.outage import Outage, StopState, SupplyStop
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind, ReportState
from water2.domain.reminder import Digest
from water2.domain.staff import Staff
from water2.rules.flags import FlagCode
from water2.services.accounts import NewAccount, add_account
from water2.services.anomalies.looking import looks
from water2.services.board import count_provisions, view_board
from water2.services.board_flags import list_flagged_facilities, list_withdrawn_assignments
from water2.services.board_lists import list_lapsing_certificates, list_overdue_tanks
from water2.services.demo import seed_demo
from water2.services.demo.clock import move_clock
from water2.services.installation import put_under
from water2.services.instruments.queries import shown_of
from water2.services.ledger_fsck import LedgerCheck
from water2.services.outages.listing import view_outage
from water2.services.regulator_reports.looking import look_at_reports
from water2.work import Runtime

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An empty installation whose clock can be moved."""
    clock = DemoClock(tmp_path / "demo-clock.json")
    clock.set(NOW)
    runtime = Runtime(open_database(database_url), clock, ContactBox(bytes(32)))
    installation = await install(runtime)
    await _accounts(installation)
    yield installation
    await runtime.database.dispose()


async def _accounts(installation: Installation) -> None:
    """The people who handle, report and acknowledge."""
    own = installation.utility.organisation_id
    async with installation.runtime.work(SYSTEM) as work:
        for role, kind in (
            (Role.manager, None),
            (Role.crew, None),
            (Role.health_inspector, OrganisationKind.health_regulator),
            (Role.water_inspector, OrganisationKind.water_regulator),
        ):
            office = await put_under(work, installation.utility, kind, role) if kind else None
            account = NewAccount(
                role.value, role, "none", office.id if office else own, must_change_password=False
            )
            await add_account(work, account)


async def test_the_demonstration_shows_what_a_manager_has_to_deal_with(demo: Installation) -> None:
    await seed_demo(demo.runtime)
    async with demo.runtime.read(demo.manager) as work:
        counts = {
            table: (await work.session.exec(select(func.count()).select_from(table))).one()
            for table in (Facility, Tank, Household, Staff)
        }
        view = await view_board(work, await work.session.get_one(Utility, demo.utility.id))
        provisions = {c.obligation.id: c for c in await count_provisions(work, view)}
        since = await list_overdue_tanks(work, view, before_first_day=False, limit=50)
        before = await list_overdue_tanks(work, view, before_first_day=True, limit=50)
        certificates = await list_lapsing_certificates(work, view, limit=50)
        flagged = await list_flagged_facilities(work, view, limit=50)
        withdrawn = await list_withdrawn_assignments(work, view, limit=50)
    assert counts[Facility] == 40
    assert counts[Staff] == 25
    assert counts[Tank] > 60
    assert counts[Household] > 500
    assert (since.total, before.total) == (7, 2)
    assert provisions["cleaning"].missed > 0
    assert provisions["cleaning"].met > 300
    assert provisions["daily.equipment"].met > 2000
    uncredited = [t for t in since.rows if t.last_done_on != t.credited_act_on]
    assert len(uncredited) == 1
    assert min(one.days_left for one in certificates.rows) < 0
    assert any(one.days_left > 0 for one in certificates.rows)
    assert {flag for one in flagged.rows for flag in one.flags} == {
        "not_handed_over",
        "not_in_use",
        "no_manager",
        "out_of_scope",
    }
    assert withdrawn


async def test_the_demonstration_shows_each_kind_of_outage(demo: Installation) -> None:
    await seed_demo(demo.runtime)
    async with demo.runtime.read(demo.manager) as work:
        outages = await work.session.exec(select(Outage).order_by(Outage.starts_at))
        seen = [await view_outage(work, outage) for outage in outages]
        stops = (await work.session.exec(select(SupplyStop.state))).all()
    found = [(one.outage.kind.value, one.outage.state.value) for one in seen]
    assert found == [
        ("emergency", "restored"),  # of an anomaly that is closed
        ("emergency", "restored"),
        ("emergency", "in_effect"),  # of one that is not
        ("emergency", "in_effect"),
        ("planned", "published"),
        ("planned", "draft"),
    ]
    _, late, _, _, to_come, draft = seen
    assert FlagCode.published_late in late.flags
    assert 0 < to_come.progress.told.in_time < to_come.progress.told.households
    assert draft.progress.told.households > 0
    assert stops == [StopState.open]


async def test_the_demonstration_shows_anomalies_in_each_stage(demo: Installation) -> None:
    await seed_demo(demo.runtime)
    async with demo.runtime.read(demo.manager) as work:
        anomalies = await looks(work, (await work.session.exec(select(Anomaly))).all())
        rows = (await work.session.exec(select(RegulatorReport))).all()
        reports = await look_at_reports(work, rows)
    (closed,) = [one for one in anomalies if one.anomaly.state is AnomalyState.closed]
    assert closed.flags == []
    finals = [one.report for one in reports if one.report.kind is ReportKind.final]
    assert [one.state for one in finals if one.anomaly_id == closed.anomaly.id] == [
        ReportState.acknowledged,
        ReportState.acknowledged,
    ]
    (danger,) = [one for one in anomalies if one.anomaly.state is AnomalyState.supply_stopped]
    firsts = {
        one.report.regulator: one
        for one in reports
        if one.report.kind is ReportKind.first and one.report.anomaly_id == danger.anomaly.id
    }
    assert firsts[Regulator.health].report.state is ReportState.sent
    assert firsts[Regulator.water].report.state is ReportState.acknowledged
    assert firsts[Regulator.water].flags == [FlagCode.phoned_late, FlagCode.request_unanswered]
    late = [one for one in anomalies if FlagCode.supply_stopped_late in one.flags]
    assert [one.anomaly.source for one in late] == [AnomalySource.complaint]
    found = max(anomalies, key=lambda one: one.anomaly.opened_at)
    assert (found.anomaly.state, found.flags) == (AnomalyState.open, [])


async def test_the_demonstration_shows_what_instruments_do(demo: Installation) -> None:
    await seed_demo(demo.runtime)
    async with demo.runtime.read(demo.manager) as work:
        instruments = (await work.session.exec(select(Instrument))).all()
        shown = await shown_of(work, instruments)
        excursions = (await work.session.exec(select(Excursion))).all()
        anomalies = (await work.session.exec(select(Anomaly))).all()
    (excursion,) = excursions
    (anomaly,) = [one for one in anomalies if one.source is AnomalySource.instrument]
    assert (excursion.ended_at, excursion.anomaly_id) == (None, anomaly.id)
    assert anomaly.state is AnomalyState.open
    assert {one.code: shown[one.id].flags for one in instruments} == {
        "ZD-01": [],
        "YL-01": [],
        "PH-01": [FlagCode.flat_line],
        "ZD-02": [FlagCode.out_of_calibration, FlagCode.readings_missing],
    }


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2024, 2, 28, 16, 30, tzinfo=UTC), id="just after midnight of 29 Feb"),
        pytest.param(datetime(2027, 8, 31, 15, 59, tzinfo=UTC), id="the last minute of 31 August"),
    ],
)
async def test_it_can_be_made_on_any_day(demo: Installation, now: datetime) -> None:
    clock = demo.runtime.clock
    assert isinstance(clock, DemoClock)
    clock.set(now)
    await seed_demo(demo.runtime)
    async with demo.runtime.read(demo.manager) as work:
        view = await view_board(work, await work.session.get_one(Utility, demo.utility.id))
        assert (await list_overdue_tanks(work, view, before_first_day=False, limit=1)).total


async def test_moving_the_clock_ahead_runs_the_sweeps_it_passes_and_leaves_sound_ledgers(
    demo: Installation,
) -> None:
    await seed_demo(demo.runtime)
    assert await move_clock(demo.runtime, SYSTEM, NOW + timedelta(days=20)) == NOW + timedelta(
        days=20
    )
    async with demo.runtime.read(SYSTEM) as work:
        days = (await work.session.exec(select(Digest.made_on).distinct())).all()
        asleep = await work.session.exec(
            select(func.count())
            .select_from(Duty)
            .where(col(Duty.wake_on) <= work.today("Asia/Shanghai"))
        )
        assert asleep.one() == 0
        contacts = (await work.session.exec(select(func.count()).select_from(Contact))).one()
        assert contacts > 0
    async with demo.runtime.read(SYSTEM) as work:
        assert [finding async for finding in LedgerCheck().findings(work)] == []
    assert len(days) == 21  # overdue tanks remind daily: each day has its digest


async def test_the_clock_is_never_set_back(demo: Installation) -> None:
    with pytest.raises(Conflict, match="clock_set_back"):
        await move_clock(demo.runtime, SYSTEM, NOW - timedelta(seconds=1))


async def test_only_an_administrator_moves_the_clock(demo: Installation) -> None:
    with pytest.raises(NotPermitted):
        await move_clock(demo.runtime, demo.manager, NOW + timedelta(days=1))


async def test_a_real_installation_has_no_clock_to_move(
    runtime: Runtime, lishui: Installation
) -> None:
    with pytest.raises(NotFound):
        await move_clock(runtime, SYSTEM, NOW + timedelta(days=1))
