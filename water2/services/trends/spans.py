"""What of a facility is looked at over which days, within bounds that keep an answer small."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.calendar import add_months
from water2.rules.limits import parameter_key
from water2.rules.parameters import Parameter
from water2.services.instants import start_of_day
from water2.services.register_queries import facility_by
from water2.services.rows import fetch, utility_of
from water2.services.rulebooks import book_of
from water2.work import Work

LONGEST_YEARS = 5
"""As long as records are kept at least; a longer span is asked for in parts."""
USUAL_MONTHS = 12


@dataclass(frozen=True)
class AskSpan:
    """What is asked for; without days the twelve months up to today. Both days are included."""

    parameter: str
    point: Point
    first: date | None = None
    last: date | None = None
    tank_id: str | None = None


@dataclass(frozen=True)
class Span:
    """One parameter at one point of a facility, or of one of its tanks, from day to day."""

    utility: Utility
    facility: Facility
    tank: Tank | None
    book: Rulebook
    parameter: Parameter
    point: Point
    first: date
    last: date

    @property
    def begins_at(self) -> datetime:
        """Return the first instant."""
        return start_of_day(self.first, self.utility.timezone)

    @property
    def ends_at(self) -> datetime:
        """Return the first instant after the span."""
        return start_of_day(self.last + timedelta(days=1), self.utility.timezone)


async def read_span(work: Work, facility_id: str, asked: AskSpan) -> Span:
    """Return what is asked for, once it is known to be there and not too long.

    Raises:
        NotFound: no such facility, or another utility's.
        Invalid: nobody knows the parameter, the tank is not the facility's, the span is reversed or
            longer than `LONGEST_YEARS`.
    """
    facility = await facility_by(work, facility_id)
    utility = await utility_of(work, facility)
    book = await book_of(work, utility)
    key = parameter_key(book, asked.parameter, facility.disinfectant.value)
    if key is None:
        raise Invalid.one("parameter", "unknown_parameter", asked.parameter)
    last = asked.last or max(work.today(utility.timezone), asked.first or date.min)
    first = asked.first or add_months(last, -USUAL_MONTHS)
    require_span(first, last)
    tank = await fetch(work, Tank, asked.tank_id) if asked.tank_id else None
    if tank is not None and tank.facility_id != facility.id:
        raise Invalid.one("tank_id", "unknown_tank", asked.tank_id, facility=facility.code)
    return Span(utility, facility, tank, book, book.parameters[key], asked.point, first, last)


def require_span(first: date, last: date) -> None:
    """Refuse a span that ends before it begins, or is too long for one answer.

    Raises:
        Invalid: it is.
    """
    if first > last:
        raise Invalid.one("to", "range_reversed", last.isoformat())
    if last >= add_months(first, 12 * LONGEST_YEARS):
        raise Invalid.one("from", "span_too_long", first.isoformat(), years=LONGEST_YEARS)
