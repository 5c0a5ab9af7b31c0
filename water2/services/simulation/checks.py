"""The invariants of duties, assignments and reminders, checked after every day."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from sqlmodel import col, func, select

from water2.domain.duty import Duty
from water2.domain.ledger import Ledger
from water2.domain.organisation import Utility
from water2.domain.reminder import Digest, Reminder
from water2.domain.staff import Staff
from water2.domain.work_order import Assignment, WorkOrder, WorkOrderTask
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.simulation.oracle import (
    Expected,
    expected_duties,
    is_fit,
    missed_halves,
    months_after,
)
from water2.services.simulation.world import World
from water2.services.sweep import sweep
from water2.work import Work

Key = tuple[str, str]


async def check_day(world: World, *, thoroughly: bool) -> None:
    """Check all invariants; `thoroughly`: every duty that ever was, and what readers are shown."""
    await _check_second_sweep(world)
    expected: dict[Key, list[Expected]] = defaultdict(list)
    for duty in expected_duties(world):
        expected[duty.obligation, duty.subject_id].append(duty)
    async with world.runtime.read(world.actor) as work:
        await _check_unsatisfied(world, work, expected)
        subjects = None if thoroughly else world.touched
        await _check_chains(world, work, expected, subjects)
        await _check_assignments(world, work)
        await _check_reminders(world, work)
        if thoroughly:
            await _check_shown(world, work)
    world.touched.clear()


async def _check_second_sweep(world: World) -> None:
    before = await _fingerprint(world)
    again = await sweep(world.runtime)
    if again.looked_at or await _fingerprint(world) != before:
        world.complain("second_sweep_changed", world.utility.code, again)


async def _fingerprint(world: World) -> tuple[Any, ...]:
    """Return how many rows and entries there are, in one statement."""
    tables = (Duty, Digest, Reminder, WorkOrder, WorkOrderTask, Assignment)
    counts = [select(func.count()).select_from(table).scalar_subquery() for table in tables]
    size = select(func.sum(Ledger.size)).scalar_subquery()
    columns: tuple[Any, ...] = (*counts, size)
    async with world.runtime.read(world.actor) as work:
        return tuple((await work.session.execute(select(*columns))).one())


def _own(world: World, *columns: Any) -> Any:
    """Return a statement on the simulated utility's duties."""
    return select(*columns).where(Duty.utility_id == world.utility.id)


async def _check_unsatisfied(world: World, work: Work, expected: dict[Key, list[Expected]]) -> None:
    """Exactly one unsatisfied duty per provision and subject in force, due on the right day."""
    awaited = {
        key: chain[-1].due_on
        for key, chain in expected.items()
        if chain[-1].satisfied_on is None and chain[-1].ended_on is None
    }
    statement = _own(world, Duty.obligation, Duty.subject_id, Duty.due_on).where(
        col(Duty.satisfied_on).is_(None), col(Duty.ended_on).is_(None)
    )
    found: dict[Key, list[date]] = defaultdict(list)
    for obligation, subject_id, due_on in await work.session.execute(statement):
        found[obligation, subject_id].append(due_on)
    for key in awaited.keys() | found.keys():
        wanted = [awaited[key]] if key in awaited else []
        if found.get(key, []) != wanted:
            world.complain("one_unsatisfied_duty", str(key), f"{found.get(key)} not {wanted}")


async def _check_chains(
    world: World, work: Work, expected: dict[Key, list[Expected]], subjects: set[str] | None
) -> None:
    """The chain equals the oracle's, link by link; no gap above six months counts as met."""
    statement = _own(world, Duty).order_by(Duty.ordinal)
    if subjects is not None:
        statement = statement.where(col(Duty.subject_id).in_(sorted(subjects)))
    found: dict[Key, list[Duty]] = defaultdict(list)
    for duty in (await work.session.execute(statement)).scalars():
        found[duty.obligation, duty.subject_id].append(duty)
    for key, chain in expected.items():
        if subjects is None or key[1] in subjects:
            _compare(world, key, chain, found.get(key, []))
            _check_gaps(world, key, found.get(key, []))


def _compare(world: World, key: Key, wanted: list[Expected], found: list[Duty]) -> None:
    told = [
        (d.ordinal, d.due_on, d.satisfied_on, d.ended_on, d.satisfied_by if w.by else None)
        for d, w in zip(found, wanted, strict=False)
    ]
    right = [(w.ordinal, w.due_on, w.satisfied_on, w.ended_on, w.by) for w in wanted]
    if told != right or len(found) != len(wanted):
        differing = [pair for pair in zip(told, right, strict=False) if pair[0] != pair[1]]
        lengths = f"{len(found)} links, not {len(wanted)}"
        world.complain("chain_equals_oracle", str(key), f"{lengths}; {differing[:2]}")


def _check_gaps(world: World, key: Key, chain: list[Duty]) -> None:
    if key[0] != "cleaning":
        return
    last = chain[0].runs_from if chain else None
    for duty in chain:
        if duty.satisfied_on is None or last is None:
            break
        in_time = duty.satisfied_on <= duty.due_on
        if in_time and duty.satisfied_on > months_after(last, 6):
            world.complain("gap_counted_as_met", key[1], f"{last} to {duty.satisfied_on}")
        last = duty.satisfied_on


async def _check_assignments(world: World, work: Work) -> None:
    """Nobody who may not work is still assigned to work not begun."""
    people = {person.id: person for person in world.people}
    columns: tuple[Any, ...] = (Staff.id, WorkOrder.planned_on)
    rows = await work.session.execute(
        select(*columns)
        .join(Assignment, col(Assignment.staff_id) == Staff.id)
        .join(WorkOrder, col(WorkOrder.id) == Assignment.work_order_id)
        .where(
            WorkOrder.utility_id == world.utility.id,
            col(WorkOrder.state).in_(("open", "planned")),
            col(Assignment.withdrawn_at).is_(None),
        )
    )
    for staff_id, planned_on in rows:
        person = people[staff_id]
        gone = person.left_on is not None and planned_on is not None and planned_on > person.left_on
        if gone or (person.left_on is None and not is_fit(person, world.today)):
            world.complain("unfit_still_assigned", person.code, planned_on)


async def _check_reminders(world: World, work: Work) -> None:
    """Nobody is reminded of one duty twice on one day."""
    doubled = await work.session.execute(
        select(Reminder.duty_id, func.count())
        .join(Digest, col(Digest.id) == Reminder.digest_id)
        .where(Digest.utility_id == world.utility.id, Digest.made_on == world.today)
        .group_by(Reminder.duty_id, Reminder.recipient)
        .having(func.count() > 1)
    )
    for duty_id, count in doubled:
        world.complain("reminder_doubled", duty_id, count)


async def _check_shown(world: World, work: Work) -> None:
    """What readers are shown of cleaning duties: days late and missed halves."""
    utility = await work.session.get_one(Utility, world.utility.id)
    for tank in world.subjects:
        page = await list_duties(
            work, utility, DutyFilters(obligation="cleaning", subject=tank.id, limit=500)
        )
        for shown in page.items:
            if shown["satisfied_on"] is not None:
                continue
            due_on = date.fromisoformat(shown["due_on"])
            late = max(timedelta(0), (tank.ended_on or world.today) - due_on).days
            if shown["days_overdue"] != late:
                world.complain("days_overdue", tank.id, f"{shown['days_overdue']}, not {late}")
            if shown["missed_halves"] != missed_halves(world, tank):
                told = f"{shown['missed_halves']}, not {missed_halves(world, tank)}"
                world.complain("missed_halves", tank.id, told)
