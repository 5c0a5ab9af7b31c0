"""Reading what was planned and done: each list newest first, with what belongs to its rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import col, select

from water2.domain.staff import Staff
from water2.domain.water import SampleResult
from water2.domain.work_order import Assignment, WorkOrder, WorkOrderTask
from water2.work import Work


@dataclass
class OrderParts:
    """What belongs to a work order: its tanks, its people, the cleanings that came of it."""

    tank_ids: list[str] = field(default_factory=list)
    crew: list[str] = field(default_factory=list)
    withdrawn: list[dict[str, str]] = field(default_factory=list)
    cleaning_ids: list[str] = field(default_factory=list)


async def parts_of_orders(work: Work, orders: Sequence[WorkOrder]) -> dict[str, OrderParts]:
    """Return what belongs to each of some orders; people are named by 工号."""
    ids = [order.id for order in orders]
    found: dict[str, OrderParts] = defaultdict(OrderParts)
    tasks = await work.session.exec(
        select(WorkOrderTask)
        .where(col(WorkOrderTask.work_order_id).in_(ids))
        .order_by(WorkOrderTask.id)
    )
    for task in tasks:
        parts = found[task.work_order_id]
        parts.tank_ids += [task.tank_id] if task.tank_id else []
        parts.cleaning_ids += [task.cleaning_id] if task.cleaning_id else []
    people = await work.session.exec(
        select(Assignment, Staff.code)
        .join(Staff, col(Staff.id) == Assignment.staff_id)
        .where(col(Assignment.work_order_id).in_(ids))
        .order_by(Staff.code)
    )
    for assignment, code in people:
        parts = found[assignment.work_order_id]
        if assignment.withdrawn_at is None:
            parts.crew.append(code)
        elif assignment.withdrawn_because is not None:
            because = assignment.withdrawn_because.value
            parts.withdrawn.append({"code": code, "because": because})
    return found


async def results_by_sample(work: Work, ids: Sequence[str]) -> dict[str, list[SampleResult]]:
    """Return the results of samples, by parameter."""
    found: dict[str, list[SampleResult]] = defaultdict(list)
    rows = await work.session.exec(
        select(SampleResult)
        .where(col(SampleResult.sample_id).in_(ids))
        .order_by(SampleResult.parameter)
    )
    for row in rows:
        found[row.sample_id].append(row)
    return found
