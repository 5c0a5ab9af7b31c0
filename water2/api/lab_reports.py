"""Laboratory reports with their samples."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.samples import SampleAnswer, shown_samples
from water2.api.shapes import Answer, ListAnswer, ListQuery, page_answer
from water2.domain.water import Sample
from water2.services.lab_reports import (
    RecordLabReport,
    list_report_numbers,
    record_lab_report,
    samples_of_reports,
)
from water2.services.paging import Page
from water2.work import Work

router = APIRouter(prefix="/lab-reports", tags=["water"], route_class=ActRoute)


class LabReportAnswer(Answer):
    """A report and the samples it covers."""

    number: str
    laboratory: str | None
    samples: list[SampleAnswer]


class LabReportQuery(ListQuery):
    """Narrows a list of reports."""

    number: str | None = None


async def _shown(work: Work, number: str, samples: list[Sample]) -> LabReportAnswer:
    laboratory = next((one.laboratory for one in samples if one.laboratory), None)
    shown = await shown_samples(work, samples)
    return LabReportAnswer(number=number, laboratory=laboratory, samples=shown)


@router.get("", response_model=ListAnswer[LabReportAnswer])
async def show_lab_reports(work: Reading, query: Annotated[LabReportQuery, Given()]) -> Response:
    """List reports by number."""
    one = [query.number] if query.number else None
    page = Page(one, None) if one else await list_report_numbers(work, query.page)
    found = await samples_of_reports(work, page.items)
    items = [await _shown(work, number, samples) for number, samples in found.items() if samples]
    return page_answer(LabReportAnswer, Page(items, page.next))


@router.post("", status_code=201, response_model=LabReportAnswer)
async def add_lab_report(act: Writing, command: RecordLabReport) -> Response:
    """Record a report; it may tell of new samples and of samples on record."""
    samples = await record_lab_report(act.work, command)
    return act.answer(await _shown(act.work, command.number, samples), 201)
