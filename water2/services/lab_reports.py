"""Laboratory reports: one report may cover several samples of a visit; none is ever edited."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.command import Code, Command, Day, Name
from water2.domain.errors import Conflict, FieldProblem, Invalid
from water2.domain.facility import Facility
from water2.domain.laboratory import LabReport
from water2.domain.water import Point, Purpose, Sample, SampleVerdict
from water2.services.evidence_files import keep_paper, read_base64
from water2.services.instants import Instant
from water2.services.lab_report_entries import settle_report
from water2.services.lab_reporters import Reporter, reporter_of, require_own_sample
from water2.services.register import require_past
from water2.services.rows import fetch
from water2.services.sample_places import hold_sample
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, take_results, take_sample
from water2.work import Work

Results = Annotated[list[GivenResult], Field(min_length=1, max_length=200)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500)]
DESCRIBED_BY = ("facility_id", "point", "purpose", "sampled_at")
OF_THE_REPORT = ("accreditation_number", "accreditation_valid_to", "issued_on")


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
    """A report with the laboratory's accreditation (CMA).

    `laboratory` may be left out by a laboratory that enters its own. `scan` is the paper as PDF or
    photo, in base64.
    """

    number: Code
    laboratory: Name | None = None
    accreditation_number: Code | None = None
    accreditation_valid_to: Day | None = None
    client: Name | None = None
    test_kind: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    received_on: Day | None = None
    tested_on: Day | None = None
    issued_on: Day | None = None
    basis: Words | None = None
    conclusion: SampleVerdict | None = None
    tester: Person | None = None
    reviewer: Person | None = None
    issuer: Person | None = None
    scan: str | None = None
    samples: Annotated[list[ReportedSample], Field(min_length=1, max_length=100)]
    late_reason: Words | None = None


async def record_lab_report(work: Work, command: RecordLabReport) -> LabReport:
    """Record a report: new samples are entered, results of known ones added, each judged.

    The same report sent again is the one on record.

    Raises:
        Conflict: `lab_report_on_record`: the number is on record with other content;
            a sample on record belongs to another report.
        Invalid: a sample is neither on record nor fully described; a day lies ahead.
        NotFound: a place or a sample is not the actor's to report on.
    """
    require_described(command)
    reporter = await reporter_of(
        work,
        [one.facility_id for one in command.samples if one.facility_id],
        [one.sample_id for one in command.samples if one.sample_id],
        command.laboratory,
    )
    await hold_facilities(reporter, command)
    standing = await _on_record(reporter, command.number)
    if standing is not None and standing.content_sha256 == content_of(standing.laboratory, command):
        return standing
    if standing is not None:
        facts = {"id": standing.id, "number": standing.number, "version": standing.version}
        raise Conflict("lab_report_on_record", facts)
    told = content_of(reporter.name, command)
    report = await add_report(reporter, command, told, version=1)
    samples = [
        await take_reported(reporter, report, command, at) for at in range(len(command.samples))
    ]
    await settle_report(reporter, report, samples)
    return report


def require_described(command: RecordLabReport) -> None:
    """Refuse samples that are neither named by an id nor fully described.

    Raises:
        Invalid: names the first field each of them lacks.
    """
    lacking = []
    for at, given in enumerate(command.samples):
        missing = [field for field in DESCRIBED_BY if getattr(given, field) is None]
        if given.sample_id is None and missing:
            lacking.append(FieldProblem(f"samples.{at}.{missing[0]}", "missing"))
    if lacking:
        raise Invalid(lacking)


def content_of(laboratory: str, command: RecordLabReport) -> str:
    """Return the hash of a report as it was sent: the same report sent again has it too."""
    told = command.model_dump_json(exclude={"laboratory", "late_reason", "reason"})
    return hashlib.sha256(f"{laboratory}\n{told}".encode()).hexdigest()


async def hold_facilities(
    reporter: Reporter, command: RecordLabReport, more: Sequence[str] = ()
) -> None:
    """Lock all facilities the report tells of, before their samples and in the order of their ids.

    So does every act on a sample: none waits for another in a circle.
    """
    work = reporter.work
    ids = [one.sample_id for one in command.samples if one.sample_id]
    known = [await fetch(work, Sample, id_) for id_ in (*ids, *more)]
    told = {one.facility_id for one in command.samples if one.facility_id}
    for facility_id in sorted(told | {sample.facility_id for sample in known}):
        await fetch(work, Facility, facility_id, lock=True)


async def _on_record(reporter: Reporter, number: str) -> LabReport | None:
    """Return the last version of a laboratory's report of a number, where there is one.

    What it entered itself is known by its organisation, whatever name it bore then.
    """
    statement = (
        select(LabReport)
        .where(LabReport.utility_id == reporter.utility.id, LabReport.number == number)
        .order_by(col(LabReport.version).desc())
        .limit(1)
    )
    conditions = [col(LabReport.laboratory) == reporter.name]
    if reporter.organisation_id is not None:
        conditions.insert(0, col(LabReport.organisation_id) == reporter.organisation_id)
    for condition in conditions:
        found = (await reporter.work.session.exec(statement.where(condition))).first()
        if found is not None:
            return found
    return None


async def add_report(
    reporter: Reporter, command: RecordLabReport, told: str, *, version: int
) -> LabReport:
    """Add a version of a report; its samples come after it, for they refer to it.

    Raises:
        Invalid: a day of it lies ahead, or its scan is none.
    """
    work, utility = reporter.work, reporter.utility
    for field in ("received_on", "tested_on", "issued_on"):
        require_past(field, getattr(command, field), work.today(utility.timezone))
    scan = None
    if command.scan is not None:
        content = read_base64(command.scan, "scan")
        scan = await keep_paper(work, utility.id, content, "scan")
    known = command.model_dump(exclude={"laboratory", "samples", "scan", "late_reason", "reason"})
    report = LabReport(
        **known,
        utility_id=utility.id,
        organisation_id=reporter.organisation_id,
        laboratory_id=reporter.laboratory_id,
        laboratory=reporter.name,
        version=version,
        scan_sha256=scan,
        content_sha256=told,
        submitted_by=work.actor.user_id,
        submitted_at=work.now,
    )
    work.session.add(report)
    await work.session.flush()
    return report


async def take_reported(
    reporter: Reporter, report: LabReport, command: RecordLabReport, at: int
) -> Sample:
    """Enter one sample of a report, or add its results to the one on record.

    Raises:
        Invalid: names the row within the report.
    """
    given = command.samples[at]
    try:
        if given.sample_id is not None:
            return await _later_results(reporter, report, given)
        return await _new_sample(reporter, report, command, given)
    except Invalid as error:
        raise of_row(error, at) from None


def of_row(error: Invalid, at: int) -> Invalid:
    """Return the error with each field named as one of the report's sample at that place."""
    return Invalid([replace(one, field=f"samples.{at}.{one.field}") for one in error.problems])


async def _later_results(reporter: Reporter, report: LabReport, given: ReportedSample) -> Sample:
    place, sample = await hold_sample(reporter.work, given.sample_id or "")
    await require_own_sample(reporter, sample)
    if sample.report_number not in (None, report.number) or sample.lab_report_id is not None:
        raise Conflict("recorded_elsewhere", {"report_number": sample.report_number})
    bear_report(sample, report)
    return await take_results(reporter.work, place, sample, given.results)


def bear_report(sample: Sample, report: LabReport) -> None:
    """Let a sample name a report as the one it was tested by."""
    sample.lab_report_id, sample.report_number = report.id, report.number
    sample.laboratory = report.laboratory
    for field in OF_THE_REPORT:
        setattr(sample, field, getattr(report, field))


async def _new_sample(
    reporter: Reporter, report: LabReport, command: RecordLabReport, given: ReportedSample
) -> Sample:
    told = given.model_dump(exclude={"sample_id", "results"})
    entered = RecordSample(
        **told,
        **{field: getattr(report, field) for field in OF_THE_REPORT},
        laboratory=report.laboratory,
        late_reason=command.late_reason,
        report_number=report.number,
        results=list(given.results),
    )
    return await take_sample(reporter.work, entered, report.id)
