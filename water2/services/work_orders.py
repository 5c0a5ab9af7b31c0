"""Work orders: made, started, cancelled. Gates stop what has not happened."""

from collections.abc import Sequence

from pydantic import Field
from sqlalchemy import update
from sqlmodel import col, select

from water2.domain.access import Action, Role
from water2.domain.command import Command
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.facility import Facility, Tank
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.domain.work_order import (
    Assignment,
    Origin,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    WorkOrderTask,
)
from water2.services.assignments import require_fit
from water2.services.outages.for_orders import cancel_with_order, stop_supply_for
from water2.services.rows import fetch
from water2.work import Work

BEFORE_WORK = (WorkOrderState.open, WorkOrderState.planned)


class CreateWorkOrder(Command):
    """Send a crew to a facility; no tank named: all its tanks in use, or itself if it has none."""

    kind: WorkOrderKind
    facility_id: str
    tank_ids: tuple[str, ...] = ()


class CancelWorkOrder(Command):
    """Call the work off; its duties stay."""

    reason: str = Field(min_length=1, max_length=500)


async def create_work_order(work: Work, command: CreateWorkOrder) -> WorkOrder:
    """Make an order for tanks of one facility; takes them over from an order the sweep opened."""
    work.require(Action.plan)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    subjects = await _subjects(work, facility, command.tank_ids)
    order = WorkOrder(
        utility_id=facility.utility_id,
        facility_id=facility.id,
        kind=command.kind,
        created_at=work.now,
    )
    work.session.add(order)
    await work.session.flush()  # its tasks refer to it
    taken_over = await _take_over(work, subjects)
    for subject_id in subjects:
        tank_id = None if subject_id == facility.id else subject_id
        work.session.add(
            WorkOrderTask(work_order_id=order.id, subject_id=subject_id, tank_id=tank_id)
        )
    record_order(
        work, facility, order, "work_order.created", subjects=subjects, took_over=taken_over
    )
    return order


async def _subjects(work: Work, facility: Facility, tank_ids: Sequence[str]) -> list[str]:
    if facility.out_of_use_on is not None:
        raise Conflict("facility_out_of_use", {"facility": facility.code})
    tanks = await work.session.exec(select(Tank).where(Tank.facility_id == facility.id))
    in_use = {tank.id for tank in tanks if tank.out_of_use_on is None}
    unknown = [tank_id for tank_id in tank_ids if tank_id not in in_use]
    if unknown:
        raise Invalid.one("tank_ids", "unknown_tank", unknown[0], facility=facility.code)
    return sorted(set(tank_ids) or in_use or {facility.id})


async def _take_over(work: Work, subjects: Sequence[str]) -> list[str]:
    """Free the subjects from orders that the sweep opened and nobody planned; name those orders."""
    rows = await work.session.exec(
        select(WorkOrderTask, WorkOrder)
        .join(WorkOrder, col(WorkOrder.id) == WorkOrderTask.work_order_id)
        .where(
            col(WorkOrderTask.subject_id).in_(subjects),
            col(WorkOrderTask.live),
            WorkOrder.state == WorkOrderState.open,
            WorkOrder.origin == Origin.sweep,
        )
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)  # a plan made meanwhile keeps its order
        .execution_options(populate_existing=True)
    )
    found = rows.all()
    for task, order in found:
        task.live = False
        await work.session.flush()  # the count below must see it
        if not await live_tasks(work, order):
            order.state, order.cancel_reason = WorkOrderState.cancelled, "superseded"
            order.version += 1
    return sorted({order.id for _, order in found})


async def duties_served(work: Work, order: WorkOrder) -> list[Duty]:
    """Return the unsatisfied duties of the order's subjects that its kind of work serves."""
    tasks = await live_tasks(work, order)
    rows = await work.session.exec(
        select(Duty)
        .where(
            col(Duty.subject_id).in_([task.subject_id for task in tasks]),
            Duty.obligation == order.kind.value,
            col(Duty.satisfied_on).is_(None),
            col(Duty.ended_on).is_(None),
        )
        .order_by(col(Duty.due_on))
    )
    return list(rows)


async def live_tasks(work: Work, order: WorkOrder) -> list[WorkOrderTask]:
    """Return the tanks (or the facility) the order is still about."""
    rows = await work.session.exec(
        select(WorkOrderTask)
        .where(WorkOrderTask.work_order_id == order.id, col(WorkOrderTask.live))
        .order_by(WorkOrderTask.id)
    )
    return list(rows)


async def assignments_of(work: Work, order: WorkOrder) -> list[Assignment]:
    """Return the assignments that stand."""
    rows = await work.session.exec(
        select(Assignment).where(
            Assignment.work_order_id == order.id, col(Assignment.withdrawn_at).is_(None)
        )
    )
    return list(rows)


async def start_work_order(work: Work, id_: str) -> WorkOrder:
    """Begin the work now.

    Raises:
        RuleViolation: somebody assigned is not fit today, or nobody is assigned (art. 17(2)); or a
            household is not proven told of the outage 24 hours ahead (art. 15).
    """
    work.require(Action.do_work)
    order, facility = await order_in(work, id_, (WorkOrderState.planned,))
    people = await crew_of(work, order)
    require_own_work(work, people)
    utility = await fetch(work, Utility, order.utility_id)
    today = work.today(utility.timezone)
    await require_fit(work, utility, people, today)
    await stop_supply_for(work, order)
    order.state, order.started_at, order.version = (
        WorkOrderState.started,
        work.now,
        order.version + 1,
    )
    record_order(work, facility, order, "work_order.started", crew=[person.id for person in people])
    return order


async def crew_of(work: Work, order: WorkOrder) -> list[Staff]:
    """Return the people assigned."""
    ids = [assignment.staff_id for assignment in await assignments_of(work, order)]
    return list(
        await work.session.exec(select(Staff).where(col(Staff.id).in_(ids)).order_by(Staff.code))
    )


def require_own_work(work: Work, people: Sequence[Staff]) -> None:
    """Refuse a crew member whose account is tied to a person not assigned to the order.

    Raises:
        NotPermitted: it is somebody else's work.
    """
    if not works_on_own(work, people):
        raise NotPermitted("others_work")


def works_on_own(work: Work, people: Sequence[Staff]) -> bool:
    """Tell whether the actor is one of the people sent, or an account tied to no person."""
    actor = work.actor
    tied = actor.role is Role.crew and actor.staff_id is not None
    return not tied or actor.staff_id in {person.id for person in people}


async def cancel_work_order(work: Work, id_: str, command: CancelWorkOrder) -> WorkOrder:
    """Call the work off; the sweep opens another order for duties that stay."""
    work.require(Action.plan)
    order, facility = await order_in(work, id_, (*BEFORE_WORK, WorkOrderState.started))
    reopen_duties(await duties_served(work, order))
    await close_tasks(work, order)
    await cancel_with_order(work, order)
    order.state, order.cancel_reason = WorkOrderState.cancelled, command.reason
    order.version += 1
    record_order(work, facility, order, "work_order.cancelled", reason="by_hand")
    return order


async def close_tasks(work: Work, order: WorkOrder) -> None:
    """Free the order's subjects for other orders."""
    await work.session.execute(
        update(WorkOrderTask).where(col(WorkOrderTask.work_order_id) == order.id).values(live=False)
    )


def reopen_duties(duties: Sequence[Duty]) -> None:
    """Let the sweep look at duties again at once: nobody is sent any more for what they demand."""
    for duty in duties:
        duty.opened_at, duty.wake_on = None, duty.opens_on


async def order_in(
    work: Work, id_: str, allowed: Sequence[WorkOrderState]
) -> tuple[WorkOrder, Facility]:
    """Return an order that is in one of some states, and its facility, both locked.

    Raises:
        Conflict: it is in another state; names it.
    """
    seen = await fetch(work, WorkOrder, id_)
    # the facility before the order, as every act on it: none waits for another in a circle
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    order = await fetch(work, WorkOrder, id_, lock=True)
    if order.state not in allowed:
        raise Conflict("work_order_state", {"state": order.state.value})
    return order, facility


def record_order(
    work: Work, facility: Facility, order: WorkOrder, type_: str, **data: object
) -> None:
    """Put an act on an order on the facility's ledger."""
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type=type_,
            subject=f"work_order:{order.id}",
            occurred_at=work.now,
            data={"kind": order.kind.value, **data},
        )
    )
