"""Creating outages: a planned one as a draft; an emergency is published and in effect at once."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from water2.domain.access import Action
from water2.domain.command import Code, Command, Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility
from water2.domain.ids import drawn_number
from water2.domain.notice import NoticeKind
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.rules.outages import too_long
from water2.services.instants import Instant, read_instant
from water2.services.notices.template import BRIEF
from water2.services.outages.announcing import announce
from water2.services.outages.extent import Extent, read_extent, require_somebody
from water2.services.outages.standing import Standing, record_outage, said, standing_of
from water2.services.rows import fetch, utility_of
from water2.work import Work

_CLOCKS_DIFFER = timedelta(minutes=15)
_TOLD = ("detail", "cause", "notice_impossible_because", "approval", "authority_report")
_PLANS = ("water_points", "emergency_supply", "health_advice")
BuildingIds = Annotated[list[Code], Field(max_length=500)]
ZoneNames = Annotated[list[Code], Field(max_length=50)]
Advice = Annotated[str, StringConstraints(min_length=1, max_length=BRIEF["what_to_do"])]
"""What to do about unfit water: as long as a text message holds whole."""
Reference = Annotated[str, Field(max_length=200)]


class CreateOutage(Command):
    """An outage: `building_ids` (or codes) or `zones`; neither is the whole facility.

    Planned: `ends_at`, and the authority's `approval` (城市供水条例 art. 22), `water_points` over
    12 hours, `emergency_supply` over 24. Emergency: `cause`, why notice was impossible, the
    `authority_report`; `ends_at` is the estimate.
    """

    kind: OutageKind
    facility_id: str
    reason: OutageReason
    starts_at: Instant
    ends_at: Instant | None = None
    building_ids: BuildingIds | None = None
    zones: ZoneNames | None = None
    detail: Text | None = None
    cause: Text | None = None
    notice_impossible_because: Text | None = None
    approval: Reference | None = None
    authority_report: Reference | None = None
    water_points: Text | None = None
    emergency_supply: Text | None = None
    health_advice: Advice | None = None


async def create_outage(work: Work, command: CreateOutage) -> Outage:
    """Draft a planned outage, or publish an emergency that is in effect.

    Raises:
        Invalid: the window cannot be, or the extent is of nobody.
        Conflict: the facility is out of use.
    """
    work.require(Action.plan_outages)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    if facility.out_of_use_on is not None:
        raise Conflict("facility_out_of_use", {"facility": facility.code})
    extent = await read_extent(work, facility, command.building_ids, command.zones)
    utility = await utility_of(work, facility)
    starts_at = read_instant(command.starts_at, utility.timezone)
    ends_at = read_instant(command.ends_at, utility.timezone) if command.ends_at else None
    outage = new_outage(work, utility, facility, extent, command.kind, command.reason)
    outage.starts_at, outage.ends_at = starts_at, ends_at
    for field in (*_TOLD, *_PLANS):
        setattr(outage, field, getattr(command, field))
    standing = await standing_of(work, outage, facility)
    if command.kind is OutageKind.emergency:
        return await declare(work, standing)
    require_window(work, standing, starts_at, ends_at)
    await require_somebody(work, facility, extent)
    return draft(work, standing)


def new_outage(
    work: Work,
    utility: Utility,
    facility: Facility,
    extent: Extent,
    kind: OutageKind,
    reason: OutageReason,
) -> Outage:
    """Return an outage that is not kept yet; its window is the caller's to set."""
    return Outage(
        utility_id=facility.utility_id,
        facility_id=facility.id,
        number=drawn_number("TS", work.today(utility.timezone)),
        kind=kind,
        reason=reason,
        building_ids=list(extent.building_ids),
        zones=list(extent.zones),
        starts_at=work.now,
        created_at=work.now,
    )


def draft(work: Work, standing: Standing) -> Outage:
    """Keep a planned outage as a draft; nobody outside learns of it."""
    outage = standing.outage
    work.session.add(outage)
    record_outage(
        work,
        standing,
        "outage.drafted",
        reason=outage.reason.value,
        starts_at=said(outage.starts_at),
        ends_at=said(outage.ends_at),
        buildings=list(outage.building_ids),
        work_order=outage.work_order_id,
    )
    return outage


def require_window(
    work: Work, standing: Standing, starts_at: datetime, ends_at: datetime | None
) -> None:
    """Refuse a window that cannot be: reversed, in the past, or longer than is ever planned.

    Raises:
        Invalid: names the field.
    """
    if ends_at is None:
        raise Invalid.one("ends_at", "missing")
    if starts_at <= work.now:
        raise Invalid.one("starts_at", "in_past", starts_at.isoformat())
    require_span(standing, starts_at, ends_at)


def require_span(standing: Standing, starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a span longer than is ever planned at once: it is a slip.

    Raises:
        Invalid: `window_too_long`.
    """
    if ends_at <= starts_at:
        raise Invalid.one("ends_at", "before", ends_at.isoformat(), after="starts_at")
    longest = too_long(standing.book_today, starts_at, ends_at, standing.today)
    if longest is not None:
        raise Invalid.one("ends_at", "window_too_long", ends_at.isoformat(), hours=longest)


async def declare(work: Work, standing: Standing) -> Outage:
    """Publish an emergency at the time of the repair (art. 15).

    Raises:
        Invalid: it has no cause, or its instants cannot be.
    """
    outage = standing.outage
    if not outage.cause and outage.failed_items is None:
        raise Invalid.one("cause", "missing")
    if outage.starts_at > work.now + _CLOCKS_DIFFER:
        raise Invalid.one("starts_at", "in_future", outage.starts_at.isoformat())
    if outage.ends_at is not None:
        _require_estimate(work, standing, outage.ends_at)
    outage.started_at = min(outage.starts_at, work.now)
    outage.published_at, outage.state = work.now, OutageState.in_effect
    work.session.add(outage)
    record_outage(
        work,
        standing,
        "outage.declared",
        reason=outage.reason.value,
        started_at=said(outage.started_at),
        ends_at=said(outage.ends_at),
        buildings=list(outage.building_ids),
        cause_given=True,
        notice_impossible_explained=outage.notice_impossible_because is not None,
        authority_report_given=outage.authority_report is not None,
    )
    unfit = outage.reason is OutageReason.water_quality
    await announce(work, standing, NoticeKind.quality if unfit else NoticeKind.emergency)
    return outage


def _require_estimate(work: Work, standing: Standing, ends_at: datetime) -> None:
    """Refuse an estimate that cannot be; what is over can be recorded however long it took."""
    starts_at = standing.outage.starts_at
    if ends_at <= starts_at:
        raise Invalid.one("ends_at", "before", ends_at.isoformat(), after="starts_at")
    if ends_at > work.now:
        require_span(standing, max(starts_at, work.now), ends_at)
