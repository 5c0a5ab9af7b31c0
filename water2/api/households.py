"""Households: list, enter, edit, move out. Contacts are masked; holders' names are not shown."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.contacts import ContactAnswer, contacts_of
from water2.api.shapes import Answer, Id, ListAnswer, ListQuery, page_answer
from water2.domain.household import Household
from water2.services.households import (
    AddHousehold,
    EditHousehold,
    MoveOut,
    add_household,
    edit_household,
    move_out,
)
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.work import Work

router = APIRouter(prefix="/households", tags=["register"], route_class=ActRoute)


class HouseholdAnswer(Answer):
    """A household account; its contacts are null in a list, and masked for a single one."""

    id: str
    facility_id: str
    building_id: str
    code: str
    unit: str | None
    room: str
    needs_care: bool
    moved_out_on: date | None
    version: int
    contacts: list[ContactAnswer] | None = None


class HouseholdQuery(ListQuery):
    """Narrows a list of households."""

    code: str | None = None
    facility_id: str | None = None
    building_id: str | None = None
    moved_out: bool | None = None


async def _shown(work: Work, household: Household) -> HouseholdAnswer:
    answer = HouseholdAnswer.model_validate(household)
    answer.contacts = await contacts_of(work, household.id)
    return answer


async def _answer(act: Act, household: Household, status: int = 200) -> Response:
    return act.answer(await _shown(act.work, household), status, household.version)


@router.get("", response_model=ListAnswer[HouseholdAnswer])
async def show_households(work: Reading, query: Annotated[HouseholdQuery, Given()]) -> Response:
    """List households by code; contacts are shown for a single one alone."""
    filters = {
        "code": query.code,
        "facility_id": query.facility_id,
        "building_id": query.building_id,
        "moved_out_on": query.moved_out,
    }
    return page_answer(HouseholdAnswer, await list_rows(work, Household, filters, query.page))


@router.post("", status_code=201, response_model=HouseholdAnswer)
async def create_household(act: Writing, command: AddHousehold) -> Response:
    """Enter a household of a building."""
    return await _answer(act, await add_household(act.work, command), 201)


@router.get("/{id}", response_model=HouseholdAnswer)
async def show_household(work: Reading, id_: Id, response: Response) -> HouseholdAnswer:
    """Show a household."""
    household = await fetch(work, Household, id_)
    response.headers["ETag"] = f'"{household.version}"'
    return await _shown(work, household)


@router.patch("/{id}", response_model=HouseholdAnswer)
async def change_household(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditHousehold
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return await _answer(act, await edit_household(act.work, id_, command, version))


@router.post("/{id}/move-out", response_model=HouseholdAnswer)
async def note_move(act: Writing, id_: Id, command: MoveOut) -> Response:
    """Note that a household moved."""
    return await _answer(act, await move_out(act.work, id_, command))
