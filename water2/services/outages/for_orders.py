"""The outage of a work order: planned with it, and the gate of its start (arts. 15, 17(4))."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.domain.work_order import WorkOrder, WorkOrderKind
from water2.rules.book import Rulebook
from water2.rules.notice import PLANNED, judge_publishing
from water2.services.instants import read_instant
from water2.services.outages.changing import move
from water2.services.outages.drafting import draft, new_outage
from water2.services.outages.extent import Extent
from water2.services.outages.standing import stand, standing_of
from water2.services.outages.transitions import cancel, start
from water2.services.rows import fetch
from water2.services.verdicts import require_allowed
from water2.work import Work

_HOURS = (9, 17)  # where no rulebook says at which hours tanks are cleaned
BEFORE_IT = (OutageState.draft, OutageState.published)
SUPERSEDED = "superseded"


async def settle_outage(
    work: Work, order: WorkOrder, facility: Facility, utility: Utility, book: Rulebook
) -> None:
    """Plan, move or call off the outage of a work order as its plan now says.

    It is planned for the working hours of the day; whoever publishes it may move it first.

    Raises:
        RuleViolation: a published outage is moved to an earlier start, under 24 hours away.
    """
    present = await outage_of(work, order)
    if not order.stops_supply or order.planned_on is None:
        if present is not None and present.state in BEFORE_IT:
            await cancel(work, await stand(work, present.id, lock=True), SUPERSEDED)
        order.outage_id = None
        return
    starts_at, ends_at = _window(order.planned_on, utility, book, work.now)
    if present is not None and present.state in BEFORE_IT:
        if present.starts_at.astimezone(ZoneInfo(utility.timezone)).date() != order.planned_on:
            await move(work, await stand(work, present.id, lock=True), starts_at, ends_at)
        return
    reason = OutageReason.other
    if order.kind is WorkOrderKind.cleaning:
        reason = OutageReason.tank_cleaning
    outage = new_outage(work, utility, facility, Extent((), ()), OutageKind.planned, reason)
    outage.work_order_id, outage.starts_at, outage.ends_at = order.id, starts_at, ends_at
    draft(work, await standing_of(work, outage, facility))
    order.outage_id = outage.id


def _window(on: date, utility: Utility, book: Rulebook, now: datetime) -> tuple[datetime, datetime]:
    """Return the hours of a day in which the water is off; of today those that are left."""
    planned = book.obligation(PLANNED, on)
    first, last = _HOURS
    if planned is not None and "window_from_hour" in planned.values:
        first, last = (int(planned.number(f"window_{side}_hour")) for side in ("from", "to"))
    starts, ends = (
        read_instant(datetime.combine(on, time(hour)), utility.timezone) for hour in (first, last)
    )
    if starts <= now:
        starts = now + timedelta(minutes=1)
    return starts, max(ends, starts + timedelta(hours=1))


async def outage_of(work: Work, order: WorkOrder) -> Outage | None:
    """Return the outage planned with a work order."""
    return await fetch(work, Outage, order.outage_id) if order.outage_id else None


async def cancel_with_order(work: Work, order: WorkOrder) -> None:
    """Call off the outage of a work order that is called off, unless the water is off already."""
    outage = await outage_of(work, order)
    if outage is not None and outage.state in BEFORE_IT:
        await cancel(work, await stand(work, outage.id, lock=True), SUPERSEDED)


async def stop_supply_for(work: Work, order: WorkOrder) -> None:
    """Put the outage of a work order into effect as the work begins.

    Raises:
        RuleViolation: its notice is not out, or a household is not proven told (art. 15).
        Conflict: the outage is over or called off: the order must be planned again.
    """
    if not order.stops_supply or order.outage_id is None:
        return
    standing = await stand(work, order.outage_id, lock=True)
    outage = standing.outage
    if outage.state is OutageState.in_effect:
        return
    if outage.state is OutageState.draft:  # not announced: the 24 hours have not begun
        require_allowed(
            judge_publishing(standing.demand, now=work.now, starts_at=work.now), standing.utility
        )
    standing.require(OutageState.published)
    await start(work, standing)


async def notice_number(work: Work, order: WorkOrder) -> str | None:
    """Return the number under which the supply was stopped for an order; None: it was not."""
    outage = await outage_of(work, order)
    return outage.number if outage is not None and outage.started_at is not None else None
