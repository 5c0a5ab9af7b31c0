"""Inspections of tanks, where a rulebook demands them (New York)."""

from typing import Any

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.cleaning import Inspection
from water2.domain.command import Command, Day
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.telling import measured
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState, WorkOrderTask
from water2.services.duties import rederive
from water2.services.rows import fetch
from water2.services.work_orders import live_tasks
from water2.work import Work


class RecordInspection(Command):
    """An inspection of one tank; `code` is the report's number with the tank's, unique."""

    tank_id: str
    inspected_on: Day
    code: str = Field(min_length=1, max_length=60)
    record: dict[str, Any] = Field(default_factory=dict)


async def record_inspection(work: Work, command: RecordInspection) -> Inspection:
    """Record an inspection that happened; it satisfies the tank's duty of its period.

    Raises:
        Invalid: it lies in the future, or before the tank was in use.
        Conflict: the code stands on record.
    """
    work.require(Action.do_work)
    tank = await fetch(work, Tank, command.tank_id)
    facility = await fetch(work, Facility, tank.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    await _refuse_untrue(work, utility, tank, command)
    inspection = Inspection(
        **command.model_dump(),
        utility_id=utility.id,
        facility_id=facility.id,
        recorded_at=work.now,
    )
    work.session.add(inspection)
    await _close_order(work, tank)
    await rederive(work, utility, facility_ids=[facility.id], evidence=["inspection"])
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type="inspection.recorded",
            subject=f"tank:{tank.id}",
            occurred_at=work.now,
            data={
                "inspection": inspection.id,
                "inspected_on": inspection.inspected_on and inspection.inspected_on.isoformat(),
                "record": measured(inspection.record),
            },
        )
    )
    return inspection


async def _refuse_untrue(
    work: Work, utility: Utility, tank: Tank, command: RecordInspection
) -> None:
    if command.inspected_on > work.today(utility.timezone):
        raise Invalid.one("inspected_on", "in_future", command.inspected_on)
    if tank.in_use_on and command.inspected_on < tank.in_use_on:
        raise Invalid.one("inspected_on", "tank_not_in_use", command.inspected_on, tank=tank.code)
    taken = await work.session.exec(
        select(Inspection.id).where(
            Inspection.utility_id == utility.id, Inspection.code == command.code
        )
    )
    if taken.first():
        raise Conflict("code_taken", {"code": command.code})


async def _close_order(work: Work, tank: Tank) -> None:
    """Close the order that sent somebody to inspect the tank, once all its tanks are done."""
    rows = await work.session.exec(
        select(WorkOrderTask, WorkOrder)
        .join(WorkOrder, col(WorkOrder.id) == WorkOrderTask.work_order_id)
        .where(
            WorkOrderTask.subject_id == tank.id,
            col(WorkOrderTask.live),
            WorkOrder.kind == WorkOrderKind.inspection,
        )
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)
        .execution_options(populate_existing=True)
    )
    for task, order in rows.all():
        task.live = False
        await work.session.flush()  # the count below must see it
        if not await live_tasks(work, order):
            order.state, order.completed_at = WorkOrderState.completed, work.now
