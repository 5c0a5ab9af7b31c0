"""Civil days: months clamped at the end, calendar periods, plans moved off holidays."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

PeriodKind = Literal["month", "quarter", "half", "year"]

MONTHS_IN: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
LONGEST_HOLIDAY_DAYS = 31
"""How far back a working day is looked for; no public holiday is longer."""


def add_months(day: date, months: int) -> date:
    """Go `months` calendar months on (or back), clamped to the month's end.

    Reading: a month ends on its last day, so 31 August and six months is 28 or 29 February. Always
    count from the anchor: chained steps drift (31 → 28 → 28).
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def anniversary(day: date) -> date:
    """Give the last day of the year that begins on a day.

    Reading: "every year" lasts until the anniversary, that day included; 29 February → 28 February.
    """
    return add_months(day, 12)


@dataclass(frozen=True, order=True)
class Period:
    """A calendar period, both days included; its key is `2025-07`, `2025-Q3`, `2025-H1`, `2025`."""

    first: date
    last: date
    key: str


def period_of(day: date, kind: PeriodKind) -> Period:
    """Give the calendar period a day lies in."""
    months = MONTHS_IN[kind]
    index = (day.month - 1) // months
    first = date(day.year, index * months + 1, 1)
    last_month = first.month + months - 1
    last = date(day.year, last_month, _days_in(day.year, last_month))
    return Period(first, last, _key(day.year, index + 1, kind))


def _key(year: int, number: int, kind: PeriodKind) -> str:
    match kind:
        case "year":
            return f"{year:04}"
        case "half":
            return f"{year:04}-H{number}"
        case "quarter":
            return f"{year:04}-Q{number}"
        case "month":
            return f"{year:04}-{number:02}"


@lru_cache(maxsize=4096)  # a fleet began on some thousand days; each list asks for them again
def periods_between(first: date, last: date, kind: PeriodKind) -> tuple[Period, ...]:
    """Give the periods that lie wholly within two days, both included, in order."""
    found = []
    period = period_of(first, kind)
    while period.last <= last:
        if period.first >= first:
            found.append(period)
        if period.last == date.max:
            break
        period = period_of(period.last + timedelta(days=1), kind)
    return tuple(found)


def period_keys(days: Iterable[date], kind: PeriodKind) -> frozenset[str]:
    """Give the keys of the periods that days lie in."""
    return frozenset(period_of(day, kind).key for day in days)


def move_to_working_day(day: date, is_working: Callable[[date], bool]) -> date:
    """Move a planned day back to the nearest working day, never on.

    A day with no working day in the 31 before it stays as it is.
    """
    for back in range(LONGEST_HOLIDAY_DAYS + 1):
        earlier = day - timedelta(days=back)
        if is_working(earlier):
            return earlier
    return day
