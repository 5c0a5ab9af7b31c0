"""Facilities: list, enter, edit, put into service, end."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.contacts import ContactAnswer, contacts_of
from water2.api.shapes import Amount, Answer, Id, ListAnswer, ListQuery, page_answer
from water2.domain.facility import Disinfectant, Facility, FacilityKind, SupplyMode
from water2.rules.flags import FlagCode
from water2.services.commissioning import PutIntoService, put_into_service
from water2.services.endings import EndOfLife, end_facility
from water2.services.facilities import (
    EditFacility,
    RegisterFacility,
    edit_facility,
    register_facility,
)
from water2.services.facility_flags import flags_of
from water2.services.paging import Page
from water2.services.register_queries import facility_by, list_rows
from water2.work import Work

router = APIRouter(prefix="/facilities", tags=["register"], route_class=ActRoute)
TODAY = PutIntoService()


class FacilityAnswer(Answer):
    """A facility; `scope_clause` is the clause by which it is in scope or outside.

    `flags`: what to look at, like `not_handed_over`, `no_manager`, `no_contact`, `no_meter`.
    """

    id: str
    utility_id: str
    ledger_id: str
    code: str
    name: str
    kind: FacilityKind
    district: str | None
    address: str | None
    supply_mode: SupplyMode | None
    tankless: bool
    pressure_zones: int | None
    inside_area: bool
    disinfectant: Disinfectant
    accepted_on: date | None
    handed_over_on: date | None
    in_service_on: date | None
    out_of_use_on: date | None
    merged_into_id: str | None
    manager_name: str | None
    manager_staff_id: str | None
    longitude: Amount | None
    latitude: Amount | None
    electricity_meter: str | None
    in_scope: bool
    scope_clause: str
    version: int
    flags: list[FlagCode] = Field(default_factory=list)
    contacts: list[ContactAnswer] = Field(default_factory=list)


class FacilityQuery(ListQuery):
    """Narrows a list of facilities."""

    code: str | None = None
    kind: FacilityKind | None = None
    in_scope: bool | None = None
    out_of_use: bool | None = None


async def _shown(work: Work, facility: Facility) -> FacilityAnswer:
    """Show one facility with its contacts and flags."""
    answer = FacilityAnswer.model_validate(facility)
    answer.flags = (await flags_of(work, [facility]))[facility.id]
    answer.contacts = await contacts_of(work, facility.id)
    return answer


async def _answer(act: Act, facility: Facility, status: int = 200) -> Response:
    return act.answer(await _shown(act.work, facility), status, facility.version)


@router.get("", response_model=ListAnswer[FacilityAnswer])
async def show_facilities(work: Reading, query: Annotated[FacilityQuery, Given()]) -> Response:
    """List facilities by code; contacts are shown for a single one alone."""
    filters = {
        "code": query.code,
        "kind": query.kind,
        "in_scope": query.in_scope,
        "out_of_use_on": query.out_of_use,
    }
    page = await list_rows(work, Facility, filters, query.page)
    flags = await flags_of(work, page.items)
    shown = [
        FacilityAnswer.model_validate(one).model_copy(update={"flags": flags[one.id]})
        for one in page.items
    ]
    return page_answer(FacilityAnswer, Page(shown, page.next))


@router.post("", status_code=201, response_model=FacilityAnswer)
async def add_facility(act: Writing, command: RegisterFacility) -> Response:
    """Enter a facility, with its past where it has one."""
    return await _answer(act, await register_facility(act.work, command), 201)


@router.get("/{id}", response_model=FacilityAnswer)
async def show_facility(work: Reading, id_: Id, response: Response) -> FacilityAnswer:
    """Show a facility by its id or its code."""
    facility = await facility_by(work, id_)
    response.headers["ETag"] = f'"{facility.version}"'
    return await _shown(work, facility)


@router.patch("/{id}", response_model=FacilityAnswer)
async def change_facility(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditFacility
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return await _answer(act, await edit_facility(act.work, id_, command, version))


@router.post("/{id}/put-into-service", response_model=FacilityAnswer)
async def begin_service(act: Writing, id_: Id, command: PutIntoService = TODAY) -> Response:
    """Set the first day in use, without a body today; refused before arts. 9 and 10 are met."""
    return await _answer(act, await put_into_service(act.work, id_, command))


@router.post("/{id}/end", response_model=FacilityAnswer)
async def end_service(act: Writing, id_: Id, command: EndOfLife) -> Response:
    """Take a facility out of use, or merge it into another: its duties end."""
    return await _answer(act, await end_facility(act.work, id_, command))
