"""Water samples: taken, judged item by item by the limits in force on their day."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import Field

from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.domain.errors import Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.water import Point, Purpose, Sample, SampleResult, SampleVerdict
from water2.rules.flags import FlagCode
from water2.rules.limits import SampleVerdict as Judgement
from water2.rules.limits import add_up, judge_sample
from water2.rules.signs import TOO_EARLY
from water2.services.anomalies.from_samples import open_by_sample
from water2.services.credit import credit_by_sample
from water2.services.duties import rederive
from water2.services.instants import Instant, civil_day, read_instant
from water2.services.lab_reporters import refuse_of_laboratory
from water2.services.lateness import lateness_of
from water2.services.order_closing import close_served_orders
from water2.services.register import require_past
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.sample_entries import enter_sample, record_judged_anew, sampler_of
from water2.services.sample_pairs import increments_of, outlets_of
from water2.services.sample_places import (
    Place,
    hold_sample,
    place_of,
    results_of,
    tank_sampled,
)
from water2.services.sample_results import (
    GivenResult,
    accredited,
    item_flags,
    judged_result,
    refuse_unusable,
    take_details,
)
from water2.services.sample_signs import (
    JUDGED_ANEW,
    signs_of_entry,
    signs_of_report,
    standing_of,
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


async def record_sample(work: Work, command: RecordSample) -> Sample:
    """Record a sample; one of after-cleaning may credit its cleaning.

    Raises:
        Invalid: it lies in the future or while the tank was not in use, its report is issued in
            the future, a parameter is unknown, or a value cannot be read or cannot be true.
    """
    work.require(Action.do_work)
    return await take_sample(work, command)


async def take_sample(work: Work, command: RecordSample, report_id: str | None = None) -> Sample:
    """Record a sample for whoever was found to be allowed to; `report_id` is a report's it is of.

    Raises:
        Invalid: as `record_sample`.
    """
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    sampled_at = read_instant(command.sampled_at, utility.timezone)
    on = civil_day(sampled_at, utility.timezone)
    tank = await tank_sampled(work, facility, command.tank_id, on)
    place = Place(utility, facility, tank, await book_of(work, utility, on), on)
    if sampled_at > work.now:
        raise Invalid.one("sampled_at", "in_future", command.sampled_at.isoformat())
    require_past("issued_on", command.issued_on, work.today(utility.timezone))
    late = lateness_of(place.book, sampled_at, work.now, command.late_reason)
    by_hand = command.sampled_by if report_id is None else None  # a report names its own people
    unknown = by_hand is not None and await sampler_of(work, utility.id, by_hand) is None
    known = command.model_dump(exclude={"results", "sampled_at", "late_reason"})
    sample = Sample(
        **known,
        lab_report_id=report_id,
        utility_id=utility.id,
        sampled_at=sampled_at,
        sampled_on=on,
        verdict=SampleVerdict.pending,
        recorded_at=work.now,
        late_reason=late.reason,
        flags=[*late.flags, *([FlagCode.unknown_person] if unknown else [])],
    )
    work.session.add(sample)
    await work.session.flush()  # its results refer to it
    await _take_results(work, place, sample, command.results)
    await enter_sample(work, place, sample, "sample.recorded", command.results)
    return sample


async def add_results(work: Work, id_: str, command: AddResults) -> Sample:
    """Add results to a sample and judge it anew as a whole.

    Raises:
        Conflict: an item was given before; a correction names what it corrects instead.
            `lab_report_of_laboratory`: a laboratory entered its report itself.
    """
    work.require(Action.do_work)
    place, sample = await hold_sample(work, id_)
    await refuse_of_laboratory(work, sample.lab_report_id)
    require_past("issued_on", command.issued_on, work.today(place.utility.timezone))
    sample.report_number = command.report_number or sample.report_number
    sample.issued_on = command.issued_on or sample.issued_on
    return await take_results(work, place, sample, command.results)


async def take_results(
    work: Work, place: Place, sample: Sample, given: Sequence[GivenResult]
) -> Sample:
    """Add results to a sample that is held, for whoever was found to be allowed to."""
    await _take_results(work, place, sample, given)
    await enter_sample(work, place, sample, "sample.results_added", given)
    return sample


async def _take_results(
    work: Work, place: Place, sample: Sample, given: Sequence[GivenResult]
) -> None:
    earlier = await results_of(work, sample)
    refuse_unusable(place.book, given, {result.parameter for result in earlier})
    raw = {r.parameter: r.raw for r in earlier} | {r.parameter: r.raw for r in given}
    await judge_anew(work, place, sample, raw, earlier, given)


async def judge_anew(
    work: Work,
    place: Place,
    sample: Sample,
    raw: Mapping[str, str],
    earlier: Sequence[SampleResult],
    given: Sequence[GivenResult] = (),
) -> None:
    """Judge all items of a sample (parameter → raw text), and all that follows from it.

    `earlier` are the rows that are there; items without one get it, with what is `given` of them.
    """
    raw = {key: text for key, text in raw.items() if not _is_increment(place, key)}
    judged = judge_sample(
        raw, sample.point.value, place.on, place.book, place.facility.disinfectant.value
    )
    increments = await increments_of(work, place.book, sample, raw)
    judged = add_up([*judged.items, *increments], judged=judged.judged)
    standing = await standing_of(work, sample)
    failed_before = {row.parameter for row in earlier if row.verdict == "fail"}
    rows = await _write_items(work, place, sample, judged, earlier, given, standing.outside(raw))
    sample.verdict = SampleVerdict(judged.verdict)
    lasting = {*sample.flags} - JUDGED_ANEW
    signs = await signs_of_report(work, place.book, sample, raw)
    of_items = {flag for row in rows for flag in row.flags}
    sample.flags = sorted({*lasting, *standing.flags, *signs, *of_items})
    sample.counts = not standing.flags
    await work.session.flush()
    # what failed before was told when it did: an anomaly resumed or closed since stays so
    fresh = [item for item in judged.items if item.parameter not in failed_before]
    await open_by_sample(work, place.utility, place.facility, sample, fresh)
    helping = accredited(raw, rows)
    await credit_by_sample(work, place.book, sample, helping, place.facility)
    await rederive(work, place.utility, facility_ids=[place.facility.id], evidence=SAMPLES_SATISFY)
    await close_served_orders(work, place.utility, [place.facility.id])
    for outlet in await outlets_of(work, place.book, sample, raw):
        await _judge_outlet(work, place, outlet, sample)


async def _write_items(
    work: Work,
    place: Place,
    sample: Sample,
    judged: Judgement,
    earlier: Sequence[SampleResult],
    given: Sequence[GivenResult],
    outside: Collection[str],
) -> list[SampleResult]:
    """Make the rows those of the judged items; an increment whose pair went away goes too."""
    kept = {result.parameter: result for result in earlier}
    details = {result.parameter: result for result in given}
    rows = []
    for item in judged.items:
        row = judged_result(place.book, sample, item, kept.pop(item.parameter, None))
        entered = [flag for flag in row.flags if flag in TOO_EARLY]
        if item.parameter in details:
            take_details(row, details[item.parameter], sample.lab_report_id)
            entered = [*signs_of_entry(work, place, sample, item.parameter)]
        row.flags = [*item_flags(place.book, item, row, outside, sample), *entered]
        work.session.add(row)
        rows.append(row)
    for gone in kept.values():
        await work.session.delete(gone)
    return rows


def _is_increment(place: Place, key: str) -> bool:
    parameter = place.book.parameters.get(key)
    return parameter is not None and parameter.increment_of is not None


async def _judge_outlet(work: Work, place: Place, outlet: Sample, inlet: Sample) -> None:
    """Judge an outlet sample by the inlet sample that arrived, or changed, after it."""
    rows = await results_of(work, outlet)
    there = await place_of(work, place.facility, outlet)
    await judge_anew(work, there, outlet, {row.parameter: row.raw for row in rows}, rows)
    record_judged_anew(work, there, outlet, {"inlet": inlet.id})
