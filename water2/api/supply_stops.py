"""Stops of supply that somebody found: without a valid outage, violations of art. 17(3)."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.outage import StopSource, StopState, SupplyStop
from water2.services.outages.supply_stops import (
    CloseStop,
    ExplainStop,
    ReportStop,
    close_stop,
    explain_stop,
    report_stop,
)
from water2.services.register_queries import list_rows
from water2.services.rows import fetch

router = APIRouter(prefix="/supply-stops", tags=["outages"], route_class=ActRoute)


class SupplyStopAnswer(Answer):
    """A stop; `covered` by an outage in right, else a violation until explained and closed."""

    id: str
    facility_id: str
    building_ids: list[str]
    source: StopSource
    state: StopState
    began_at: Instant
    ended_at: Instant | None
    found_at: Instant
    note: str | None
    outage_id: str | None
    explanation: str | None
    explained_at: Instant | None
    explained_by: str | None
    closing_note: str | None
    closed_at: Instant | None
    closed_by: str | None
    version: int


class SupplyStopQuery(ListQuery):
    """Narrows a list of stops."""

    facility_id: Annotated[str, Field(max_length=60)] | None = None
    state: StopState | None = None


def _answer(act: Act, stop: SupplyStop, status: int = 200) -> Response:
    return act.answer(SupplyStopAnswer.model_validate(stop), status, stop.version)


@router.get("", response_model=ListAnswer[SupplyStopAnswer])
async def show_stops(work: Reading, query: Annotated[SupplyStopQuery, Given()]) -> Response:
    """List stops, the last found first."""
    filters = {"facility_id": query.facility_id, "state": query.state}
    page = await list_rows(work, SupplyStop, filters, query.page, newest_by="found_at")
    return page_answer(SupplyStopAnswer, page)


@router.post("", status_code=201, response_model=SupplyStopAnswer)
async def add_stop(act: Writing, command: ReportStop) -> Response:
    """Record that the water is or was off; never refused for want of an outage."""
    return _answer(act, await report_stop(act.work, command), 201)


@router.get("/{id}", response_model=SupplyStopAnswer)
async def show_stop(work: Reading, id_: Id) -> SupplyStopAnswer:
    """Show a stop."""
    work.require(Action.read)
    return SupplyStopAnswer.model_validate(await fetch(work, SupplyStop, id_))


@router.post("/{id}/explain", response_model=SupplyStopAnswer)
async def explain(act: Writing, id_: Id, command: ExplainStop) -> Response:
    """Explain a violation; it stays on record."""
    return _answer(act, await explain_stop(act.work, id_, command))


@router.post("/{id}/close", response_model=SupplyStopAnswer)
async def close(act: Writing, id_: Id, command: CloseStop) -> Response:
    """Close an explained violation with what was made of it."""
    return _answer(act, await close_stop(act.work, id_, command))
