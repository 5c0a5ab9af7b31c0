"""Where a sample was taken, and the rulebook of its day."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.water import Sample, SampleResult
from water2.rules.book import Rulebook
from water2.services.register import require_in_use
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class Place:
    """Where a sample was taken, and the book of its day."""

    utility: Utility
    facility: Facility
    tank: Tank | None
    book: Rulebook
    on: date


async def hold_sample(work: Work, id_: str) -> tuple[Place, Sample]:
    """Return a sample, locked, and where it was taken."""
    seen = await fetch(work, Sample, id_)
    # the facility first, as every act on it does: none waits for another in a circle
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    sample = await fetch(work, Sample, id_, lock=True)
    return await place_of(work, facility, sample), sample


async def place_of(work: Work, facility: Facility, sample: Sample) -> Place:
    """Return where a sample of a facility was taken."""
    utility = await fetch(work, Utility, facility.utility_id)
    tank = await fetch(work, Tank, sample.tank_id) if sample.tank_id else None
    book = await book_of(work, utility, sample.sampled_on)
    return Place(utility, facility, tank, book, sample.sampled_on)


async def tank_sampled(
    work: Work, facility: Facility, tank_id: str | None, on: date
) -> Tank | None:
    """Return the tank a sample names.

    Raises:
        Invalid: it is another facility's, or was not in use on the day.
    """
    if tank_id is None:
        return None
    tank = await fetch(work, Tank, tank_id)
    if tank.facility_id != facility.id:
        raise Invalid.one("tank_id", "unknown_tank", tank_id, facility=facility.code)
    require_in_use("sampled_at", tank, on)
    return tank


async def results_of(work: Work, sample: Sample) -> list[SampleResult]:
    """Return a sample's items in the order of their parameters."""
    rows = await work.session.exec(
        select(SampleResult)
        .where(SampleResult.sample_id == sample.id)
        .order_by(col(SampleResult.parameter))
    )
    return list(rows)
