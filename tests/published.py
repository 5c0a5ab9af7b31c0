"""Outages as the public comes to know them: published, in effect, ended."""

from datetime import timedelta
from typing import Any

from tests.builders import Installation, SettableClock
from tests.conftest import NOW
from tests.estate import Estate, accept_all
from water2.clock import DemoClock
from water2.domain.outage import Outage, OutageKind, OutageReason
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.posters import RecordPoster, record_poster
from water2.services.outages.transitions import (
    CancelOutage,
    RestoreSupply,
    cancel_outage,
    publish_outage,
    restore_supply,
    start_outage,
)

STARTS = NOW + timedelta(hours=48)
ENDS = STARTS + timedelta(hours=4)
DOOR_WITHOUT_ADDRESS = "2幢"


async def change(installation: Installation, act: Any, outage: Outage, *command: Any) -> Outage:
    async with installation.runtime.work(installation.manager) as work:
        return await act(work, outage.id, *command)


async def plan(installation: Installation, estate: Estate, **changes: Any) -> Outage:
    """A draft: nobody outside knows of it."""
    starts_at = changes.pop("starts_at", STARTS)
    given = {"ends_at": starts_at + (ENDS - STARTS), "reason": OutageReason.tank_cleaning}
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        starts_at=starts_at,
        **given | changes,
    )
    async with installation.runtime.work(installation.manager) as work:
        return await create_outage(work, command)


async def announced(installation: Installation, estate: Estate, **changes: Any) -> Outage:
    return await change(installation, publish_outage, await plan(installation, estate, **changes))


async def an_emergency(installation: Installation, estate: Estate, **changes: Any) -> Outage:
    now = installation.runtime.now()
    given = {"ends_at": now + timedelta(hours=6), "reason": OutageReason.equipment_repair}
    command = CreateOutage(
        kind=OutageKind.emergency,
        facility_id=estate.facility.id,
        starts_at=now,
        cause="水泵故障",
        **given | changes,
    )
    async with installation.runtime.work(installation.manager) as work:
        return await create_outage(work, command)


async def stop_and_restore(
    installation: Installation, outage: Outage, clock: SettableClock | DemoClock
) -> None:
    """Tell everybody, stop the water at the announced start and turn it on again an hour after."""
    await accept_all(installation.runtime)
    poster = RecordPoster(building_id=DOOR_WITHOUT_ADDRESS, posted_at=clock())
    await change(installation, record_poster, outage, poster)
    clock.set(outage.starts_at)
    await change(installation, start_outage, outage)
    clock.set(outage.starts_at + timedelta(hours=1))
    await change(installation, restore_supply, outage, RestoreSupply())


async def call_off(installation: Installation, outage: Outage) -> Outage:
    return await change(installation, cancel_outage, outage, CancelOutage(reason="改期"))
