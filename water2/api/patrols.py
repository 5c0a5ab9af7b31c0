"""Patrol rounds."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.patrol import Patrol, PatrolKind
from water2.services.patrols import RecordPatrol, record_patrol
from water2.services.register_queries import list_rows
from water2.services.rows import fetch

router = APIRouter(prefix="/patrols", tags=["patrols"], route_class=ActRoute)


class PatrolAnswer(Answer):
    """A round that was made; `patrolled_by` is the id of the person."""

    id: str
    facility_id: str
    kind: PatrolKind
    patrolled_at: Instant
    patrolled_on: date
    patrolled_by: str | None
    record: dict[str, Any]
    abnormal: list[str]
    recorded_at: Instant
    late_reason: str | None
    flags: list[str]


class PatrolQuery(ListQuery):
    """Narrows a list of rounds."""

    facility_id: str | None = None
    kind: PatrolKind | None = None


@router.get("", response_model=ListAnswer[PatrolAnswer])
async def show_patrols(work: Reading, query: Annotated[PatrolQuery, Given()]) -> Response:
    """List rounds, the latest first."""
    filters = query.model_dump(include={"facility_id", "kind"})
    page = await list_rows(work, Patrol, filters, query.page, newest_by="patrolled_at")
    return page_answer(PatrolAnswer, page)


@router.post("", status_code=201, response_model=PatrolAnswer)
async def add_patrol(act: Writing, command: RecordPatrol) -> Response:
    """Record a round that was made (art. 17(3))."""
    return act.answer(PatrolAnswer.model_validate(await record_patrol(act.work, command)), 201)


@router.get("/{id}", response_model=PatrolAnswer)
async def show_patrol(work: Reading, id_: Id) -> PatrolAnswer:
    """Show a round."""
    work.require(Action.read)
    return PatrolAnswer.model_validate(await fetch(work, Patrol, id_))
