"""The days proposed for work orders not begun yet: holidays move them earlier only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlmodel import and_, col, func, select

from water2.domain.duty import Duty
from water2.domain.facility import Tank
from water2.domain.organisation import Utility
from water2.domain.work_order import WorkOrder, WorkOrderTask
from water2.rules.book import Rulebook, load_book
from water2.rules.flags import FlagCode
from water2.rules.gates import proposed_day
from water2.services.holidays import is_published, is_working_day
from water2.services.work_orders import BEFORE_WORK
from water2.work import Work


@dataclass(frozen=True)
class PlanDay:
    """By when an order should be done, and what is to be said of the day it is planned on.

    Flags: planned_past_due (the day the duty is due by, law's or the utility's own),
    planned_on_holiday, holidays_not_published (of the year of `plan_by`: plain weekdays are taken),
    tank_not_isolable (the plan stops no supply, and a tank cannot be isolated).
    """

    plan_by: date
    flags: tuple[FlagCode, ...]


async def plan_days(work: Work, orders: Sequence[WorkOrder]) -> dict[str, PlanDay]:
    """Return the day proposed for each order that is not begun and serves an open duty."""
    waiting = {order.id: order for order in orders if order.state in BEFORE_WORK}
    if not waiting:
        return {}
    due = await _earliest_due(work, list(waiting))
    unheard = await _not_isolable(
        work, [id_ for id_, one in waiting.items() if one.stops_supply is False]
    )
    utilities = {order.utility_id for order in waiting.values()}
    rows = await work.session.exec(select(Utility).where(col(Utility.id).in_(utilities)))
    held = {utility.id: utility for utility in rows}
    return {
        id_: _plan_day(work, held[order.utility_id], order, due[id_], id_ in unheard)
        for id_, order in waiting.items()
        if id_ in due
    }


async def _earliest_due(work: Work, order_ids: Sequence[str]) -> dict[str, date]:
    rows = await work.session.execute(
        select(WorkOrder.id, func.min(Duty.due_on))
        .join(WorkOrderTask, col(WorkOrderTask.work_order_id) == WorkOrder.id)
        .join(
            Duty,
            and_(
                col(Duty.subject_id) == WorkOrderTask.subject_id,
                col(Duty.obligation) == WorkOrder.kind,
                col(Duty.satisfied_on).is_(None),
                col(Duty.ended_on).is_(None),
            ),
        )
        .where(col(WorkOrder.id).in_(order_ids), col(WorkOrderTask.live))
        .group_by(col(WorkOrder.id))
    )
    return {row[0]: row[1] for row in rows}


async def _not_isolable(work: Work, order_ids: Sequence[str]) -> set[str]:
    """Return which orders are about a tank that cannot be isolated."""
    rows = await work.session.exec(
        select(WorkOrderTask.work_order_id)
        .join(Tank, col(Tank.id) == WorkOrderTask.tank_id)
        .where(
            col(WorkOrderTask.work_order_id).in_(order_ids),
            col(WorkOrderTask.live),
            ~col(Tank.isolable),
        )
    )
    return set(rows)


def _plan_day(
    work: Work, utility: Utility, order: WorkOrder, due_on: date, stops_unheard: bool
) -> PlanDay:
    book = load_book(utility.place)
    plan_by = proposed_day(due_on, work.today(utility.timezone), partial(is_working_day, book))
    flags = _flags(book, order, due_on, plan_by)
    return PlanDay(plan_by, (*flags, *([FlagCode.tank_not_isolable] if stops_unheard else [])))


def _flags(book: Rulebook, order: WorkOrder, due_on: date, plan_by: date) -> list[FlagCode]:
    flags = []
    if order.planned_on is not None and order.planned_on > due_on:
        flags.append(FlagCode.planned_past_due)
    if order.planned_on is not None and not is_working_day(book, order.planned_on):
        flags.append(FlagCode.planned_on_holiday)
    if not is_published(book.holidays, plan_by.year):
        flags.append(FlagCode.holidays_not_published)
    return flags
