"""Reading outages: lists, the notices of one, the stops that were found."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.notice import Notice
from water2.domain.organisation import Utility
from water2.domain.outage import Outage
from water2.rules.flags import FlagCode
from water2.services.outages.looking import look_around
from water2.services.outages.standing import Standing, flags_of, standing_of
from water2.services.outages.told import Progress, progress_of
from water2.services.rows import fetch
from water2.work import Work


@dataclass(frozen=True)
class OutageView:
    """An outage as its planning page shows it."""

    outage: Outage
    facility: Facility
    utility: Utility
    progress: Progress
    flags: tuple[FlagCode, ...]


async def view_outage(work: Work, outage: Outage) -> OutageView:
    """Return an outage with who is told by now, and what is to be looked at."""
    facility = await fetch(work, Facility, outage.facility_id)
    return await view_of(work, await standing_of(work, outage, facility))


async def view_of(work: Work, standing: Standing) -> OutageView:
    """Return the view of an outage whose standing is at hand."""
    progress = await progress_of(work, standing)
    flags = flags_of(standing, work.now)
    started = standing.outage.started_at is not None
    lacking = progress.told.missing_count > 0 and (progress.warnings or started)
    if lacking and standing.outage.cancelled_at is None:
        flags.append(FlagCode.households_not_told)
    flags += await look_around(work, standing)
    return OutageView(standing.outage, standing.facility, standing.utility, progress, tuple(flags))


async def view_outages(work: Work, outages: Sequence[Outage]) -> list[OutageView]:
    """Return the views of a page of outages."""
    return [await view_outage(work, outage) for outage in outages]


async def notices_of(work: Work, outage: Outage) -> list[Notice]:
    """Return the revisions of an outage's notice, the first first."""
    rows = await work.session.exec(
        select(Notice).where(Notice.outage_id == outage.id).order_by(col(Notice.revision))
    )
    return list(rows)
