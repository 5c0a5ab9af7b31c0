"""The demonstration's outages: one to come, one in draft, one in effect, one that came too late."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlmodel import col, select

from water2.domain.access import SYSTEM
from water2.domain.facility import Building, Facility
from water2.domain.household import Household
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageKind, OutageReason, StopSource
from water2.services.hotline import SetHotline, set_hotline
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.posters import RecordPoster, record_poster
from water2.services.outages.supply_stops import ReportStop, report_stop
from water2.services.outages.transitions import RestoreSupply, publish_outage, restore_supply
from water2.work import Runtime, Work

HOTLINE = "0000-9600000"
HOUR = timedelta(hours=1)
FACILITIES = 10  # five for outages, one with instruments, four for anomalies


async def seed_outages(runtime: Runtime, utility: Utility) -> None:
    """Plan, announce and declare outages at now; the messages wait for the worker."""
    async with runtime.work(SYSTEM) as work:
        await set_hotline(work, SetHotline(phone=HOTLINE, utility_id=utility.id))
        to_come, draft, burst, late, dry, *_ = await supplied(work, utility)
        await _announce(work, await _plan(work, to_come, _at_nine(work, utility, days=3)))
        await _plan(work, draft, _at_nine(work, utility, days=6))
        await _declare(work, burst, work.now - HOUR / 4, "水泵机封漏水，抢修更换")
        broken = work.now - 20 * HOUR
        outage = await _declare(work, late, broken, "低区立管爆裂")  # published far too late
        await restore_supply(work, outage.id, RestoreSupply(restored_at=broken + 5 * HOUR))
        await _report_dry(work, dry)


async def _plan(work: Work, facility: Facility, starts_at: datetime) -> Outage:
    planned = CreateOutage(
        kind=OutageKind.planned,
        facility_id=facility.id,
        reason=OutageReason.equipment_repair,
        detail="更换水泵出口阀门",
        approval="青建供〔演示〕12号",
        starts_at=starts_at,
        ends_at=starts_at + 6 * HOUR,
    )
    return await create_outage(work, planned)


async def _announce(work: Work, outage: Outage) -> None:
    """Publish it, and hang the poster of one building."""
    await publish_outage(work, outage.id)
    rows = await work.session.exec(
        select(Building).where(Building.facility_id == outage.facility_id).order_by(Building.code)
    )
    building = rows.first()
    if building is not None:
        hung = RecordPoster(building_id=building.id, posted_at=work.now)
        await record_poster(work, outage.id, hung)


async def _declare(work: Work, facility: Facility, starts_at: datetime, cause: str) -> Outage:
    emergency = CreateOutage(
        kind=OutageKind.emergency,
        facility_id=facility.id,
        reason=OutageReason.equipment_repair,
        starts_at=starts_at,
        ends_at=starts_at + 4 * HOUR,
        cause=cause,
        notice_impossible_because="突发故障，无法提前告知",
        authority_report="已电话报告区住建局（演示）",
    )
    return await create_outage(work, emergency)


async def _report_dry(work: Work, facility: Facility) -> None:
    """Report a stop that no outage covers."""
    stop = ReportStop(
        facility_id=facility.id,
        source=StopSource.complaint,
        began_at=work.now - 2 * HOUR,
        note="住户来电：全楼无水（演示）",
    )
    await report_stop(work, stop)


async def supplied(work: Work, utility: Utility) -> Sequence[Facility]:
    """Return facilities in use that have households."""
    supplied = select(Household.facility_id).distinct()
    rows = await work.session.exec(
        select(Facility)
        .where(
            Facility.utility_id == utility.id,
            col(Facility.id).in_(supplied),
            col(Facility.in_service_on) <= work.today(utility.timezone),
        )
        .order_by(Facility.code)
        .limit(FACILITIES)
    )
    return rows.all()


def _at_nine(work: Work, utility: Utility, *, days: int) -> datetime:
    """Return nine o'clock of the utility's zone: an instant without one is read in it."""
    return datetime.combine(work.today(utility.timezone) + timedelta(days=days), time(9))
