"""Work orders opened by the sweep: one visit to a facility for all its tanks that come due."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from water2.domain.duty import SubjectType
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.work_order import (
    Origin,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    WorkOrderTask,
)
from water2.services.rows import among, insert_rows
from water2.work import Work

ORDER_KINDS = {kind.value: kind for kind in WorkOrderKind}  # obligations a crew is sent out for


async def open_work_orders(work: Work, utility: Utility, duties: Sequence[Any]) -> None:
    """Open work orders for duties (rows of the sweep) whose subjects nobody is sent to yet."""
    wanted = [duty for duty in duties if duty.obligation in ORDER_KINDS]
    if not wanted:
        return
    served = await _subjects_served(work, [duty.subject_id for duty in wanted])
    by_visit: dict[tuple[str, WorkOrderKind], list[Any]] = defaultdict(list)
    for duty in wanted:
        if duty.subject_id not in served:
            by_visit[duty.facility_id, ORDER_KINDS[duty.obligation]].append(duty)
    orders = await _unplanned_orders(work, [facility for facility, _ in by_visit])
    missing = [visit for visit in by_visit if visit not in orders]
    new = {visit: new_id() for visit in missing}
    await insert_rows(
        work, WorkOrder, [_order(work, utility, id_, visit) for visit, id_ in new.items()]
    )
    orders |= new
    await insert_rows(
        work,
        WorkOrderTask,
        [_task(orders[visit], duty) for visit, due in by_visit.items() for duty in due],
    )


async def _subjects_served(work: Work, subject_ids: Sequence[str]) -> set[str]:
    rows = await work.session.exec(
        select(WorkOrderTask.subject_id).where(
            among(work, WorkOrderTask.subject_id, subject_ids), col(WorkOrderTask.live)
        )
    )
    return set(rows)


async def _unplanned_orders(
    work: Work, facility_ids: Sequence[str]
) -> dict[tuple[str, WorkOrderKind], str]:
    """Return the sweep's own orders that nobody has planned yet: further tanks join them."""
    rows = await work.session.exec(
        select(WorkOrder.facility_id, WorkOrder.kind, WorkOrder.id).where(
            among(work, WorkOrder.facility_id, set(facility_ids)),
            WorkOrder.state == WorkOrderState.open,
            WorkOrder.origin == Origin.sweep,
        )
    )
    return {(facility, WorkOrderKind(kind)): id_ for facility, kind, id_ in rows}


def _order(
    work: Work, utility: Utility, id_: str, visit: tuple[str, WorkOrderKind]
) -> dict[str, Any]:
    facility_id, kind = visit
    return {
        "id": id_,
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
