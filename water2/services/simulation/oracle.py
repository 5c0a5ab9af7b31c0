"""What should follow from the facts, worked out naively from the text of obligations.md.

Written apart from `water2.rules` on purpose, day by day and without its functions, so that one can
find the other wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter

from water2.domain.patrol import PatrolKind
from water2.domain.water import Point
from water2.services.simulation.world import (
    CleaningFact,
    FacilityLife,
    PersonLife,
    TankLife,
    World,
)

Act = tuple[date, date, str | None]
"""A day on which something was done, the day the next is due, the evidence."""


@dataclass(frozen=True)
class Expected:
    """A duty there should be. `by` is the evidence, None where any will do."""

    obligation: str
    subject_id: str
    ordinal: int
    due_on: date
    satisfied_on: date | None = None
    by: str | None = None
    ended_on: date | None = None


def months_after(day: date, months: int) -> date:
    """Go on month by month; a day the last month lacks becomes its last one."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for number in (day.day, 30, 29, 28):
        if number <= day.day:
            try:
                return date(year, month, number)
            except ValueError:
                continue
    raise AssertionError(day)  # every month has 28 days


def expected_duties(world: World) -> Iterator[Expected]:
    """Yield every duty there should be today, satisfied ones included."""
    yield from _duties_of_utility(world)
    for facility in world.facilities:
        yield from _duties_of_facility(world, facility)
    for person in world.people:
        yield from _duties_of_person(person)


def _duties_of_utility(world: World) -> Iterator[Expected]:
    """Yield those of a utility that never writes its emergency plan, nor drills it."""
    begun = world.utility.first_day_on
    yield Expected("emergency.plan", world.utility.id, 1, begun)
    yield Expected("emergency.plan.drill", world.utility.id, 1, months_after(begun, 12))


def _duties_of_facility(world: World, facility: FacilityLife) -> Iterator[Expected]:
    start = facility.duties_from
    if start is None:
        return
    for tank in facility.tanks:
        yield from _cleaning_duties(world, tank, max(start, tank.in_use_on or start))
        yield from _own_sample_duties(world, tank)
    id_ = facility.id
    hygiene = sorted(world.rounds[id_, PatrolKind.hygiene])
    yield from _chain(
        "daily", id_, months_after(start, 1), [(on, months_after(on, 1), by) for on, by in hygiene]
    )
    week = timedelta(days=7)
    weekly = sorted(world.rounds[id_, PatrolKind.equipment])
    yield from _chain(
        "daily.equipment", id_, start + week, [(on, on + week, by) for on, by in weekly]
    )
    tests: list[Act] = [(on, months_after(on, 3), None) for on in _test_days(world, facility)]
    yield from _chain("testing", id_, months_after(start, 3), tests)


def _cleaning_duties(world: World, tank: TankLife, start: date) -> Iterator[Expected]:
    credited = [
        (fact.cleaned_on, months_after(fact.cleaned_on, 6), fact.id)
        for fact in _credited(world, tank)
    ]
    yield from _chain("cleaning", tank.id, months_after(start, 6), sorted(credited), tank.ended_on)


def _own_sample_duties(world: World, tank: TankLife) -> Iterator[Expected]:
    """Yield that of the last cleaning on record: a sample by the day after it."""
    begun = world.utility.first_day_on
    facts = [f for f in world.cleanings if f.subject_id == tank.id and f.id]
    last = max(facts, key=lambda fact: fact.cleaned_on, default=None)
    if last is None or last.id is None or last.cleaned_on < begun:
        return
    sampled = min((on for on in world.own_samples[tank.id] if on >= last.cleaned_on), default=None)
    due_on = last.cleaned_on + timedelta(days=1)
    ended_on = tank.ended_on if sampled is None else None
    yield Expected("testing.after_cleaning", last.id, 1, due_on, sampled, ended_on=ended_on)


def _credited(world: World, tank: TankLife) -> list[CleaningFact]:
    """Return the cleanings on record whose own sample passed.

    A sample is the own one of the last cleaning on record that is not after it.
    """
    on_record = [fact for fact in world.cleanings if fact.subject_id == tank.id and fact.id]
    credited = [fact for fact in on_record if fact.passed_on is not None]
    for sampled_on in world.passed_samples[tank.id]:
        before = [fact for fact in on_record if fact.cleaned_on <= sampled_on]
        own = max(before, key=lambda fact: fact.cleaned_on, default=None)
        if own is not None and own not in credited:
            credited.append(own)
    return credited


def _test_days(world: World, facility: FacilityLife) -> list[date]:
    """Return the days by which outlet and terminal both were sampled since the last such day."""
    days: list[date] = []
    outlet = terminal = False
    for on in sorted({day for day, _, _ in world.tests[facility.id]}):
        points = {point for day, point, _ in world.tests[facility.id] if day == on}
        outlet, terminal = outlet or Point.outlet in points, terminal or Point.terminal in points
        if outlet and terminal:
            days.append(on)
            outlet = terminal = False
    return days


def _duties_of_person(person: PersonLife) -> Iterator[Expected]:
    since = person.since_on
    if person.trained_on is not None:
        yield Expected("staff.training", person.id, 1, since, person.trained_on, person.training_id)
    else:
        yield Expected("staff.training", person.id, 1, since, ended_on=person.left_on)
    checks: list[Act] = []
    longest = date.min
    for card in sorted(person.cards, key=lambda card: card.examined_on):
        last = _last_valid_day(card.examined_on, card.valid_to, card.revoked_on)
        if last is not None:
            longest = max(longest, last)
            checks.append((card.examined_on, longest, card.id))
    yield from _chain("staff.fitness", person.id, since, checks, person.left_on)


def _last_valid_day(examined_on: date, valid_to: date, revoked_on: date | None) -> date | None:
    """Return the last day a card counts: a year at most, that day included."""
    last = min(valid_to, months_after(examined_on, 12))
    if revoked_on is not None and revoked_on <= last:
        last = revoked_on - timedelta(days=1)
    return last if last >= examined_on else None


def is_fit(person: PersonLife, on: date) -> bool:
    """Tell whether a person may work on the water on a day."""
    if person.trained_on is None or person.trained_on > on:
        return False
    if person.left_on is not None and person.left_on < on:
        return False
    ends = [
        (card.examined_on, _last_valid_day(card.examined_on, card.valid_to, card.revoked_on))
        for card in person.cards
    ]
    return any(first <= on and last is not None and on <= last for first, last in ends)


def missed_halves(world: World, tank: TankLife) -> list[str]:
    """Return the calendar halves that are over, lay wholly in the time in use, and had no act."""
    start = tank.facility.duties_from
    if start is None:
        return []
    start = max(start, tank.in_use_on or start)
    done = {(f.cleaned_on.year, f.cleaned_on.month > 6) for f in _credited(world, tank)}
    missed: list[str] = []
    for year in range(start.year, world.today.year + 1):
        for second in (False, True):
            first_day = date(year, 7 if second else 1, 1)
            last_day = date(year, 12, 31) if second else date(year, 6, 30)
            in_use = start <= first_day and (tank.ended_on is None or last_day <= tank.ended_on)
            if in_use and last_day < world.today and (year, second) not in done:
                missed.append(f"{year}-H{2 if second else 1}")
    return missed


def _chain(
    obligation: str,
    subject_id: str,
    due_on: date,
    acts: Sequence[Act],
    ended_on: date | None = None,
) -> Iterator[Expected]:
    """Yield one duty after the other: a day's acts satisfy one and set the day of the next."""
    ordinal = 1
    for on, of_one_day in groupby(acts, key=itemgetter(0)):
        _, next_days, by = zip(*of_one_day, strict=True)
        yield Expected(obligation, subject_id, ordinal, due_on, on, by[0] if len(by) == 1 else None)
        ordinal, due_on = ordinal + 1, max(next_days)
    yield Expected(obligation, subject_id, ordinal, due_on, ended_on=ended_on)
