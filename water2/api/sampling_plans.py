"""Sampling plans per facility and point (art. 17(4))."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Asked

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.sampling import SamplingPlan
from water2.domain.water import Point, Purpose
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.services.sampling_plans import (
    EndSamplingPlan,
    MakeSamplingPlan,
    end_sampling_plan,
    make_sampling_plan,
)

router = APIRouter(prefix="/sampling-plans", tags=["water"], route_class=ActRoute)


class SamplingPlanAnswer(Answer):
    """A plan: a target of the utility's own, beside the regular test of every facility.

    `item_set` names a set of the rulebook's; null where the plan has `parameters` of its own.
    """

    id: str
    facility_id: str
    point: Point
    purpose: Purpose
    months: int
    item_set: str | None
    parameters: list[str]
    from_on: date
    ended_on: date | None
    recorded_by: str
    recorded_at: Instant


class SamplingPlanQuery(ListQuery):
    """Narrows a list of plans; `ended` false leaves those that run."""

    facility_id: str | None = None
    point: Point | None = None
    purpose: Purpose | None = None
    ended: bool | None = None


@router.get("", response_model=ListAnswer[SamplingPlanAnswer])
async def show_plans(work: Reading, query: Annotated[SamplingPlanQuery, Asked()]) -> Response:
    """List sampling plans, the latest recorded first."""
    filters = query.model_dump(include={"facility_id", "point", "purpose"})
    filters["ended_on"] = query.ended
    page = await list_rows(work, SamplingPlan, filters, query.page, newest_by="recorded_at")
    return page_answer(SamplingPlanAnswer, page)


@router.post("", status_code=201, response_model=SamplingPlanAnswer)
async def add_plan(act: Writing, command: MakeSamplingPlan) -> Response:
    """Make a sampling plan; what it asks for is a duty of its own."""
    plan = await make_sampling_plan(act.work, command)
    return act.answer(SamplingPlanAnswer.model_validate(plan), 201)


@router.get("/{id}", response_model=SamplingPlanAnswer)
async def show_plan(work: Reading, id_: Id) -> SamplingPlanAnswer:
    """Show a sampling plan."""
    work.require(Action.read)
    return SamplingPlanAnswer.model_validate(await fetch(work, SamplingPlan, id_))


@router.post("/{id}/end", response_model=SamplingPlanAnswer)
async def end_plan(act: Writing, id_: Id, command: EndSamplingPlan) -> Response:
    """End a sampling plan; what it still owes is withdrawn."""
    plan = await end_sampling_plan(act.work, id_, command)
    return act.answer(SamplingPlanAnswer.model_validate(plan))
