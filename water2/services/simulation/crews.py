"""Crews: orders planned, begun, completed (sometimes weeks late), sampled, given results."""

from datetime import date, timedelta
from functools import partial

from sqlmodel import col, select

from water2.domain.cleaning import Cleaning
from water2.domain.errors import DomainError, RuleViolation
from water2.domain.facility import Facility
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.simulation.oracle import is_fit
from water2.services.simulation.papers import cleaning_record
from water2.services.simulation.sampling import take_own_sample
from water2.services.simulation.world import CleaningFact, PersonLife, World
from water2.services.work_orders import (
    CancelWorkOrder,
    CreateWorkOrder,
    cancel_work_order,
    create_work_order,
    crew_of,
    duties_served,
    live_tasks,
    start_work_order,
)

CREW = 3
DISPATCHED_A_DAY = 0.25
CANCELLED = 0.02
WRITTEN_LATE = 0.15
UNFIT_TRIED = 0.05


async def dispatch(world: World) -> None:
    """Plan some of the open orders, and make orders for what nobody is sent to any more."""
    world.at(9)
    async with world.runtime.read(world.actor) as work:
        rows = await work.session.exec(
            select(WorkOrder.id)
            .join(Facility, col(Facility.id) == WorkOrder.facility_id)
            .where(WorkOrder.utility_id == world.utility.id, WorkOrder.state == WorkOrderState.open)
            .order_by(Facility.code, col(WorkOrder.created_at))
        )
        order_ids = list(rows)
    for order_id in order_ids:
        if world.happens(CANCELLED):
            await _cancel(world, order_id)
        elif world.happens(DISPATCHED_A_DAY):
            await plan(world, order_id, world.today + timedelta(days=world.random.randint(0, 9)))
    if world.today.day in (1, 11, 21):
        await _send_to_the_forgotten(world)


async def _cancel(world: World, order_id: str) -> None:
    async with world.runtime.work(world.actor) as work:
        await cancel_work_order(work, order_id, CancelWorkOrder(reason="simulated"))
    world.acts += 1


async def plan(world: World, order_id: str, on: date) -> None:
    """Plan an order no later than its legal day, with people who are fit; else try again later."""
    async with world.runtime.read(world.actor) as work:
        order = await work.session.get_one(WorkOrder, order_id)
        due = [duty.due_on for duty in await duties_served(work, order)]
    on = min([on, *(day for day in due if day >= world.today)])
    fit = [person for person in world.people if is_fit(person, on)]
    if world.happens(UNFIT_TRIED):
        await _try_unfit(world, order_id, on)
    if len(fit) < CREW:
        world.later(3, partial(_plan_again, order_id=order_id))
        return
    crew = world.random.sample(fit, CREW)
    command = PlanWorkOrder(on=on, crew=[person.code for person in crew], stops_supply=False)
    try:
        async with world.runtime.work(world.actor) as work:
            await plan_work_order(work, order_id, command)
    except DomainError as error:
        world.refused("plan", order_id, error)
        return
    world.acts += 1
    job = partial(work_on, order_id=order_id)
    if on == world.today:
        await job(world)
    else:
        world.agenda[on].append(job)


async def _plan_again(world: World, order_id: str) -> None:
    async with world.runtime.read(world.actor) as work:
        order = await work.session.get_one(WorkOrder, order_id)
    if order.state in (WorkOrderState.open, WorkOrderState.planned):
        await plan(world, order_id, world.today)


async def _try_unfit(world: World, order_id: str, on: date) -> None:
    """Send somebody who may not work: it must be refused."""
    unfit = next((person for person in world.people if not is_fit(person, on)), None)
    if unfit is None:
        return
    try:
        async with world.runtime.work(world.actor) as work:
            command = PlanWorkOrder(on=on, crew=[unfit.code], stops_supply=False)
            await plan_work_order(work, order_id, command)
    except RuleViolation:
        return
    world.complain("unfit_person_assigned", unfit.code, on)


async def work_on(world: World, order_id: str) -> None:
    """Begin a planned order if its crew still stands and is fit, else plan it anew."""
    world.at(10)
    async with world.runtime.read(world.actor) as work:
        order = await work.session.get_one(WorkOrder, order_id)
        codes = {person.code for person in await crew_of(work, order)}
        tasks = await live_tasks(work, order)
    if order.state is not WorkOrderState.planned or order.planned_on != world.today or not tasks:
        return
    crew = [person for person in world.people if person.code in codes]
    if len(crew) < CREW or not all(is_fit(person, world.today) for person in crew):
        world.later(1, partial(_plan_again, order_id=order_id))
        return
    async with world.runtime.work(world.actor) as work:
        await start_work_order(work, order_id)
    world.acts += 1
    # in an order that does not hang on ids, which are never the same twice
    cleaned = {task.subject_id for task in tasks}
    facts = [CleaningFact(one.id, world.today) for one in world.subjects if one.id in cleaned]
    world.cleanings += facts
    late = world.random.randint(2, 30) if world.happens(WRITTEN_LATE) else 0
    job = partial(complete, order_id=order_id, crew=crew, on=world.today, facts=facts)
    if late:
        world.later(late, job)
    else:
        await job(world)
    for fact in facts:
        take_own_sample(world, fact.subject_id)


async def complete(
    world: World, order_id: str, crew: list[PersonLife], on: date, facts: list[CleaningFact]
) -> None:
    """Record the cleaning of all tanks of an order, on its day or late."""
    now = world.at(17)
    late = on < world.today
    ended_at = world.instant(on, 15) if late else now - timedelta(hours=1)
    record = cleaning_record(ended_at, [person.code for person in crew])
    command = CompleteWorkOrder(record=record, late_reason="paper" if late else None)
    try:
        async with world.runtime.work(world.actor) as work:
            _, cleanings = await complete_work_order(work, order_id, command)
    except DomainError as error:
        world.refused("complete", order_id, error)
        return
    world.acts += 1
    _note(world, facts, cleanings)


def _note(world: World, facts: list[CleaningFact], cleanings: list[Cleaning]) -> None:
    ids = {cleaning.subject_id: cleaning.id for cleaning in cleanings}
    for fact in facts:
        fact.id = ids.get(fact.subject_id)
        world.touched.add(fact.subject_id)


async def _send_to_the_forgotten(world: World) -> None:
    """Make orders where a cleaning is owed and nobody is sent: its sample was never taken."""
    for facility in world.facilities:
        owed = [
            tank.id
            for tank in facility.tanks
            if tank.ended_on is None and _last_cleaned(world, tank.id) < _long_ago(world)
        ]
        if not owed or facility.duties_from is None:
            continue
        async with world.runtime.read(world.actor) as work:
            rows = await work.session.exec(
                select(WorkOrder.id).where(
                    WorkOrder.facility_id == facility.id,
                    col(WorkOrder.state).in_(("open", "planned", "started")),
                )
            )
            if rows.first() is not None:
                continue
        tank_ids = tuple(id_ for id_ in owed if id_ != facility.id)
        command = CreateWorkOrder(
            kind=WorkOrderKind.cleaning, facility_id=facility.id, tank_ids=tank_ids
        )
        async with world.runtime.work(world.actor) as work:
            await create_work_order(work, command)
        world.acts += 1


def _last_cleaned(world: World, subject_id: str) -> date:
    days = [fact.cleaned_on for fact in world.cleanings if fact.subject_id == subject_id]
    return max(days, default=date.min)


def _long_ago(world: World) -> date:
    return world.today - timedelta(days=200)
