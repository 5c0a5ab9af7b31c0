"""Planning a work order: the day and the people."""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day
from water2.domain.errors import Invalid
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.domain.work_order import Assignment, WithdrawnBecause, WorkOrder, WorkOrderState
from water2.rules.gates import judge_planned_day
from water2.services.assignments import people_by_code, require_fit
from water2.services.duty_histories import lawful_due_on
from water2.services.outages.for_orders import settle_outage
from water2.services.rows import fetch
from water2.services.rulebooks import book_of, rules_of
from water2.services.verdicts import require_allowed
from water2.services.work_orders import (
    BEFORE_WORK,
    assignments_of,
    duties_served,
    order_in,
    record_order,
)
from water2.work import Work


class PlanWorkOrder(Command):
    """Set the day and the people (by 工号); planning again replaces both."""

    on: Day
    crew: list[Code] = Field(min_length=1)
    stops_supply: bool


async def plan_work_order(work: Work, id_: str, command: PlanWorkOrder) -> WorkOrder:
    """Set the day and assign the crew.

    Where the work stops the supply its outage is planned, moved or called off with it (art. 15).

    Raises:
        RuleViolation: the day lies past the legal day of a tank that is not yet late, or somebody
            is not fit on that day (art. 17(2)); names them.
        Invalid: the day is past.
        Conflict: the work has begun or ended.
    """
    work.require(Action.plan)
    seen = await fetch(work, WorkOrder, id_)
    utility = await fetch(work, Utility, seen.utility_id)
    # the people before the order, as whoever withdraws them: none waits for another in a circle
    people = await people_by_code(work, utility, command.crew, lock=True)
    order, facility = await order_in(work, id_, BEFORE_WORK)
    if command.on < work.today(utility.timezone):
        raise Invalid.one("on", "in_past", command.on)
    await _require_lawful_day(work, utility, order, command.on)
    await require_fit(work, utility, people, command.on)
    await _assign(work, order, people)
    order.planned_on, order.stops_supply = command.on, command.stops_supply
    order.state, order.version = WorkOrderState.planned, order.version + 1
    await settle_outage(work, order, facility, utility, await book_of(work, utility))
    record_order(
        work,
        facility,
        order,
        "work_order.planned",
        on=command.on.isoformat(),
        stops_supply=command.stops_supply,
        crew=[person.id for person in people],
        outage=order.outage_id,
    )
    return order


async def _require_lawful_day(work: Work, utility: Utility, order: WorkOrder, on: date) -> None:
    today = work.today(utility.timezone)
    rules = await rules_of(work, utility)
    for duty in await duties_served(work, order):
        lawful = await lawful_due_on(work, rules, duty, today)
        if lawful is None:
            continue  # a target stops nobody
        provision = rules.place.provision(duty.obligation, today)
        verdict = judge_planned_day(lawful, order.planned_on, on, today, provision)
        require_allowed(verdict, utility)


async def _assign(work: Work, order: WorkOrder, people: Sequence[Staff]) -> None:
    assigned = {a.staff_id: a for a in await assignments_of(work, order)}
    wanted = {person.id for person in people}
    for staff_id, assignment in assigned.items():
        if staff_id not in wanted:
            assignment.withdrawn_at = work.now
            assignment.withdrawn_because = WithdrawnBecause.replanned
    for staff_id in sorted(wanted - set(assigned)):
        work.session.add(
            Assignment(work_order_id=order.id, staff_id=staff_id, assigned_at=work.now)
        )
