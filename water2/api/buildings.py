"""Buildings and zones of a facility."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, ListAnswer, ListQuery, page_answer
from water2.domain.facility import Building, Zone
from water2.services.buildings import (
    AddBuilding,
    AddZone,
    EditBuilding,
    add_building,
    add_zone,
    edit_building,
)
from water2.services.register_queries import facility_by, list_rows
from water2.services.rows import fetch

router = APIRouter(tags=["register"], route_class=ActRoute)


class BuildingAnswer(Answer):
    """A building served by a facility."""

    id: str
    facility_id: str
    code: str
    name: str | None
    units: int | None
    floors: int | None
    zones: list[str]
    version: int


class ZoneAnswer(Answer):
    """A pressure zone of a facility."""

    id: str
    facility_id: str
    name: str


class BuildingQuery(ListQuery):
    """Narrows a list of buildings."""

    code: str | None = None


def _shown(act: Act, building: Building, status: int = 200) -> Response:
    return act.answer(BuildingAnswer.model_validate(building), status, building.version)


@router.get("/facilities/{id}/buildings", response_model=ListAnswer[BuildingAnswer])
async def show_buildings(
    work: Reading, id_: Id, query: Annotated[BuildingQuery, Given()]
) -> Response:
    """List the buildings a facility serves by code."""
    facility = await facility_by(work, id_)
    filters = {"facility_id": facility.id, "code": query.code}
    return page_answer(BuildingAnswer, await list_rows(work, Building, filters, query.page))


@router.post("/facilities/{id}/buildings", status_code=201, response_model=BuildingAnswer)
async def create_building(act: Writing, id_: Id, command: AddBuilding) -> Response:
    """Enter a building served by a facility."""
    return _shown(act, await add_building(act.work, id_, command), 201)


@router.get("/buildings/{id}", response_model=BuildingAnswer)
async def show_building(work: Reading, id_: Id, response: Response) -> BuildingAnswer:
    """Show a building."""
    building = await fetch(work, Building, id_)
    response.headers["ETag"] = f'"{building.version}"'
    return BuildingAnswer.model_validate(building)


@router.patch("/buildings/{id}", response_model=BuildingAnswer)
async def change_building(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditBuilding
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return _shown(act, await edit_building(act.work, id_, command, version))


@router.get("/facilities/{id}/zones", response_model=ListAnswer[ZoneAnswer])
async def show_zones(work: Reading, id_: Id, query: Annotated[ListQuery, Given()]) -> Response:
    """List a facility's pressure zones by name."""
    facility = await facility_by(work, id_)
    page = await list_rows(work, Zone, {"facility_id": facility.id}, query.page)
    return page_answer(ZoneAnswer, page)


@router.post("/facilities/{id}/zones", status_code=201, response_model=ZoneAnswer)
async def create_zone(act: Writing, id_: Id, command: AddZone) -> Response:
    """Enter a pressure zone of a facility."""
    zone = await add_zone(act.work, id_, command)
    return act.answer(ZoneAnswer.model_validate(zone), 201)
