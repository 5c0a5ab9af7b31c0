"""Ends of life: a tank or facility out of use or merged, dated, with its duties and open work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.work_order import WorkOrder, WorkOrderState, WorkOrderTask
from water2.services.duties import rederive
from water2.services.register import record_act, require_order, require_past
from water2.services.rows import fetch, utility_of
from water2.services.work_orders import BEFORE_WORK, live_tasks, record_order
from water2.work import Work


class EndKind(StrEnum):
    """Why something is in use no longer."""

    out_of_use = "out_of_use"
    merged = "merged"


class EndOfLife(Command):
    """The last day in use; `merged_into` is the id of what took over, for `merged` alone."""

    on: Day
    reason: EndKind = EndKind.out_of_use
    merged_into: str | None = None


async def end_facility(work: Work, id_: str, command: EndOfLife) -> Facility:
    """Take a facility out of use, with all its tanks.

    Raises:
        Conflict: it is out of use already.
        Invalid: the day, or what it is merged into, cannot be true.
    """
    work.require(Action.keep_register)
    facility = await fetch(work, Facility, id_, lock=True)
    utility = await utility_of(work, facility)
    await _end(work, utility, facility, facility.in_service_on, command)
    ended = await _end_tanks(work, facility, command.on)
    told = {"tanks": [tank.code for tank in ended]}
    _record(work, facility, "facility.ended", f"facility:{facility.id}", command, told)
    await rederive(work, utility, facility_ids=[facility.id])
    await _withdraw_work(work, facility, {facility.id, *(tank.id for tank in ended)})
    return facility


async def _end_tanks(work: Work, facility: Facility, on: date) -> Sequence[Tank]:
    """End the tanks in use on their facility's last day; return them by code."""
    found = await work.session.exec(
        select(Tank)
        .where(Tank.facility_id == facility.id, col(Tank.out_of_use_on).is_(None))
        .order_by(Tank.code)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    tanks = found.all()
    for tank in tanks:
        tank.out_of_use_on = on
        tank.version += 1
    return tanks


async def end_tank(work: Work, id_: str, command: EndOfLife) -> Tank:
    """Take a tank out of use.

    Raises:
        Conflict: it is out of use already.
        Invalid: the day, or what it is merged into, cannot be true.
    """
    work.require(Action.keep_register)
    tank = await fetch(work, Tank, id_, lock=True)
    facility = await fetch(work, Facility, tank.facility_id)
    utility = await utility_of(work, tank)
    await _end(work, utility, tank, tank.in_use_on or facility.in_service_on, command)
    _record(work, facility, "tank.ended", f"tank:{tank.id}", command)
    await rederive(work, utility, facility_ids=[facility.id])
    await _withdraw_work(work, facility, {tank.id})
    return tank


async def _end(
    work: Work, utility: Utility, thing: Facility | Tank, since: date | None, command: EndOfLife
) -> None:
    if thing.out_of_use_on is not None:
        raise Conflict("out_of_use_already", {"on": thing.out_of_use_on.isoformat()})
    require_past("on", command.on, work.today(utility.timezone))
    require_order(("since", since), ("on", command.on))
    if (command.merged_into is not None) != (command.reason is EndKind.merged):
        raise Invalid.one("merged_into", "merged_needs_target")
    if command.merged_into is not None:
        await _require_target(work, thing, command.merged_into)
    thing.out_of_use_on, thing.merged_into_id = command.on, command.merged_into
    thing.version += 1


async def _require_target(work: Work, thing: Facility | Tank, target_id: str) -> None:
    """Refuse a merger into itself, into what stands elsewhere, or into what is out of use."""
    kind: type[Facility] | type[Tank] = type(thing)
    target: Facility | Tank | None = await work.session.get(kind, target_id)
    elsewhere = target is None or _within(target) != _within(thing)
    if target is None or elsewhere or target is thing or target.out_of_use_on:
        raise Invalid.one("merged_into", "merged_into_unknown", target_id)


def _within(thing: Facility | Tank) -> str:
    return thing.facility_id if isinstance(thing, Tank) else thing.utility_id


def _record(
    work: Work,
    facility: Facility,
    type_: str,
    subject: str,
    command: EndOfLife,
    told: Mapping[str, object] | None = None,
) -> None:
    data: dict[str, object] = {
        "on": command.on.isoformat(),
        "reason": command.reason.value,
        "merged_into": command.merged_into,
        **(told or {}),
    }
    record_act(work, facility.ledger_id, type_, subject, data)


async def _withdraw_work(work: Work, facility: Facility, subject_ids: Collection[str]) -> None:
    """Take subjects out of work not yet begun; an order that is about nothing more is cancelled."""
    rows = await work.session.exec(
        select(WorkOrderTask, WorkOrder)
        .join(WorkOrder, col(WorkOrder.id) == WorkOrderTask.work_order_id)
        .where(
            col(WorkOrderTask.subject_id).in_(sorted(subject_ids)),
            col(WorkOrderTask.live),
            col(WorkOrder.state).in_(BEFORE_WORK),
        )
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)  # work begun meanwhile goes on
        .execution_options(populate_existing=True)
    )
    orders: dict[str, WorkOrder] = {}
    for task, order in rows.all():
        task.live = False
        orders[order.id] = order
    for order in orders.values():
        if not await live_tasks(work, order):
            order.state, order.cancel_reason = WorkOrderState.cancelled, "out_of_use"
            order.version += 1
            record_order(work, facility, order, "work_order.cancelled", reason="out_of_use")
