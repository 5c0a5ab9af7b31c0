"""Monthly figures: what was due, taken, judged and failed, for a facility or a whole utility.

What counts. Samples by the civil day they were taken, of every purpose but re-tests, and only those
that `counts` (a laboratory not accredited that day proves nothing); re-tests and what does not
count are told apart. Items judged are those that passed or failed: pending ones, those without a
limit in force and reference values are in neither number. Tests are the duties of art. 17(4) by the
day they are due, satisfied in time up to and on that day. Anomalies by the instant they were
opened, resumed and closed; those found in old files (historical) had no clock and are left out.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from water2.domain.access import Action
from water2.domain.anomaly import Anomaly, AnomalyState
from water2.domain.duty import Duty
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.water import Purpose, Sample, SampleResult
from water2.rules.calendar import add_months, period_of
from water2.rules.compliance import SETTLED, TOLD_APART, Rate, mean_hours
from water2.services.instants import civil_day, start_of_day
from water2.services.register import chosen_utility
from water2.services.register_queries import facility_by
from water2.services.rows import utility_of
from water2.services.trends.figures import MonthFigures
from water2.services.trends.spans import require_span
from water2.work import Work

TESTING = "testing"
# Purposes and days are written out in the statements: for parameters PostgreSQL soon takes a plan
# for any of them, by which a few days are asked for, and walks through an index for each item.
_APART = col(Sample.purpose).in_(
    bindparam("apart", [*map(Purpose, TOLD_APART)], expanding=True, literal_execute=True)
)

Months = Mapping[int, MonthFigures]
"""Figures by the number of their month: twelve times the year, and the month from 0."""


@dataclass(frozen=True)
class AskFigures:
    """Which months, both included, named by any of their days; of a facility or a whole utility."""

    first: date
    last: date
    facility_id: str | None = None
    utility_id: str | None = None


@dataclass(frozen=True)
class _Scope:
    """Whose figures, over which days."""

    utility: Utility
    facility: Facility | None
    first: date
    last: date

    def of(self, table: Any) -> ColumnElement[bool]:
        """Return the condition that a row is within what is asked for."""
        own = table.utility_id == self.utility.id
        return own if self.facility is None else and_(own, table.facility_id == self.facility.id)

    def on(self, day: ColumnElement[date] | Mapped[date]) -> ColumnElement[bool]:
        """Return the condition that a day is within what is asked for."""
        first: BindParameter[date] = bindparam("first", self.first, literal_execute=True)
        last: BindParameter[date] = bindparam("last", self.last, literal_execute=True)
        return day.between(first, last)


async def read_figures(work: Work, asked: AskFigures) -> list[MonthFigures]:
    """Return every month's figures, those of empty months too, in four statements for any span.

    Raises:
        NotFound: no such facility or utility, or not the actor's to see.
        Invalid: no utility is named where the actor sees several; the span is reversed or too long.
    """
    work.require(Action.read)
    first, last = period_of(asked.first, "month").first, period_of(asked.last, "month").last
    require_span(first, last)
    facility = await facility_by(work, asked.facility_id) if asked.facility_id else None
    if facility is None:
        utility = await chosen_utility(work, asked.utility_id)
    else:
        utility = await utility_of(work, facility)
    scope = _Scope(utility, facility, first, last)
    months = {number: MonthFigures(_name(number)) for number in _numbers(first, last)}
    await _count_tests(work, scope, months)
    await _count_samples(work, scope, months)
    await _count_items(work, scope, months)
    await _count_anomalies(work, scope, months)
    return list(months.values())


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _numbers(first: date, last: date) -> range:
    return range(_number(first), _number(last) + 1)


def _name(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


async def _count_tests(work: Work, scope: _Scope, months: Months) -> None:
    due, satisfied = col(Duty.due_on), col(Duty.satisfied_on)
    statement = (
        select(
            due,
            func.count(),
            func.sum(case((satisfied <= due, 1), else_=0)),
            func.sum(case((satisfied > due, 1), else_=0)),
        )
        .where(
            scope.of(Duty),
            col(Duty.obligation) == TESTING,
            scope.on(due),
            col(Duty.runs_from) <= work.today(scope.utility.timezone),
            or_(satisfied.is_not(None), col(Duty.ended_on).is_(None)),  # withdrawn: owed by nobody
        )
        .group_by(due)
    )
    for day, count, in_time, late in await work.session.execute(statement):
        tests = months[_number(day)].tests
        tests.due += count
        tests.in_time += in_time
        tests.late += late
        tests.open += count - in_time - late


async def _count_samples(work: Work, scope: _Scope, months: Months) -> None:
    taken = col(Sample.sampled_on)
    parts = (taken, _APART, col(Sample.counts), col(Sample.verdict))
    statement = (
        select(*parts, func.count()).where(scope.of(Sample), scope.on(taken)).group_by(*parts)
    )
    for day, apart, counts, verdict, count in await work.session.execute(statement):
        figures = months[_number(day)]
        if not counts:
            figures.not_counting += count
        elif apart:
            figures.retests.add(verdict, count)
        else:
            figures.samples.add(verdict, count)


async def _count_items(work: Work, scope: _Scope, months: Months) -> None:
    """Count by day and fold to months here: asking for a month's number of each row costs more."""
    taken = col(Sample.sampled_on)
    parameter, verdict = col(SampleResult.parameter), col(SampleResult.verdict)
    statement = (
        select(taken, parameter, verdict, func.count())
        .join(SampleResult, col(SampleResult.sample_id) == Sample.id)
        .where(
            scope.of(Sample),
            scope.on(taken),
            col(Sample.counts),
            ~_APART,
            verdict.in_(SETTLED),
        )
        .group_by(taken, parameter, verdict)
        .order_by(parameter)
    )
    for day, key, judged, count in await work.session.execute(statement):
        items = months[_number(day)].items
        known = items.get(key, Rate(0, 0))
        passed = count if judged == "pass" else 0
        items[key] = Rate(known.passed + passed, known.judged + count)


async def _count_anomalies(work: Work, scope: _Scope, months: Months) -> None:
    """Count by the months of the utility's zone: anomalies are few, their instants are read."""
    zone = scope.utility.timezone
    begins = start_of_day(scope.first, zone)
    ends = start_of_day(add_months(scope.first, len(months)), zone)
    instants = (col(Anomaly.opened_at), col(Anomaly.resumed_at), col(Anomaly.closed_at))
    statement: Any = select(col(Anomaly.found_at), *instants).where(
        scope.of(Anomaly),
        col(Anomaly.state) != AnomalyState.historical,
        or_(*((instant >= begins) & (instant < ends) for instant in instants)),
    )
    resumed_after: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)

    def month_of(instant: datetime | None) -> int | None:
        within = instant is not None and begins <= instant < ends
        return _number(civil_day(instant, zone)) if instant is not None and within else None

    for found, opened, resumed, closed in await work.session.execute(statement):
        if (number := month_of(opened)) is not None:
            months[number].anomalies.opened += 1
        if (number := month_of(closed)) is not None:
            months[number].anomalies.closed += 1
        if (number := month_of(resumed)) is not None:
            months[number].anomalies.resumed += 1
            resumed_after[number].append((found, resumed))
    for number, spans in resumed_after.items():
        months[number].anomalies.mean_hours_to_resume = mean_hours(spans)
