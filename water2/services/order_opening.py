"""Work orders opened by the sweep: one visit to a facility for all its tanks that come due."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from water2.domain.duty import SubjectType
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.work_order import (
    Origin,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    WorkOrderTask,
)
from water2.services.rows import among, insert_or_pass, insert_rows
from water2.work import Work

ORDER_KINDS = {kind.value: kind for kind in WorkOrderKind}  # obligations a crew is sent out for

Visit = tuple[str, WorkOrderKind]  # to a facility, for a kind of work


async def open_work_orders(work: Work, utility: Utility, duties: Sequence[Any]) -> None:
    """Open work orders for duties (rows of the sweep) whose subjects nobody is sent to yet."""
    wanted = [duty for duty in duties if duty.obligation in ORDER_KINDS]
    if not wanted:
        return
    served = await _subjects_served(work, [duty.subject_id for duty in wanted])
    visits: dict[Visit, list[Any]] = defaultdict(list)
    for duty in wanted:
        if duty.subject_id not in served:
            visits[duty.facility_id, ORDER_KINDS[duty.obligation]].append(duty)
    orders = await _orders_for(work, utility, sorted(visits))
    tasks = [_task(orders[visit], duty) for visit, due in visits.items() for duty in due]
    await insert_rows(work, WorkOrderTask, tasks)


async def _subjects_served(work: Work, subject_ids: Sequence[str]) -> set[str]:
    rows = await work.session.exec(
        select(WorkOrderTask.subject_id).where(
            among(work, WorkOrderTask.subject_id, subject_ids), col(WorkOrderTask.live)
        )
    )
    return set(rows)


async def _orders_for(work: Work, utility: Utility, visits: Sequence[Visit]) -> dict[Visit, str]:
    """Return the sweep's own order of each visit that nobody has planned yet, making those lacking.

    Two workers may make one at once: the unique key lets one win, and both read the winner's. The
    visits come sorted, so that neither waits for the other in a circle.
    """
    if visits:
        rows = [_order(work, utility, visit) for visit in visits]
        await work.session.execute(insert_or_pass(work, WorkOrder), rows)
    found: dict[Visit, str] = {}
    for kind in {kind for _, kind in visits}:
        order = select(WorkOrder.id).where(
            WorkOrder.facility_id == Facility.id,
            WorkOrder.kind == kind,
            WorkOrder.state == WorkOrderState.open,
            WorkOrder.origin == Origin.sweep,
        )
        # a look-up for each facility, whatever the planner believes of the states' numbers
        asked = among(work, Facility.id, [facility for facility, of in visits if of is kind])
        open_ones = await work.session.exec(
            select(Facility.id, order.scalar_subquery()).where(asked)
        )
        found |= {(facility, kind): id_ for facility, id_ in open_ones}
    return found


def _order(work: Work, utility: Utility, visit: Visit) -> dict[str, Any]:
    facility_id, kind = visit
    return {
        "id": new_id(),
        "utility_id": utility.id,
        "facility_id": facility_id,
        "kind": kind,
        "state": WorkOrderState.open,
        "origin": Origin.sweep,
        "created_at": work.now,
        "version": 1,
    }


def _task(order_id: str, duty: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "work_order_id": order_id,
        "subject_id": duty.subject_id,
        "tank_id": duty.subject_id if duty.subject_type is SubjectType.tank else None,
        "live": True,
    }
