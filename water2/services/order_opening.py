"""Work orders opened by the sweep: one visit to a facility for all its tanks that come due."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import insert, literal, true
from sqlalchemy import select as select_columns
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
from water2.services.rows import among, insert_or_pass, listed
from water2.work import Work

_ORDER = cast("Any", WorkOrder).__table__
_TASK = cast("Any", WorkOrderTask).__table__
ORDER_KINDS = {kind.value: kind for kind in WorkOrderKind}  # obligations a crew is sent out for


async def open_work_orders(work: Work, utility: Utility, duties: Sequence[Any]) -> dict[str, str]:
    """Open work orders for duties (rows of the sweep) whose subjects nobody is sent to yet.

    The facilities are the caller's to hold: acts on their orders hold them, too.

    Returns the order of each subject that one was opened for.
    """
    wanted = [duty for duty in duties if duty.obligation in ORDER_KINDS]
    served = await _subjects_served(work, [duty.subject_id for duty in wanted])
    visits: dict[WorkOrderKind, list[Any]] = defaultdict(list)
    for duty in wanted:
        if duty.subject_id not in served:
            visits[ORDER_KINDS[duty.obligation]].append(duty)
    opened: dict[str, str] = {}
    for kind, due in visits.items():
        orders = await _held_orders(work, utility, kind, sorted({d.facility_id for d in due}))
        await _add_tasks(work, orders, due)
        opened |= {duty.subject_id: orders[duty.facility_id] for duty in due}
    return opened


async def _held_orders(
    work: Work, utility: Utility, kind: WorkOrderKind, facility_ids: Sequence[str]
) -> dict[str, str]:
    """Return an open order for each facility; opened where the sweep has none."""
    await _open_orders(work, utility, kind, facility_ids)
    rows = await work.session.execute(
        select_columns(_ORDER.c.facility_id, _ORDER.c.id).where(
            among(work, _ORDER.c.facility_id, facility_ids),
            _ORDER.c.kind == kind,
            _ORDER.c.state == WorkOrderState.open,
            _ORDER.c.origin == Origin.sweep,
        )
    )
    return {row.facility_id: row.id for row in rows}


async def _subjects_served(work: Work, subject_ids: Sequence[str]) -> set[str]:
    rows = await work.session.exec(
        select(WorkOrderTask.subject_id).where(
            among(work, WorkOrderTask.subject_id, subject_ids), col(WorkOrderTask.live)
        )
    )
    return set(rows)


async def _open_orders(
    work: Work, utility: Utility, kind: WorkOrderKind, facility_ids: Sequence[str]
) -> None:
    """Open an order for each facility that has no order of the sweep's which nobody has planned."""
    visits = listed(work, id=[new_id() for _ in facility_ids], facility_id=facility_ids)
    columns = {
        "id": visits.c.id,
        "utility_id": literal(utility.id),
        "facility_id": visits.c.facility_id,
        "kind": literal(kind, _ORDER.c.kind.type),
        "state": literal(WorkOrderState.open, _ORDER.c.state.type),
        "origin": literal(Origin.sweep, _ORDER.c.origin.type),
        "created_at": literal(work.now, _ORDER.c.created_at.type),
        "version": literal(1),
    }
    rows = select_columns(*columns.values()).where(true())  # SQLite would read a join's ON
    await work.session.execute(insert_or_pass(work, WorkOrder).from_select(list(columns), rows))


async def _add_tasks(work: Work, orders: Mapping[str, str], duties: Sequence[Any]) -> None:
    """Put the subjects of duties on their facilities' orders."""
    tasks = listed(
        work,
        id=[new_id() for _ in duties],
        work_order_id=[orders[duty.facility_id] for duty in duties],
        subject_id=[duty.subject_id for duty in duties],
        tank_id=[
            duty.subject_id if duty.subject_type is SubjectType.tank else None for duty in duties
        ],
    )
    rows = select_columns(*tasks.c, true())
    await work.session.execute(insert(_TASK).from_select([*tasks.c.keys(), "live"], rows))
