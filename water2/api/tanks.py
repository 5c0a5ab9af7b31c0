"""Tanks: list, enter, edit, end."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.shapes import Amount, Answer, Id, ListAnswer, ListQuery, page_answer
from water2.domain.facility import Tank
from water2.services.endings import EndOfLife, end_tank
from water2.services.register_queries import facility_by, list_rows
from water2.services.rows import fetch
from water2.services.tanks import AddTank, EditTank, add_tank, edit_tank

router = APIRouter(tags=["register"], route_class=ActRoute)


class TankAnswer(Answer):
    """A storage tank."""

    id: str
    facility_id: str
    code: str
    material: str | None
    volume_m3: Amount | None
    isolable: bool
    in_use_on: date | None
    out_of_use_on: date | None
    merged_into_id: str | None
    version: int


class TankQuery(ListQuery):
    """Narrows a list of tanks."""

    code: str | None = None
    out_of_use: bool | None = None


def _shown(act: Act, tank: Tank, status: int = 200) -> Response:
    return act.answer(TankAnswer.model_validate(tank), status, tank.version)


@router.get("/facilities/{id}/tanks", response_model=ListAnswer[TankAnswer])
async def show_tanks(work: Reading, id_: Id, query: Annotated[TankQuery, Given()]) -> Response:
    """List a facility's tanks by code."""
    facility = await facility_by(work, id_)
    filters = {
        "facility_id": facility.id,
        "code": query.code,
        "out_of_use_on": query.out_of_use,
    }
    return page_answer(TankAnswer, await list_rows(work, Tank, filters, query.page))


@router.post("/facilities/{id}/tanks", status_code=201, response_model=TankAnswer)
async def create_tank(act: Writing, id_: Id, command: AddTank) -> Response:
    """Enter a tank of a facility."""
    return _shown(act, await add_tank(act.work, id_, command), 201)


@router.get("/tanks/{id}", response_model=TankAnswer)
async def show_tank(work: Reading, id_: Id, response: Response) -> TankAnswer:
    """Show a tank."""
    tank = await fetch(work, Tank, id_)
    response.headers["ETag"] = f'"{tank.version}"'
    return TankAnswer.model_validate(tank)


@router.patch("/tanks/{id}", response_model=TankAnswer)
async def change_tank(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditTank
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return _shown(act, await edit_tank(act.work, id_, command, version))


@router.post("/tanks/{id}/end", response_model=TankAnswer)
async def end_tank_use(act: Writing, id_: Id, command: EndOfLife) -> Response:
    """Take a tank out of use, or merge it into another: its duties end."""
    return _shown(act, await end_tank(act.work, id_, command))
