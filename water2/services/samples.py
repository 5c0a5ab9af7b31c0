"""Water samples: taken, judged item by item by the limits in force on their day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.domain.water import Point, Purpose, Sample, SampleResult, SampleVerdict
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.limits import judge_sample
from water2.services.anomalies.from_samples import open_by_sample
from water2.services.credit import credit_by_sample
from water2.services.duties import rederive
from water2.services.instants import Instant, civil_day, read_instant
from water2.services.lateness import lateness_of
from water2.services.order_closing import close_served_orders
from water2.services.register import require_in_use
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.sample_results import (
    GivenResult,
    expired_accreditation,
    judged_result,
    refuse_unusable,
    report_signs,
)
from water2.work import Work

SAMPLES_SATISFY = ("routine_sample", "credited_cleaning", "planned_sample", "own_sample")


class RecordSample(Command):
    """A sample with the results known so far; what the laboratory sends later is added."""

    facility_id: str
    tank_id: str | None = None
    point: Point
    purpose: Purpose
    sampled_at: Instant
    results: list[GivenResult] = Field(default_factory=list)
    sampled_by: str | None = Field(default=None, max_length=60)
    report_number: str | None = Field(default=None, max_length=60)
    laboratory: str | None = Field(default=None, max_length=200)
    accreditation_number: str | None = Field(default=None, max_length=60)
    accreditation_valid_to: Day | None = None
    issued_on: Day | None = None
    late_reason: str | None = Field(default=None, max_length=500)


class AddResults(Command):
    """What the laboratory sent later; results given before are never changed."""

    results: list[GivenResult] = Field(min_length=1)
    report_number: str | None = Field(default=None, max_length=60)
    issued_on: Day | None = None


@dataclass(frozen=True)
class Place:
    """Where a sample was taken, and the book of its day."""

    utility: Utility
    facility: Facility
    tank: Tank | None
    book: Rulebook
    on: date


async def record_sample(work: Work, command: RecordSample) -> Sample:
    """Record a sample; one of after-cleaning may credit its cleaning.

    Raises:
        Invalid: it lies in the future or while the tank was not in use, a parameter is unknown, or
            a value cannot be read or cannot be true.
    """
    work.require(Action.do_work)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    sampled_at = read_instant(command.sampled_at, utility.timezone)
    on = civil_day(sampled_at, utility.timezone)
    tank = await _tank(work, facility, command.tank_id, on)
    place = Place(utility, facility, tank, await book_of(work, utility, on), on)
    if sampled_at > work.now:
        raise Invalid.one("sampled_at", "in_future", command.sampled_at.isoformat())
    late = lateness_of(place.book, sampled_at, work.now, command.late_reason)
    known = command.model_dump(exclude={"results", "sampled_at", "late_reason"})
    sample = Sample(
        **known,
        utility_id=utility.id,
        sampled_at=sampled_at,
        sampled_on=on,
        verdict=SampleVerdict.pending,
        recorded_at=work.now,
        late_reason=late.reason,
        flags=list(late.flags),
    )
    work.session.add(sample)
    await work.session.flush()  # its results refer to it
    await _take_results(work, place, sample, command.results)
    await _enter(work, place, sample, "sample.recorded", command.results)
    return sample


async def add_results(work: Work, id_: str, command: AddResults) -> Sample:
    """Add results to a sample and judge it anew as a whole.

    Raises:
        Conflict: an item was given before; a correction names what it corrects instead.
    """
    work.require(Action.do_work)
    place, sample = await hold_sample(work, id_)
    sample.report_number = command.report_number or sample.report_number
    sample.issued_on = command.issued_on or sample.issued_on
    await _take_results(work, place, sample, command.results)
    await _enter(work, place, sample, "sample.results_added", command.results)
    return sample


async def hold_sample(work: Work, id_: str) -> tuple[Place, Sample]:
    """Return a sample, locked, and where it was taken."""
    seen = await fetch(work, Sample, id_)
    # the facility first, as every act on it does: none waits for another in a circle
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    sample = await fetch(work, Sample, id_, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    tank = await fetch(work, Tank, sample.tank_id) if sample.tank_id else None
    book = await book_of(work, utility, sample.sampled_on)
    return Place(utility, facility, tank, book, sample.sampled_on), sample


async def _tank(work: Work, facility: Facility, tank_id: str | None, on: date) -> Tank | None:
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


async def _take_results(
    work: Work, place: Place, sample: Sample, given: Sequence[GivenResult]
) -> None:
    earlier = await results_of(work, sample)
    refuse_unusable(place.book, given, {result.parameter for result in earlier})
    raw = {r.parameter: r.raw for r in earlier} | {r.parameter: r.raw for r in given}
    await judge_anew(work, place, sample, raw, earlier)


async def judge_anew(
    work: Work,
    place: Place,
    sample: Sample,
    raw: Mapping[str, str],
    earlier: Sequence[SampleResult],
) -> None:
    """Judge all items of a sample (parameter → raw text), and all that follows from it.

    `earlier` are the rows that are there; items without one get it.
    """
    judged = judge_sample(
        raw, sample.point.value, place.on, place.book, place.facility.disinfectant.value
    )
    kept = {result.parameter: result for result in earlier}
    for item in judged.items:
        work.session.add(judged_result(place.book, sample, item, kept.get(item.parameter)))
    sample.verdict = SampleVerdict(judged.verdict)
    expired = expired_accreditation(sample)
    lasting = {*sample.flags} - {FlagCode.accreditation_expired}  # a report may come later
    sample.flags = sorted({*lasting, *expired, *report_signs(place.book, sample, raw)})
    sample.counts = not expired
    await work.session.flush()
    await open_by_sample(work, place.utility, place.facility, sample, judged.items)
    await credit_by_sample(work, place.book, sample, raw, place.facility)
    await rederive(work, place.utility, facility_ids=[place.facility.id], evidence=SAMPLES_SATISFY)
    await close_served_orders(work, place.utility, [place.facility.id])


async def _enter(
    work: Work, place: Place, sample: Sample, type_: str, given: Sequence[GivenResult]
) -> None:
    work.record(
        PendingEntry(
            ledger_id=place.facility.ledger_id,
            type=type_,
            subject=f"tank:{place.tank.id}" if place.tank else f"facility:{place.facility.id}",
            occurred_at=sample.sampled_at or work.now,
            data={
                "sample": sample.id,
                "point": sample.point.value,
                "purpose": sample.purpose.value,
                "sampled_on": sample.sampled_on.isoformat(),
                "report_number": sample.report_number,
                "results": [{"parameter": g.parameter, "raw": g.raw} for g in given],
                "verdict": sample.verdict.value,
                "flags": sample.flags,
                "sampled_by": await _sampler(work, place, sample),
                "laboratory": sample.laboratory,
                "accreditation_number": sample.accreditation_number,
                "accreditation_valid_to": _day(sample.accreditation_valid_to),
                "issued_on": _day(sample.issued_on),
                "counts": sample.counts,
                "cleaning": sample.cleaning_id,
                "late_reason_given": sample.late_reason is not None,
            },
        )
    )


async def _sampler(work: Work, place: Place, sample: Sample) -> str | None:
    """Return who took it by the random id, where the name given is a 工号; a name stays out."""
    if sample.sampled_by is None:
        return None
    rows = await work.session.exec(
        select(Staff.id).where(
            Staff.utility_id == place.utility.id, Staff.code == sample.sampled_by
        )
    )
    return rows.first()


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
