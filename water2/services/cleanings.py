"""Cleanings that happened: recorded with their forms, marked where a rule was broken.

A record is refused for what is missing or cannot be true, never for what was done wrongly: a
refusal would teach people to write another name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.cleaning import Cleaning
from water2.domain.command import Command
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState, WorkOrderTask
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.gates import CLEANING
from water2.rules.signs import batch_signs, contact_signs, outage_signs
from water2.services.assignments import staff_ids, unfit_people
from water2.services.cleaning_record import CleaningRecord, read_cleaning_record
from water2.services.credit import credit_recorded
from water2.services.duties import rederive
from water2.services.instants import civil_day
from water2.services.lateness import lateness_of
from water2.services.outages.for_orders import notice_number
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.work_orders import (
    close_tasks,
    crew_of,
    live_tasks,
    order_in,
    record_order,
    works_on_own,
)
from water2.work import Work

COMPLETABLE = (WorkOrderState.open, WorkOrderState.planned, WorkOrderState.started)
PER_TANK = "tanks"


class CompleteWorkOrder(Command):
    """What was done. `record` holds the fields of the cleaning form and the confined-space permit.

    Fields of all tanks stand at the top; where tanks differ, `record.tanks` maps a tank's code to
    its own fields.
    """

    record: dict[str, Any]
    late_reason: str | None = Field(default=None, max_length=500)


@dataclass(frozen=True)
class _Visit:
    """What all cleanings of one order share."""

    utility: Utility
    facility: Facility
    order: WorkOrder
    book: Rulebook
    today: date
    late_reason: str | None
    by_crew: bool  # whoever records it was assigned, or speaks for the crew
    outage_number: str | None  # under which the supply was stopped


async def complete_work_order(
    work: Work, id_: str, command: CompleteWorkOrder
) -> tuple[WorkOrder, list[Cleaning]]:
    """Record the cleaning of each tank of an order and close the order.

    Raises:
        Invalid: names each field that is missing or implausible.
        Conflict: the order was completed or cancelled before.
    """
    work.require(Action.do_work)
    order, facility = await order_in(work, id_, COMPLETABLE)
    if order.kind is not WorkOrderKind.cleaning:
        raise Conflict("recorded_elsewhere", {"kind": order.kind.value})
    utility = await fetch(work, Utility, order.utility_id)
    book, today = await book_of(work, utility), work.today(utility.timezone)
    by_crew = works_on_own(work, await crew_of(work, order))
    number = await notice_number(work, order)
    visit = _Visit(utility, facility, order, book, today, command.late_reason, by_crew, number)
    tasks = await live_tasks(work, order)
    tanks = await _tanks(work, tasks)
    recorded = [
        await _record_one(work, visit, task, tanks.get(task.tank_id or ""), fields)
        for task, fields in _by_task(tasks, tanks, command.record)
    ]
    await _close(work, visit, recorded)
    return order, [cleaning for cleaning, _ in recorded]


async def _tanks(work: Work, tasks: Sequence[WorkOrderTask]) -> dict[str, Tank]:
    ids = [task.tank_id for task in tasks if task.tank_id]
    rows = await work.session.exec(select(Tank).where(col(Tank.id).in_(ids)))
    return {tank.id: tank for tank in rows}


def _by_task(
    tasks: Sequence[WorkOrderTask], tanks: Mapping[str, Tank], record: Mapping[str, Any]
) -> list[tuple[WorkOrderTask, dict[str, Any]]]:
    """Pair each task with its fields: those of all tanks, and the tank's own over them."""
    own = record.get(PER_TANK, {})
    if not isinstance(own, dict) or not all(isinstance(fields, dict) for fields in own.values()):
        raise Invalid.one("record.tanks", "not_an_object")
    for code in set(own) - {tank.code for tank in tanks.values()}:
        raise Invalid.one("record.tanks", "unknown_tank", code)
    shared = {key: value for key, value in record.items() if key != PER_TANK}
    codes = {task.id: tanks[task.tank_id].code if task.tank_id else "" for task in tasks}
    return [(task, shared | own.get(codes[task.id], {})) for task in tasks]


async def _record_one(
    work: Work, visit: _Visit, task: WorkOrderTask, tank: Tank | None, fields: Mapping[str, Any]
) -> tuple[Cleaning, dict[str, object]]:
    """Return the cleaning of one tank, its record checked and its violations marked.

    With it goes what of the record may stand in the ledger.
    """
    record = read_cleaning_record(
        fields,
        visit.book,
        now=work.now,
        today=visit.today,
        timezone=visit.utility.timezone,
        volume_m3=tank.volume_m3 if tank else None,
    )
    cleaned_on = civil_day(record.ended_at, visit.utility.timezone)
    late = lateness_of(visit.book, record.ended_at, work.now, visit.late_reason)
    book = await book_of(work, visit.utility, cleaned_on)
    unfit, signs = await unfit_people(work, visit.utility, book, record.people, cleaned_on)
    cleaning = Cleaning(
        utility_id=visit.utility.id,
        facility_id=visit.facility.id,
        tank_id=tank.id if tank else None,
        subject_id=task.subject_id,
        work_order_id=visit.order.id,
        cleaned_on=cleaned_on,
        record=dict(record.given),
        report_number=record.values.get("report_number"),
        recorded_at=work.now,
        late_reason=late.reason,
        violations=unfit,
        flags=[*late.flags, *_signs(record, visit.book, cleaned_on), *signs, *_gaps(visit, tank)],
    )
    task.cleaning_id = cleaning.id
    return cleaning, record.told(await staff_ids(work, visit.utility, record.named))


def _gaps(visit: _Visit, tank: Tank | None) -> list[FlagCode]:
    """Flag gates passed by: nobody started or was sent, or the water was stopped untold."""
    isolable = tank is None or tank.isolable
    return [
        *_unstarted(visit),
        *outage_signs(isolable=isolable, notice_number=visit.outage_number),
    ]


def _unstarted(visit: _Visit) -> list[FlagCode]:
    """Flag work that nobody had started, or recorded by somebody not sent: gates passed by.

    It is recorded all the same: what happened can always be recorded.
    """
    started = visit.order.state is WorkOrderState.started
    unstarted = [] if started else [FlagCode.not_started]
    return [*unstarted, *([] if visit.by_crew else [FlagCode.not_assigned])]


def _signs(record: CleaningRecord, book: Rulebook, cleaned_on: date) -> list[FlagCode]:
    obligation = book.obligation(CLEANING, cleaned_on)
    if obligation is None:
        return []
    values = record.values
    return [
        *record.flags,
        *contact_signs(int(values["contact_minutes"]), obligation),
        *batch_signs(
            cleaned_on,
            obligation,
            batch=values["disinfectant_batch"],
            expires_on=values["disinfectant_expires_on"],
        ),
    ]


async def _close(
    work: Work, visit: _Visit, recorded: Sequence[tuple[Cleaning, dict[str, object]]]
) -> None:
    order, cleanings = visit.order, [cleaning for cleaning, _ in recorded]
    work.session.add_all(cleanings)
    await work.session.flush()
    await close_tasks(work, order)
    order.state, order.completed_at = WorkOrderState.completed, work.now
    order.version += 1
    for cleaning in cleanings:
        await credit_recorded(work, visit.utility, visit.facility, cleaning)
    satisfied = ["credited_cleaning", "own_sample"]
    await rederive(work, visit.utility, facility_ids=[visit.facility.id], evidence=satisfied)
    for cleaning, told in recorded:
        record_order(
            work,
            visit.facility,
            order,
            "cleaning.completed",
            cleaning=cleaning.id,
            tank=cleaning.tank_id,
            cleaned_on=cleaning.cleaned_on.isoformat(),
            record=told,
            violations=cleaning.violations,
            flags=cleaning.flags,
            late_reason_given=cleaning.late_reason is not None,
        )
