"""Duties, and the law they follow from."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Query as Given
from fastapi.responses import JSONResponse
from pydantic import Field

from water2.api.callers import Reading
from water2.api.shapes import Answer, ListAnswer, ListQuery, SubjectAnswer
from water2.domain.command import Day
from water2.domain.duty import DutyState
from water2.services.duty_chain import list_seen_duties
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.register import chosen_utility

router = APIRouter(tags=["duties"])


class DutyAnswer(Answer):
    """What a provision demands of a subject by a day; the state is derived when read."""

    id: str
    obligation: str
    article: str
    subject: SubjectAnswer
    facility_id: str | None
    facility_code: str | None
    ordinal: int
    due_on: date
    state: DutyState
    days_overdue: int
    satisfied_on: date | None
    satisfied_by: str | None
    ended_on: date | None
    end_reason: str | None
    missed_halves: list[str]
    missed_periods: list[str]


class DutyQuery(ListQuery):
    """Narrows a list of duties."""

    obligation: str | None = None
    facility: str | None = Field(None, description="id or code")
    facility_id: str | None = Field(None, description="the same as `facility`")
    subject: str | None = Field(
        None,
        description="id of what it is demanded of",
    )
    state: DutyState | None = None
    due_before: Day | None = Field(None, description="excluded itself")


@router.get("/duties", response_model=ListAnswer[DutyAnswer])
async def show_duties(work: Reading, query: Annotated[DutyQuery, Given()]) -> Response:
    """List duties by due day, with their state today in the utility's zone.

    Of several utilities and none named, one utility's follow the other's.
    """
    filters = DutyFilters(
        obligation=query.obligation,
        facility=query.facility or query.facility_id,
        subject=query.subject,
        state=query.state,
        due_before=query.due_before,
        limit=query.limit,
        cursor=query.cursor,
    )
    if query.of_utility:
        page = await list_duties(work, await chosen_utility(work, query.of_utility), filters)
    else:
        page = await list_seen_duties(work, filters)
    shown: dict[str, Any] = {"items": page.items, "next": page.next}
    return JSONResponse(shown)
