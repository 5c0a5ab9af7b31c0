"""Outages through their use-cases, for the tests of each of their parts."""

from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from water2.domain.notice import Notice
from water2.domain.outage import OutageKind, OutageReason
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.listing import view_outage
from water2.services.outages.posters import RecordPoster, record_poster
from water2.services.outages.standing import stand
from water2.services.outages.told import who_is_told
from water2.services.outages.transitions import publish_outage

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
STARTS = NOW + timedelta(hours=48)


async def planned(lishui, estate, starts_at=STARTS, hours=4, **changes):
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        reason=OutageReason.tank_cleaning,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
        **changes,
    )
    async with lishui.runtime.work(lishui.manager) as work:
        return await create_outage(work, command)


async def published(lishui, estate, **changes):
    outage = await planned(lishui, estate, **changes)
    async with lishui.runtime.work(lishui.manager) as work:
        return await publish_outage(work, outage.id)


async def emergency(lishui, estate, **changes):
    given = {
        "kind": OutageKind.emergency,
        "facility_id": estate.facility.id,
        "reason": OutageReason.equipment_repair,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=3),
        "cause": "水泵故障",
    }
    command = CreateOutage(**given | changes)
    async with lishui.runtime.work(lishui.manager) as work:
        return await create_outage(work, command)


async def act(lishui, use_case, *arguments, actor=None):
    async with lishui.runtime.work(actor or lishui.manager) as work:
        return await use_case(work, *arguments)


async def hang(lishui, outage, estate, building, at, **more):
    command = RecordPoster(building_id=estate.buildings[building].id, posted_at=at, **more)
    return await act(lishui, record_poster, outage.id, command, actor=lishui.crew)


async def told(lishui, outage, named=False):
    async with lishui.runtime.read(lishui.manager) as work:
        return await who_is_told(work, await stand(work, outage.id), named=named)


async def seen(lishui, outage):
    async with lishui.runtime.read(lishui.manager) as work:
        return await view_outage(work, (await stand(work, outage.id)).outage)


async def notices(lishui):
    """The notices in the order of their revisions."""
    async with lishui.runtime.read() as work:
        return list(await work.session.exec(select(Notice).order_by(col(Notice.revision))))
