"""Laboratory reports with their samples: entered, replaced by new versions, never edited."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.lab_report_scan import SCAN_BODY, UploadedScan
from water2.api.samples import ResultAnswer, SampleAnswer, shown_samples
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.laboratory import LabReport
from water2.domain.water import SampleVerdict
from water2.services.lab_report_queries import (
    ShownReport,
    list_lab_reports,
    report_seen,
    samples_of_report,
    versions_of,
)
from water2.services.lab_report_scans import attach_scan, open_scan
from water2.services.lab_report_versions import ReplaceLabReport, replace_lab_report
from water2.services.lab_reports import RecordLabReport, record_lab_report
from water2.services.paging import Page
from water2.work import Work

router = APIRouter(prefix="/lab-reports", tags=["water"], route_class=ActRoute)


class ToldSample(Answer):
    """What a version told of a sample, as it was judged when the version came."""

    sample_id: str
    verdict: SampleVerdict
    results: list[ResultAnswer]


class VersionAnswer(Answer):
    """One version of a report; `reason` is why it replaced the one before."""

    id: str
    version: int
    submitted_at: Instant
    reason: str | None


class LabReportAnswer(Answer):
    """A report and the samples it covers now.

    A replaced version covers none: what it `told` stays. `id` is null where samples bear a number
    nobody entered a report of. `scan_sha256` names the scan at `/lab-reports/{id}/scan`.
    """

    id: str | None = None
    number: str
    version: int | None = None
    replaces_id: str | None = None
    reason: str | None = None
    laboratory: str | None
    laboratory_id: str | None = None
    organisation_id: str | None = None
    accreditation_number: str | None = None
    accreditation_valid_to: date | None = None
    client: str | None = None
    test_kind: str | None = None
    received_on: date | None = None
    tested_on: date | None = None
    issued_on: date | None = None
    basis: str | None = None
    conclusion: SampleVerdict | None = None
    tester: str | None = None
    reviewer: str | None = None
    issuer: str | None = None
    scan_sha256: str | None = None
    submitted_by: str | None = None
    submitted_at: Instant | None = None
    flags: list[str] = Field(default_factory=list)
    samples: list[SampleAnswer] = Field(default_factory=list)
    told: list[ToldSample] = Field(default_factory=list)
    versions: list[VersionAnswer] = Field(default_factory=list)


_COLUMNS = set(LabReport.model_fields) & set(LabReportAnswer.model_fields)


class LabReportQuery(ListQuery):
    """Narrows a list of reports."""

    number: str | None = None


async def _shown(work: Work, shown: ShownReport) -> LabReportAnswer:
    samples = await shown_samples(work, shown.samples)
    if shown.report is None:
        laboratory = next((one.laboratory for one in shown.samples if one.laboratory), None)
        return LabReportAnswer(number=shown.number, laboratory=laboratory, samples=samples)
    versions = [VersionAnswer.model_validate(one) for one in await versions_of(work, shown.report)]
    report = {name: getattr(shown.report, name) for name in _COLUMNS}
    return LabReportAnswer(**report, samples=samples, versions=versions)


async def _whole(work: Work, report: LabReport) -> LabReportAnswer:
    samples = await samples_of_report(work, report)
    return await _shown(work, ShownReport(report.number, report, samples))


async def _answer(act: Act, report: LabReport) -> Response:
    return act.answer(await _whole(act.work, report), 201)


@router.get("", response_model=ListAnswer[LabReportAnswer])
async def show_lab_reports(work: Reading, query: Annotated[LabReportQuery, Given()]) -> Response:
    """List the reports that stand by number; a laboratory is shown its own."""
    page = await list_lab_reports(work, query.page, query.number)
    items = [await _shown(work, shown) for shown in page.items]
    return page_answer(LabReportAnswer, Page(items, page.next))


@router.post("", status_code=201, response_model=LabReportAnswer)
async def add_lab_report(act: Writing, command: RecordLabReport) -> Response:
    """Record a report; it may tell of new samples and of samples on record.

    The same report sent again is answered as it stands; another one under its number is refused.
    """
    return await _answer(act, await record_lab_report(act.work, command))


@router.get("/{id}", response_model=LabReportAnswer)
async def show_lab_report(work: Reading, id_: Id) -> LabReportAnswer:
    """Show one version of a report, also one that was replaced."""
    return await _whole(work, await report_seen(work, id_))


@router.post("/{id}/versions", status_code=201, response_model=LabReportAnswer)
async def add_version(act: Writing, id_: Id, command: ReplaceLabReport) -> Response:
    """Replace a report by a new version; its samples are judged anew by the new results."""
    return await _answer(act, await replace_lab_report(act.work, id_, command))


@router.post("/{id}/scan", status_code=201, response_model=LabReportAnswer, openapi_extra=SCAN_BODY)
async def add_scan(content: UploadedScan, act: Writing, id_: Id) -> Response:
    """Keep the scan of a version that came without: a form with it as a file of up to 10 MiB."""
    return await _answer(act, await attach_scan(act.work, id_, content))


@router.get("/{id}/scan", response_class=Response)
async def show_scan(work: Reading, id_: Id) -> Response:
    """Give the scan of a report to whoever sees the report."""
    content, media_type = await open_scan(work, id_)
    return Response(content, media_type=media_type)
