"""Laboratories, their accreditations, and the places they may report on."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.laboratory import LabAccreditation, Laboratory
from water2.services.lab_reporters import list_reporting_places
from water2.services.laboratories import (
    RegisterAccreditation,
    RegisterLaboratory,
    accreditations_by_laboratory,
    register_accreditation,
    register_laboratory,
)
from water2.services.paging import Page
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.work import Work

router = APIRouter(tags=["water"], route_class=ActRoute)


class AccreditationAnswer(Answer):
    """An accreditation; both days are included. Without items its scope is not known."""

    id: str
    number: str
    valid_from: date
    valid_to: date | None
    items: list[str]
    recorded_at: Instant


class LaboratoryAnswer(Answer):
    """A laboratory the utility has its water tested by, the latest accreditation first."""

    id: str
    utility_id: str
    organisation_id: str | None
    name: str
    recorded_at: Instant
    accreditations: list[AccreditationAnswer] = Field(default_factory=list)


class ReportingTank(Answer):
    """A tank as its label names it."""

    id: str
    code: str


class ReportingPlaceAnswer(Answer):
    """A facility the caller may report on: what a sample's label says of it, and no more."""

    id: str
    utility_id: str
    code: str
    name: str
    tanks: list[ReportingTank]


class ReportingPlaceQuery(ListQuery):
    """Narrows the list of places."""

    code: str | None = None


async def _shown(work: Work, laboratories: list[Laboratory]) -> list[LaboratoryAnswer]:
    await work.session.flush()
    found = await accreditations_by_laboratory(work, laboratories)
    return [
        LaboratoryAnswer.model_validate(one).model_copy(
            update={"accreditations": [_accreditation(each) for each in found[one.id]]}
        )
        for one in laboratories
    ]


def _accreditation(row: LabAccreditation) -> AccreditationAnswer:
    return AccreditationAnswer.model_validate(row)


@router.get("/laboratories", response_model=ListAnswer[LaboratoryAnswer])
async def show_laboratories(work: Reading, query: Annotated[ListQuery, Given()]) -> Response:
    """List laboratories by name, with their accreditations."""
    page = await list_rows(work, Laboratory, {}, query.page)
    return page_answer(LaboratoryAnswer, Page(await _shown(work, page.items), page.next))


@router.post("/laboratories", status_code=201, response_model=LaboratoryAnswer)
async def add_laboratory(act: Writing, command: RegisterLaboratory) -> Response:
    """Enter a laboratory; with an organisation its people enter its reports themselves."""
    (shown,) = await _shown(act.work, [await register_laboratory(act.work, command)])
    return act.answer(shown, 201)


@router.get("/laboratories/{id}", response_model=LaboratoryAnswer)
async def show_laboratory(work: Reading, id_: Id) -> LaboratoryAnswer:
    """Show a laboratory with its accreditations."""
    work.require(Action.read)
    (shown,) = await _shown(work, [await fetch(work, Laboratory, id_)])
    return shown


@router.post(
    "/laboratories/{id}/accreditations", status_code=201, response_model=AccreditationAnswer
)
async def add_accreditation(act: Writing, id_: Id, command: RegisterAccreditation) -> Response:
    """Enter an accreditation; samples it changes anything for are judged anew."""
    return act.answer(_accreditation(await register_accreditation(act.work, id_, command)), 201)


@router.get("/reporting-places", response_model=ListAnswer[ReportingPlaceAnswer])
async def show_reporting_places(
    work: Reading, query: Annotated[ReportingPlaceQuery, Given()]
) -> Response:
    """List the facilities and tanks the caller may report on, by code."""
    page = await list_reporting_places(work, query.page, query.code)
    items = [
        ReportingPlaceAnswer(
            id=one.facility.id,
            utility_id=one.facility.utility_id,
            code=one.facility.code,
            name=one.facility.name,
            tanks=[ReportingTank.model_validate(tank) for tank in one.tanks],
        )
        for one in page.items
    ]
    return page_answer(ReportingPlaceAnswer, Page(items, page.next))
