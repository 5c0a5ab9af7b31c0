"""Laboratory reports: one report may cover several samples of a visit."""

from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Name
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.water import Point, Purpose, Sample
from water2.services.instants import Instant
from water2.services.paging import Page, PageAsked
from water2.services.rows import fetch
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, RecordSample, add_results, record_sample
from water2.work import Work

Results = Annotated[list[GivenResult], Field(min_length=1, max_length=200)]


class ReportedSample(Command):
    """A sample the report tells of: one on record (`sample_id`), or one not entered before."""

    results: Results
    sample_id: str | None = None
    facility_id: str | None = None
    tank_id: str | None = None
    point: Point | None = None
    purpose: Purpose | None = None
    sampled_at: Instant | None = None
    sampled_by: Annotated[str, StringConstraints(max_length=60)] | None = None


class RecordLabReport(Command):
    """A report with the laboratory's accreditation (CMA)."""

    number: Code
    laboratory: Name
    accreditation_number: Code | None = None
    accreditation_valid_to: Day | None = None
    issued_on: Day | None = None
    samples: Annotated[list[ReportedSample], Field(min_length=1, max_length=100)]
    late_reason: Annotated[str, StringConstraints(max_length=500)] | None = None


async def record_lab_report(work: Work, command: RecordLabReport) -> list[Sample]:
    """Record a report: new samples are entered, results of known ones added, each judged.

    Raises:
        Conflict: a sample on record belongs to another report.
        Invalid: a sample is neither on record nor fully described.
    """
    work.require(Action.do_work)
    await _hold_facilities(work, command)
    return [
        await _later_results(work, command, given)
        if given.sample_id
        else await _new_sample(work, command, given, at)
        for at, given in enumerate(command.samples)
    ]


async def _hold_facilities(work: Work, command: RecordLabReport) -> None:
    """Lock all facilities the report tells of, before their samples and in the order of their ids.

    So does every act on a sample: none waits for another in a circle.
    """
    known = [await fetch(work, Sample, one.sample_id) for one in command.samples if one.sample_id]
    told = {one.facility_id for one in command.samples if one.facility_id}
    for facility_id in sorted(told | {sample.facility_id for sample in known}):
        await fetch(work, Facility, facility_id, lock=True)


async def _later_results(work: Work, command: RecordLabReport, given: ReportedSample) -> Sample:
    sample = await fetch(work, Sample, given.sample_id or "", lock=True)
    if sample.report_number not in (None, command.number):
        raise Conflict("recorded_elsewhere", {"report_number": sample.report_number})
    sample.laboratory = command.laboratory
    sample.accreditation_number = command.accreditation_number
    sample.accreditation_valid_to = command.accreditation_valid_to
    later = AddResults(
        results=given.results, report_number=command.number, issued_on=command.issued_on
    )
    return await add_results(work, sample.id, later)


async def _new_sample(
    work: Work, command: RecordLabReport, given: ReportedSample, at: int
) -> Sample:
    told = given.model_dump(exclude={"sample_id", "results"})
    for field in ("facility_id", "point", "purpose", "sampled_at"):
        if told[field] is None:
            raise Invalid.one(f"samples.{at}.{field}", "missing")
    report = command.model_dump(exclude={"number", "samples"})
    entered = RecordSample(
        **told, **report, report_number=command.number, results=list(given.results)
    )
    return await record_sample(work, entered)


async def list_report_numbers(work: Work, asked: PageAsked) -> Page[str]:
    """Return the numbers of the reports on record, in their order."""
    work.require(Action.read)
    seen = [(await fetch(work, Utility, asked.utility)).id] if asked.utility else None
    number = col(Sample.report_number)
    statement = (
        select(number)
        .where(
            col(Sample.utility_id).in_(seen or work.actor.utility_ids),
            number.is_not(None),
            number > (asked.cursor or ""),
        )
        .group_by(number)
        .order_by(number)
        .limit(asked.limit + 1)
    )
    found = [one for one in await work.session.exec(statement) if one is not None]
    shown = found[: asked.limit]
    return Page(shown, shown[-1] if len(found) > len(shown) else None)


async def samples_of_reports(work: Work, numbers: list[str]) -> dict[str, list[Sample]]:
    """Return the samples each report tells of."""
    found: dict[str, list[Sample]] = {number: [] for number in numbers}
    rows = await work.session.exec(
        select(Sample)
        .where(
            col(Sample.utility_id).in_(work.actor.utility_ids),
            col(Sample.report_number).in_(numbers),
        )
        .order_by(col(Sample.sampled_on), Sample.id)
    )
    for sample in rows:
        found[sample.report_number or ""].append(sample)
    return found
