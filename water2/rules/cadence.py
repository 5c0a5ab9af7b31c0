"""By when: first and next due days, and the chain of duties that evidence makes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from water2.rules.calendar import PeriodKind, add_months, period_of, periods_between


@dataclass(frozen=True)
class Cadence:
    """How often: every `months`, every `days`, once in each `calendar` period, or `once`.

    `at_once` makes the first due day the day the duty begins (a health check before work), and not
    one interval later.
    """

    months: int | None = None
    days: int | None = None
    calendar: Literal["year"] | None = None
    at_once: bool = False
    once: bool = False


def first_due(cadence: Cadence, runs_from: date) -> date:
    """Give the due day of what was never done, for a duty that runs from a day.

    Reading: six months from the day the duties run; with a calendar cadence the end of that period.
    """
    if cadence.at_once:
        return runs_from
    if cadence.calendar is not None:
        return period_of(runs_from, cadence.calendar).last
    return _one_interval_after(cadence, runs_from)


def next_due(cadence: Cadence, done_on: date) -> date | None:
    """Give the due day that follows what was done on a day; None when once is enough.

    The due day itself is not late. With a calendar cadence it is the end of the period after the
    one it was done in.
    """
    if cadence.once:
        return None
    if cadence.calendar is not None:
        following = period_of(done_on, cadence.calendar).last + timedelta(days=1)
        return period_of(following, cadence.calendar).last
    return _one_interval_after(cadence, done_on)


def _one_interval_after(cadence: Cadence, day: date) -> date:
    return add_months(day, cadence.months or 0) + timedelta(days=cadence.days or 0)


@dataclass(frozen=True)
class Evidence:
    """What satisfies a duty: done on a day; `next_due` is the next duty's day (None: no next)."""

    id: str
    on: date
    next_due: date | None


def evidences_of(cadence: Cadence, done: Iterable[tuple[str, date]]) -> tuple[Evidence, ...]:
    """Make evidence of (id, day) pairs, in order of day and id.

    With a calendar cadence a second act within one period is no evidence: the first satisfied that
    period, and the second must not stand in for the next.
    """
    found: dict[object, Evidence] = {}
    for id_, on in sorted(done, key=lambda pair: (pair[1], pair[0])):
        slot = period_of(on, cadence.calendar).key if cadence.calendar else (on, id_)
        found.setdefault(slot, Evidence(id_, on, next_due(cadence, on)))
    return tuple(found.values())


@dataclass(frozen=True)
class Link:
    """One duty of a chain: due by a day, satisfied (when and by which evidence) or still open."""

    ordinal: int
    due_on: date
    satisfied_on: date | None = None
    satisfied_by: str | None = None


@dataclass(frozen=True)
class Era:
    """A time under one rule, from its first day on (the first era's is not looked at).

    `first_due` and `evidences` are the first due day and the evidence as this rule reads them.
    """

    begins: date
    first_due: date
    evidences: tuple[Evidence, ...]


DueDays = list[tuple[date, date | None]]  # of one link: the day each rule begins, the day it sets


def chain(eras: Sequence[Era], runs_from: date, today: date) -> tuple[Link, ...]:
    """Derive the duties of one subject under one provision from all its evidence.

    The order of arrival does not matter. Evidence of one day makes one link, satisfied by the
    lowest id, and sets the latest next due day among them. The last link is the unsatisfied one,
    unless an evidence without a next due day ended the chain; what follows it is passed over.

    Each link is judged by what was in force on its day: a satisfied one on the day it was
    satisfied, the open one today.
    """
    links: list[Link] = []
    following = [{each.id: each.next_due for each in era.evidences} for era in eras]
    anchor = runs_from
    days: DueDays = [(era.begins, era.first_due) for era in eras]
    for on, group in groupby(_acts_of_their_day(eras), key=lambda act: act[0]):
        ids = [id_ for _, id_ in group]
        due = due_under(days, anchor, on)
        if due is None:
            return tuple(links)
        links.append(Link(len(links) + 1, due, on, ids[0]))
        anchor = on
        days = [
            (era.begins, _latest(due_after[id_] for id_ in ids if id_ in due_after))
            for era, due_after in zip(eras, following, strict=True)
        ]
    due = due_under(days, anchor, today)
    return tuple(links) if due is None else (*links, Link(len(links) + 1, due))


def due_under(days: DueDays, anchor: date, on: date) -> date | None:
    """Give the due day, as it stood on a day, of what follows an anchor (the day last done).

    Reading: a rule that begins meanwhile moves the due day, but makes nothing late before it began;
    what was late when it began stays late by the rule it broke.
    """
    due = days[0][1]
    for begins, day in days[1:]:
        if begins > on:
            break
        if begins <= anchor:
            due = day
        elif due is None or day is None or due < begins:
            break
        else:
            due = max(day, begins)
    return due


def _acts_of_their_day(eras: Sequence[Era]) -> list[tuple[date, str]]:
    """Give the acts as (day, id) in order, each read by the rule in force on its day."""
    first_days = [date.min, *(era.begins for era in eras[1:])]
    end_days = [*first_days[1:], date.max]
    return sorted(
        (act.on, act.id)
        for era, first, end in zip(eras, first_days, end_days, strict=True)
        for act in era.evidences
        if first <= act.on < end
    )


def _latest(days: Iterable[date | None]) -> date | None:
    """Give the latest of some days; None where one of them is none: once was enough."""
    found = list(days)
    known = [day for day in found if day is not None]
    return max(known) if known and len(known) == len(found) else None


def missed_periods(
    kind: PeriodKind,
    runs_from: date,
    until: date | None,
    today: date,
    covered: Collection[str],
) -> tuple[str, ...]:
    """Give the keys of the calendar periods that passed without an act, in order.

    Reading: a period counts when it lies wholly within the time in use (`runs_from` to `until`,
    both included) and is over: its last day lies before today. `covered` holds period keys.
    """
    yesterday = today - timedelta(days=1)
    last = yesterday if until is None else min(until, yesterday)
    return tuple(
        period.key for period in periods_between(runs_from, last, kind) if period.key not in covered
    )
