"""Reading what was planned and done: each list newest first, with what belongs to its rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select

from water2.domain.cleaning import Cleaning
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
    for parts in found.values():  # who was put back on the crew is not withdrawn
        parts.withdrawn = [one for one in parts.withdrawn if one["code"] not in parts.crew]
    return found


async def violations_shown(
    work: Work, cleanings: Sequence[Cleaning]
) -> dict[str, list[dict[str, Any]]]:
    """Return the violations of cleanings, the 工号 beside each person's id."""
    ids = {violation["person"] for cleaning in cleanings for violation in cleaning.violations}
    rows = await work.session.exec(select(Staff.id, Staff.code).where(col(Staff.id).in_(ids)))
    codes = dict(rows.all())
    return {
        cleaning.id: [one | {"code": codes.get(one["person"])} for one in cleaning.violations]
        for cleaning in cleanings
    }


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
