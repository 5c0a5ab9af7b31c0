"""People: list, enter, edit, leave."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.contacts import ContactAnswer, contacts_of
from water2.api.shapes import Answer, Id, ListAnswer, ListQuery, page_answer
from water2.domain.staff import Staff
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.services.staff import AddStaff, EditStaff, LeaveStaff, add_staff, edit_staff, leave
from water2.work import Work

router = APIRouter(prefix="/staff", tags=["register"], route_class=ActRoute)


class StaffAnswer(Answer):
    """A person of the utility or of a contractor."""

    id: str
    utility_id: str
    code: str
    name: str
    employer: str
    post: str | None
    handles_water: bool
    since_on: date
    left_on: date | None
    version: int
    contacts: list[ContactAnswer] = Field(default_factory=list)


class StaffQuery(ListQuery):
    """Narrows a list of people."""

    code: str | None = None
    employer: str | None = None
    handles_water: bool | None = None
    left: bool | None = None


async def _shown(work: Work, person: Staff) -> StaffAnswer:
    answer = StaffAnswer.model_validate(person)
    answer.contacts = await contacts_of(work, person.id)
    return answer


async def _answer(act: Act, person: Staff, status: int = 200) -> Response:
    return act.answer(await _shown(act.work, person), status, person.version)


@router.get("", response_model=ListAnswer[StaffAnswer])
async def show_staff(work: Reading, query: Annotated[StaffQuery, Given()]) -> Response:
    """List people by 工号; contacts are shown for a single one alone."""
    filters = {
        "code": query.code,
        "employer": query.employer,
        "handles_water": query.handles_water,
        "left_on": query.left,
    }
    return page_answer(StaffAnswer, await list_rows(work, Staff, filters, query.page))


@router.post("", status_code=201, response_model=StaffAnswer)
async def create_person(act: Writing, command: AddStaff) -> Response:
    """Enter a person; who handles water owes training and health check at once (art. 17(2))."""
    return await _answer(act, await add_staff(act.work, command), 201)


@router.get("/{id}", response_model=StaffAnswer)
async def show_person(work: Reading, id_: Id, response: Response) -> StaffAnswer:
    """Show a person."""
    person = await fetch(work, Staff, id_)
    response.headers["ETag"] = f'"{person.version}"'
    return await _shown(work, person)


@router.patch("/{id}", response_model=StaffAnswer)
async def change_person(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditStaff
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return await _answer(act, await edit_staff(act.work, id_, command, version))


@router.post("/{id}/leave", response_model=StaffAnswer)
async def note_leaving(act: Writing, id_: Id, command: LeaveStaff) -> Response:
    """Note a person's last day: duties end, work planned after it loses the person."""
    return await _answer(act, await leave(act.work, id_, command))
