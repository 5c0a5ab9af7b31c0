"""The demonstration's clock, moved ahead, warns and delivers at the instants it passes."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from tests.builders import install
from tests.estate import an_estate
from water2.clock import DemoClock
from water2.config import Settings
from water2.domain.access import SYSTEM
from water2.domain.delivery import Delivery
from water2.domain.outage import OutageKind, OutageReason, OutageWarning
from water2.jobs import deliver_due
from water2.services.demo.clock import move_clock
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.transitions import publish_outage

NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00 in Lishui
MORNING = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)  # 07:00 the day after
HOUR = timedelta(hours=1)


@pytest.fixture
async def demonstration(runtime, tmp_path):
    clock = DemoClock(tmp_path / "demo-clock.json")
    clock.set(NIGHT)
    runtime.clock = clock
    installation = await install(runtime)
    estate = await an_estate(installation)
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        reason=OutageReason.construction,
        starts_at=NIGHT + 60 * HOUR,
        ends_at=NIGHT + 62 * HOUR,
    )
    async with runtime.work(installation.manager) as work:
        outage = await create_outage(work, command)
        await publish_outage(work, outage.id)
    return outage


async def test_what_waits_for_the_morning_is_told_in_the_morning_it_passes(
    runtime, demonstration, tmp_path
):
    settings = Settings(data_dir=tmp_path, sms_url="demo:", smtp_url="demo:")
    deliver = partial(deliver_due, runtime, settings)
    await move_clock(runtime, SYSTEM, NIGHT + 24 * HOUR, deliver)
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(Delivery.accepted_at).where(col(Delivery.accepted_at).is_not(None))
        )
        accepted = set(rows)
    assert accepted == {MORNING}


async def test_each_warning_it_passes_is_given_once_at_its_hour(runtime, demonstration):
    for hours in (20, 40, 59):
        await move_clock(runtime, SYSTEM, NIGHT + hours * HOUR)
    async with runtime.read() as work:
        rows = await work.session.exec(select(OutageWarning).order_by(OutageWarning.made_at))
        given = [(one.hours, one.made_at, one.missing) for one in rows]
    starts_at = NIGHT + 60 * HOUR
    assert given == [(hours, starts_at - hours * HOUR, 6) for hours in (36, 30, 26)]
