"""Work orders: list, make, plan, start, complete, cancel."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.work_order import Origin, WorkOrder, WorkOrderKind, WorkOrderState
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.paging import Page
from water2.services.plan_days import PlanDay, plan_days
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.services.work_orders import (
    CancelWorkOrder,
    CreateWorkOrder,
    cancel_work_order,
    create_work_order,
    start_work_order,
)
from water2.services.work_queries import parts_of_orders
from water2.work import Work

router = APIRouter(prefix="/work-orders", tags=["work orders"], route_class=ActRoute)


class WorkOrderAnswer(Answer):
    """A work order; `crew` holds 工号, `withdrawn` those taken off it and why.

    `plan_by` is the day proposed while it is not begun: the last working day up to the due day.
    """

    id: str
    facility_id: str
    kind: WorkOrderKind
    state: WorkOrderState
    origin: Origin
    created_at: Instant
    planned_on: date | None
    plan_by: date | None = None
    stops_supply: bool | None
    outage_id: str | None
    started_at: Instant | None
    completed_at: Instant | None
    cancel_reason: str | None
    version: int
    tank_ids: list[str] = Field(default_factory=list)
    crew: list[str] = Field(default_factory=list)
    withdrawn: list[dict[str, str]] = Field(default_factory=list)
    cleaning_ids: list[str] = Field(default_factory=list)
    flags: list[str] = Field(default_factory=list)


class WorkOrderQuery(ListQuery):
    """Narrows a list of work orders."""

    facility_id: str | None = None
    kind: WorkOrderKind | None = None
    state: WorkOrderState | None = None


async def _shown(work: Work, orders: list[WorkOrder]) -> list[WorkOrderAnswer]:
    parts = await parts_of_orders(work, orders)
    days = await plan_days(work, orders)
    return [
        WorkOrderAnswer.model_validate(order).model_copy(
            update=vars(parts[order.id]) | _proposed(days.get(order.id))
        )
        for order in orders
    ]


def _proposed(day: PlanDay | None) -> dict[str, Any]:
    return {"plan_by": day.plan_by, "flags": list(day.flags)} if day else {}


async def _answer(act: Act, order: WorkOrder, status: int = 200) -> Response:
    await act.work.session.flush()
    (shown,) = await _shown(act.work, [order])
    return act.answer(shown, status, order.version)


@router.get("", response_model=ListAnswer[WorkOrderAnswer])
async def show_work_orders(work: Reading, query: Annotated[WorkOrderQuery, Given()]) -> Response:
    """List work orders, the newest first."""
    filters: dict[str, Any] = {
        "facility_id": query.facility_id,
        "kind": query.kind,
        "state": query.state,
    }
    page = await list_rows(work, WorkOrder, filters, query.page, newest_by="created_at")
    return page_answer(WorkOrderAnswer, Page(await _shown(work, page.items), page.next))


@router.post("", status_code=201, response_model=WorkOrderAnswer)
async def make_work_order(act: Writing, command: CreateWorkOrder) -> Response:
    """Send a crew to a facility; without tanks named, to all of them."""
    return await _answer(act, await create_work_order(act.work, command), 201)


@router.get("/{id}", response_model=WorkOrderAnswer)
async def show_work_order(work: Reading, id_: Id) -> WorkOrderAnswer:
    """Show a work order."""
    (shown,) = await _shown(work, [await fetch(work, WorkOrder, id_)])
    return shown


@router.post("/{id}/plan", response_model=WorkOrderAnswer)
async def plan(act: Writing, id_: Id, command: PlanWorkOrder) -> Response:
    """Set the day and the crew (工号); never past the legal day, never with unfit people."""
    return await _answer(act, await plan_work_order(act.work, id_, command))


@router.post("/{id}/start", response_model=WorkOrderAnswer)
async def start(act: Writing, id_: Id) -> Response:
    """Begin now; refused while somebody of the crew is not fit today (art. 17(2))."""
    return await _answer(act, await start_work_order(act.work, id_))


@router.post("/{id}/complete", response_model=WorkOrderAnswer)
async def complete(act: Writing, id_: Id, command: CompleteWorkOrder) -> Response:
    """Hand in the cleaning record; what is missing or implausible is named field by field."""
    order, _ = await complete_work_order(act.work, id_, command)
    return await _answer(act, order)


@router.post("/{id}/cancel", response_model=WorkOrderAnswer)
async def cancel(act: Writing, id_: Id, command: CancelWorkOrder) -> Response:
    """Call the work off; its duties stay."""
    return await _answer(act, await cancel_work_order(act.work, id_, command))
