"""Work orders closed by what is on record: the duties they were made for are satisfied."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, exists
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from water2.domain.duty import Duty
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState, WorkOrderTask
from water2.services.instants import civil_day
from water2.services.rows import chunks, fetch
from water2.services.work_orders import live_tasks, record_order
from water2.work import Work


async def close_served_orders(work: Work, utility: Utility, facility_ids: Sequence[str]) -> None:
    """Close orders whose work came on record without them: from a file, or as an inspection.

    Call it after `rederive`, which holds the facilities. An order goes on while its subject owes
    what is open, and where the work was done before the order was made, for no duty of its own.
    """
    served: dict[str, list[str | None]] = defaultdict(list)
    orders: dict[str, WorkOrder] = {}
    for ids in chunks(sorted(facility_ids)):
        for task, order, duty in await _under_way(work, utility, ids):
            if task.live and _stands_for(utility, order, duty):
                task.live = False
                if order.kind is WorkOrderKind.cleaning:
                    task.cleaning_id = duty.satisfied_by
                orders[order.id] = order
                served[order.id].append(duty.satisfied_by)
    await work.session.flush()  # what is left of the orders must see it
    for id_, order in orders.items():
        if not await live_tasks(work, order):
            order.state, order.completed_at = WorkOrderState.completed, work.now
            order.version += 1
            facility = await fetch(work, Facility, order.facility_id)
            record_order(work, facility, order, "work_order.completed", records=served[id_])


def _stands_for(utility: Utility, order: WorkOrder, duty: Duty) -> bool:
    """Tell whether a satisfied duty was the order's, or was satisfied since the order was made.

    A crew at work answers for what it does from then on: a sample of that may be recorded first,
    and credit what was done before.
    """
    if order.started_at is not None:
        begun_on = civil_day(order.started_at, utility.timezone)
        return duty.satisfied_on is not None and duty.satisfied_on >= begun_on
    opened_with_it = duty.opened_at is not None and duty.opened_at >= order.created_at
    made_on = civil_day(order.created_at, utility.timezone)
    return opened_with_it or (duty.satisfied_on is not None and duty.satisfied_on >= made_on)


async def _under_way(
    work: Work, utility: Utility, facility_ids: Sequence[str]
) -> Sequence[tuple[WorkOrderTask, WorkOrder, Duty]]:
    """Return tasks whose subjects owe nothing open, with each satisfied duty, the last first."""
    owed = aliased(Duty)
    owes = exists().where(
        col(owed.subject_id) == WorkOrderTask.subject_id,
        col(owed.obligation) == WorkOrder.kind,
        col(owed.satisfied_on).is_(None),
        col(owed.ended_on).is_(None),
        col(owed.opens_on) <= work.today(utility.timezone),
    )
    satisfied = and_(
        col(Duty.subject_id) == WorkOrderTask.subject_id,
        col(Duty.obligation) == WorkOrder.kind,
        col(Duty.satisfied_on).is_not(None),
    )
    rows = await work.session.exec(
        select(WorkOrderTask, WorkOrder, Duty)
        .join(WorkOrder, col(WorkOrder.id) == WorkOrderTask.work_order_id)
        .join(Duty, satisfied)
        .where(col(WorkOrder.facility_id).in_(facility_ids), col(WorkOrderTask.live), ~owes)
        .order_by(WorkOrder.id, WorkOrderTask.id, col(Duty.ordinal).desc())
        .with_for_update(of=WorkOrder, key_share=True)
        .execution_options(populate_existing=True)
    )
    return rows.all()
