"""The utility's emergency plan, its drills, and the open list of what they found (art. 18)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi import Query as Asked
from pydantic import Field

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.emergency_plan_form import PLAN_BODY, Given
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.emergency import DrillFinding, EmergencyDrill, EmergencyPlan
from water2.domain.errors import NotFound
from water2.rules.flags import FlagCode
from water2.services.emergency_drills import (
    FinishFinding,
    RecordDrill,
    findings_of,
    finish_finding,
    record_drill,
)
from water2.services.emergency_plans import issue_emergency_plan
from water2.services.evidence_files import open_file
from water2.services.paging import Page
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.work import Work

router = APIRouter(tags=["emergency plan"], route_class=ActRoute)
Number = Annotated[int, Path(ge=1, le=10_000, description="number of the finding in its drill")]


class EmergencyPlanAnswer(Answer):
    """A version of the plan; the one with the highest number is in force.

    `approved_by` is the person, by id; `text` is shown where one version is asked for.
    """

    id: str
    version: int
    title: str
    issued_on: date
    review_on: date | None
    approved_by: str
    changes: str | None
    file_sha256: str | None
    file_name: str | None
    recorded_by: str
    recorded_at: Instant


class WholeEmergencyPlanAnswer(EmergencyPlanAnswer):
    """A version of the plan with its words."""

    text: str | None


class DrillFindingAnswer(Answer):
    """What a drill showed; it stays on the open list until it is done."""

    drill_id: str
    number: int
    finding: str
    to_do: str
    due_on: date | None
    done_on: date | None
    done_note: str | None


class DrillAnswer(Answer):
    """A drill that was held; `participants` are people by id."""

    id: str
    plan_id: str
    held_on: date
    scenario: str
    participants: list[str]
    recorded_by: str
    recorded_at: Instant
    late_reason: str | None
    flags: list[FlagCode]
    findings: list[DrillFindingAnswer] = Field(default_factory=list)


class DrillQuery(ListQuery):
    """Narrows a list of drills."""

    plan_id: str | None = None


class FindingQuery(ListQuery):
    """Narrows a list of findings; `done` false is the open list."""

    done: bool | None = None


async def _shown(work: Work, drills: list[EmergencyDrill]) -> list[DrillAnswer]:
    await work.session.flush()
    findings = await findings_of(work, [drill.id for drill in drills])
    return [
        DrillAnswer.model_validate(drill).model_copy(
            update={"findings": [DrillFindingAnswer.model_validate(f) for f in findings[drill.id]]}
        )
        for drill in drills
    ]


@router.get("/emergency-plans", response_model=ListAnswer[EmergencyPlanAnswer])
async def show_plans(work: Reading, query: Annotated[ListQuery, Asked()]) -> Response:
    """List the versions of the plan, the latest first."""
    page = await list_rows(work, EmergencyPlan, {}, query.page, newest_by="recorded_at")
    return page_answer(EmergencyPlanAnswer, page)


@router.post(
    "/emergency-plans",
    status_code=201,
    response_model=WholeEmergencyPlanAnswer,
    openapi_extra=PLAN_BODY,
)
async def add_plan(given: Given, act: Writing) -> Response:
    """Issue a version of the plan: JSON with its text, or a form with a PDF or a scan as a file."""
    file = given.file
    plan = await issue_emergency_plan(
        act.work, given.command, file.content if file else None, file.name if file else None
    )
    return act.answer(WholeEmergencyPlanAnswer.model_validate(plan), 201)


@router.get("/emergency-plans/{id}", response_model=WholeEmergencyPlanAnswer)
async def show_plan(work: Reading, id_: Id) -> WholeEmergencyPlanAnswer:
    """Show a version of the plan with its words."""
    work.require(Action.read)
    return WholeEmergencyPlanAnswer.model_validate(await fetch(work, EmergencyPlan, id_))


@router.get("/emergency-plans/{id}/file", response_class=Response)
async def show_file(work: Reading, id_: Id) -> Response:
    """Give the file of a version."""
    work.require(Action.read)
    plan = await fetch(work, EmergencyPlan, id_)
    kept = await open_file(work, plan.utility_id, plan.file_sha256) if plan.file_sha256 else None
    if kept is None:
        raise NotFound("file", id_)
    content, media_type = kept
    return Response(content, media_type=media_type)


@router.post("/emergency-plans/{id}/drills", status_code=201, response_model=DrillAnswer)
async def add_drill(act: Writing, id_: Id, command: RecordDrill) -> Response:
    """Record a drill of a version of the plan, with what it showed."""
    (shown,) = await _shown(act.work, [await record_drill(act.work, id_, command)])
    return act.answer(shown, 201)


@router.get("/drills", response_model=ListAnswer[DrillAnswer])
async def show_drills(work: Reading, query: Annotated[DrillQuery, Asked()]) -> Response:
    """List drills, the latest recorded first."""
    filters = query.model_dump(include={"plan_id"})
    page = await list_rows(work, EmergencyDrill, filters, query.page, newest_by="recorded_at")
    return page_answer(DrillAnswer, Page(await _shown(work, page.items), page.next))


@router.get("/drills/{id}", response_model=DrillAnswer)
async def show_drill(work: Reading, id_: Id) -> DrillAnswer:
    """Show a drill."""
    work.require(Action.read)
    (shown,) = await _shown(work, [await fetch(work, EmergencyDrill, id_)])
    return shown


@router.post("/drills/{id}/findings/{number}/done", response_model=DrillFindingAnswer)
async def finish(act: Writing, id_: Id, number: Number, command: FinishFinding) -> Response:
    """Note that what a finding asked for is done."""
    finding = await finish_finding(act.work, id_, number, command)
    return act.answer(DrillFindingAnswer.model_validate(finding))


@router.get("/drill-findings", response_model=ListAnswer[DrillFindingAnswer])
async def show_findings(work: Reading, query: Annotated[FindingQuery, Asked()]) -> Response:
    """List what drills showed, the latest first; `done=false` is the open list."""
    filters = {"done_on": query.done}
    page = await list_rows(work, DrillFinding, filters, query.page, newest_by="recorded_at")
    return page_answer(DrillFindingAnswer, page)
