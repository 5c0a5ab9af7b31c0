"""Changes of an outage: another window, a later end, a wider extent. Each is a new notice."""

from collections.abc import Sequence
from datetime import datetime

from water2.domain.access import Action
from water2.domain.command import Command, Text
from water2.domain.errors import Invalid
from water2.domain.notice import NoticeKind
from water2.domain.outage import Outage, OutageReason, OutageState
from water2.rules.notice import judge_new_start, judge_widening, judge_window, window_passed
from water2.rules.provision import Verdict
from water2.services.instants import Instant, read_instant
from water2.services.outages.announcing import Before, announce
from water2.services.outages.drafting import (
    Advice,
    BuildingIds,
    ZoneNames,
    require_span,
    require_window,
)
from water2.services.outages.extent import Extent, extent_of, read_extent, require_somebody
from water2.services.outages.standing import Standing, record_outage, said, stand
from water2.services.outages.transitions import note_overrun
from water2.services.verdicts import require_allowed
from water2.work import Work


class RescheduleOutage(Command):
    """Another window of a planned outage; the extent stays unless a wider one is given."""

    starts_at: Instant
    ends_at: Instant
    building_ids: BuildingIds | None = None
    zones: ZoneNames | None = None


class ExtendOutage(Command):
    """A later end, a wider extent; of an emergency any new estimate, and how far the repair is."""

    ends_at: Instant | None = None
    building_ids: BuildingIds | None = None
    zones: ZoneNames | None = None
    detail: Text | None = None
    water_points: Text | None = None
    emergency_supply: Text | None = None
    health_advice: Advice | None = None


async def reschedule_outage(work: Work, id_: str, command: RescheduleOutage) -> Outage:
    """Move a planned outage that has not begun; published, all are told of it anew.

    Raises:
        RuleViolation: an earlier start, or a wider extent, leaves under 24 hours (art. 15).
        Invalid: the window cannot be, or the extent is narrower.
        Conflict: it has begun or ended.
    """
    work.require(Action.plan_outages)
    standing = await stand(work, id_, lock=True)
    standing.require(OutageState.draft, OutageState.published)
    zone = standing.utility.timezone
    starts_at, ends_at = (read_instant(at, zone) for at in (command.starts_at, command.ends_at))
    extent = await _wider(work, standing, command.building_ids, command.zones)
    return await move(work, standing, starts_at, ends_at, extent)


async def move(
    work: Work,
    standing: Standing,
    starts_at: datetime,
    ends_at: datetime,
    extent: Extent | None = None,
) -> Outage:
    """Move an outage that is held; nothing changes where nothing is other than it was."""
    outage = standing.outage
    published = outage.state is OutageState.published
    unused = published and window_passed(outage.ends_at, work.now)
    before = Before(outage.starts_at, outage.ends_at, unused)
    if (starts_at, ends_at) == (before.starts_at, before.ends_at) and extent is None:
        return outage
    require_window(work, standing, starts_at, ends_at)
    if published:
        moved = judge_new_start(
            standing.demand_today,
            now=work.now,
            announced=outage.starts_at,
            announced_end=outage.ends_at,
            wanted=starts_at,
        )
        require_allowed(moved, standing.utility)
        if extent is not None:
            require_allowed(_widened(work, standing, starts_at), standing.utility)
    outage.starts_at, outage.ends_at = starts_at, ends_at
    _set_extent(outage, extent)
    outage.version += 1
    _record(work, standing, "outage.rescheduled", before)
    if published:
        await announce(work, standing, NoticeKind.rescheduled, before)
    return outage


async def extend_outage(work: Work, id_: str, command: ExtendOutage) -> Outage:
    """Announce a later end or a wider extent; of an emergency, its progress.

    What goes on can always be told: a later end is never refused, but flagged once the announced
    one has passed.

    Raises:
        RuleViolation: a wider extent of a planned outage leaves under 24 hours (art. 15), or its
            window passed unused: it is to be rescheduled.
        Invalid: the end is not later, or the extent is narrower.
        Conflict: it is a draft, or ended.
    """
    work.require(Action.run_outages)
    standing = await stand(work, id_, lock=True)
    standing.require(OutageState.published, OutageState.in_effect)
    outage, before = standing.outage, Before(standing.outage.starts_at, standing.outage.ends_at)
    if outage.state is OutageState.published:
        still = judge_window(standing.demand_today, now=work.now, ends_at=outage.ends_at)
        require_allowed(still, standing.utility)
    ends_at = _new_end(work, standing, command)
    extent = await _wider(work, standing, command.building_ids, command.zones)
    told = {
        field: value
        for field in ("detail", "water_points", "emergency_supply", "health_advice")
        if (value := getattr(command, field)) is not None and value != getattr(outage, field)
    }
    if ends_at == outage.ends_at and extent is None and not told:
        return outage
    if extent is not None and standing.planned:
        require_allowed(_widened(work, standing, outage.starts_at), standing.utility)
    if outage.started_at is not None:
        note_overrun(outage, work.now, planned=standing.planned)
    outage.ends_at = ends_at
    for field, value in told.items():
        setattr(outage, field, value)
    _set_extent(outage, extent)
    outage.version += 1
    _record(work, standing, "outage.extended", before)
    await announce(work, standing, _kind(standing), before)
    return outage


async def tell_anew(work: Work, standing: Standing, extent: Extent | None) -> Outage:
    """Announce an emergency in effect that is held with its changed words, or a wider extent."""
    outage, before = standing.outage, Before(standing.outage.starts_at, standing.outage.ends_at)
    _set_extent(outage, extent)
    outage.version += 1
    _record(work, standing, "outage.extended", before)
    await announce(work, standing, _kind(standing), before)
    return outage


def _kind(standing: Standing) -> NoticeKind:
    """Return the kind of notice that tells of a change to those told before and those added.

    Before the start it is told whole, with the window and that water be stored: whoever is added
    hears of it for the first time. The advice on unfit water stands in every notice of it.
    """
    outage = standing.outage
    if standing.planned:
        begun = outage.state is OutageState.in_effect
        return NoticeKind.extended if begun else NoticeKind.rescheduled
    unfit = outage.reason is OutageReason.water_quality
    return NoticeKind.quality if unfit else NoticeKind.update


def _new_end(work: Work, standing: Standing, command: ExtendOutage) -> datetime | None:
    outage = standing.outage
    if command.ends_at is None:
        return outage.ends_at
    ends_at = read_instant(command.ends_at, standing.utility.timezone)
    if ends_at == outage.ends_at:
        return ends_at
    if standing.planned and outage.ends_at is not None and ends_at < outage.ends_at:
        raise Invalid.one("ends_at", "end_not_later", ends_at.isoformat())
    if ends_at <= work.now:
        raise Invalid.one("ends_at", "in_past", ends_at.isoformat())
    require_span(standing, max(outage.starts_at, work.now), ends_at)
    return ends_at


async def _wider(
    work: Work,
    standing: Standing,
    building_ids: Sequence[str] | None,
    zones: Sequence[str] | None,
) -> Extent | None:
    """Return a wider extent, None where it stays; a narrower one is another outage."""
    if building_ids is None and zones is None:
        return None
    wanted = await read_extent(work, standing.facility, building_ids, zones)
    present = extent_of(standing.outage)
    if present.holds(wanted) and wanted.holds(present):
        return None
    if not wanted.holds(present) and standing.outage.state is not OutageState.draft:
        raise Invalid.one("building_ids", "extent_narrower")
    if standing.planned:
        await require_somebody(work, standing.facility, wanted)
    return wanted


def _widened(work: Work, standing: Standing, starts_at: datetime) -> Verdict:
    return judge_widening(
        standing.demand_today,
        now=work.now,
        starts_at=starts_at,
        in_effect=standing.outage.started_at is not None,
    )


def _set_extent(outage: Outage, extent: Extent | None) -> None:
    if extent is not None:
        outage.building_ids, outage.zones = list(extent.building_ids), list(extent.zones)


def _record(work: Work, standing: Standing, type_: str, before: Before) -> None:
    outage = standing.outage
    record_outage(
        work,
        standing,
        type_,
        old_starts_at=said(before.starts_at),
        old_ends_at=said(before.ends_at),
        starts_at=said(outage.starts_at),
        ends_at=said(outage.ends_at),
        buildings=list(outage.building_ids),
        overran=outage.overran or outage.update_missed,
    )
