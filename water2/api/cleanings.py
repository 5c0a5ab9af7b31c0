"""Cleanings and inspections that happened."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.cleaning import Cleaning, Inspection
from water2.services.credit import ReturnToService, return_to_service
from water2.services.inspections import RecordInspection, record_inspection
from water2.services.paging import Page
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.services.work_queries import violations_shown
from water2.work import Work

router = APIRouter(tags=["work orders"], route_class=ActRoute)


class CleaningAnswer(Answer):
    """A cleaning; `credited_on` is filled when its own sample passed.

    A violation names the person by id and 工号 (`code`).
    """

    id: str
    facility_id: str
    tank_id: str | None
    code: str | None
    work_order_id: str | None
    cleaned_on: date
    record: dict[str, Any]
    sampled_on: date | None
    report_number: str | None
    credited_on: date | None
    recorded_at: Instant
    late_reason: str | None
    violations: list[dict[str, Any]]
    flags: list[str]
    returned_to_service_at: Instant | None


class CleaningQuery(ListQuery):
    """Narrows a list of cleanings."""

    facility_id: str | None = None
    tank_id: str | None = None
    work_order_id: str | None = None
    code: str | None = None


class InspectionAnswer(Answer):
    """A tank's inspection."""

    id: str
    facility_id: str
    tank_id: str
    code: str
    inspected_on: date | None
    record: dict[str, Any]
    recorded_at: Instant
    flags: list[str]


class InspectionQuery(ListQuery):
    """Narrows a list of inspections."""

    facility_id: str | None = None
    tank_id: str | None = None


async def _shown(work: Work, cleanings: list[Cleaning]) -> list[CleaningAnswer]:
    violations = await violations_shown(work, cleanings)
    return [
        CleaningAnswer.model_validate(one).model_copy(update={"violations": violations[one.id]})
        for one in cleanings
    ]


@router.get("/cleanings", response_model=ListAnswer[CleaningAnswer])
async def show_cleanings(work: Reading, query: Annotated[CleaningQuery, Given()]) -> Response:
    """List cleanings, the latest recorded first."""
    filters = query.model_dump(include={"facility_id", "tank_id", "work_order_id", "code"})
    page = await list_rows(work, Cleaning, filters, query.page, newest_by="recorded_at")
    return page_answer(CleaningAnswer, Page(await _shown(work, page.items), page.next))


@router.get("/cleanings/{id}", response_model=CleaningAnswer)
async def show_cleaning(work: Reading, id_: Id) -> CleaningAnswer:
    """Show a cleaning."""
    work.require(Action.read)
    (shown,) = await _shown(work, [await fetch(work, Cleaning, id_)])
    return shown


@router.post("/cleanings/{id}/return-to-service", response_model=CleaningAnswer)
async def let_supply(act: Writing, id_: Id, command: ReturnToService) -> Response:
    """Let a cleaned tank supply again: its sample taken, the field set passed."""
    cleaning = await return_to_service(act.work, id_, command)
    (shown,) = await _shown(act.work, [cleaning])
    return act.answer(shown)


@router.get("/inspections", response_model=ListAnswer[InspectionAnswer])
async def show_inspections(work: Reading, query: Annotated[InspectionQuery, Given()]) -> Response:
    """List inspections, the latest recorded first."""
    filters = query.model_dump(include={"facility_id", "tank_id"})
    page = await list_rows(work, Inspection, filters, query.page, newest_by="recorded_at")
    return page_answer(InspectionAnswer, page)


@router.post("/inspections", status_code=201, response_model=InspectionAnswer)
async def add_inspection(act: Writing, command: RecordInspection) -> Response:
    """Record a tank's inspection, where the place demands them."""
    inspection = await record_inspection(act.work, command)
    return act.answer(InspectionAnswer.model_validate(inspection), 201)
