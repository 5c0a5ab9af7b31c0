"""Water samples with their results, judged item by item."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.water import Point, Purpose, Sample, SampleVerdict
from water2.services.anomalies.from_samples import anomalies_of_samples
from water2.services.paging import Page
from water2.services.sample_corrections import CorrectResult, correct_result
from water2.services.sample_queries import list_samples, sample_seen
from water2.services.samples import AddResults, RecordSample, add_results, record_sample
from water2.services.work_queries import results_by_sample
from water2.work import Work

router = APIRouter(tags=["water"], route_class=ActRoute)


class ResultAnswer(Answer):
    """One item: the raw text, the decimal it was read as, the limit it was judged by.

    `detection_limit`: below it the laboratory could not see. `printed_limit`: what its report says
    the limit is. An item flagged `item_not_accredited` does not help to credit a cleaning.
    """

    parameter: str
    raw: str
    value: str | None
    censored: str | None
    unit: str | None
    detection_limit: str | None = None
    method: str | None = None
    limit: str | None
    printed_limit: str | None = None
    verdict: str
    flags: list[str] = Field(default_factory=list)


class SampleAnswer(Answer):
    """A sample; `counts` false: its laboratory was not accredited that day, it serves no duty."""

    id: str
    facility_id: str
    tank_id: str | None
    cleaning_id: str | None
    point: Point
    purpose: Purpose
    sampled_at: Instant | None
    sampled_on: date
    sampled_by: str | None
    report_number: str | None
    lab_report_id: str | None = None
    laboratory: str | None
    accreditation_number: str | None
    accreditation_valid_to: date | None
    issued_on: date | None
    conclusion: SampleVerdict | None
    verdict: SampleVerdict
    counts: bool
    recorded_at: Instant
    late_reason: str | None
    flags: list[str]
    anomaly_id: str | None = None
    results: list[ResultAnswer] = Field(default_factory=list)


class SampleQuery(ListQuery):
    """Narrows a list of samples."""

    facility_id: str | None = None
    tank_id: str | None = None
    purpose: Purpose | None = None
    verdict: SampleVerdict | None = None
    report_number: str | None = None


async def shown_samples(work: Work, samples: list[Sample]) -> list[SampleAnswer]:
    """Show samples with their results."""
    await work.session.flush()
    ids = [sample.id for sample in samples]
    results, anomalies = await results_by_sample(work, ids), await anomalies_of_samples(work, ids)
    return [
        SampleAnswer.model_validate(sample).model_copy(
            update={
                "results": [ResultAnswer.model_validate(one) for one in results[sample.id]],
                "anomaly_id": anomalies.get(sample.id),
            }
        )
        for sample in samples
    ]


async def _answer(act: Act, sample: Sample, status: int = 200) -> Response:
    (shown,) = await shown_samples(act.work, [sample])
    return act.answer(shown, status)


@router.get("/samples", response_model=ListAnswer[SampleAnswer])
async def show_samples(work: Reading, query: Annotated[SampleQuery, Given()]) -> Response:
    """List samples, the latest recorded first."""
    narrowing = {"facility_id", "tank_id", "purpose", "verdict", "report_number"}
    filters = query.model_dump(include=narrowing)
    page = await list_samples(work, filters, query.page)
    return page_answer(SampleAnswer, Page(await shown_samples(work, page.items), page.next))


@router.post("/samples", status_code=201, response_model=SampleAnswer)
async def add_sample(act: Writing, command: RecordSample) -> Response:
    """Record a sample; each result is judged by the limits in force on its day."""
    return await _answer(act, await record_sample(act.work, command), 201)


@router.get("/samples/{id}", response_model=SampleAnswer)
async def show_sample(work: Reading, id_: Id) -> SampleAnswer:
    """Show a sample."""
    (shown,) = await shown_samples(work, [await sample_seen(work, id_)])
    return shown


@router.post("/samples/{id}/results", response_model=SampleAnswer)
async def add_later_results(act: Writing, id_: Id, command: AddResults) -> Response:
    """Add what the laboratory sent later; the sample is judged anew."""
    return await _answer(act, await add_results(act.work, id_, command))


@router.post("/samples/{id}/corrections", response_model=SampleAnswer)
async def correct(act: Writing, id_: Id, command: CorrectResult) -> Response:
    """Correct an item that was entered wrongly; both values and the reason stay in the ledger."""
    return await _answer(act, await correct_result(act.work, id_, command))
