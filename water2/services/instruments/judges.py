"""What judges the readings of a utility's instruments: books, limits and rules, each found once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.excursions import ExcursionRule, excursion_rule
from water2.rules.online import Gauge, gauge
from water2.rules.parameters import Disinfectant, Limit
from water2.services.rulebooks import OwnRules

Disinfected = tuple[date, Disinfectant]


@dataclass(frozen=True)
class Owner:
    """A utility whose instruments are read, by what never changes of it."""

    id: str
    ledger_id: str
    timezone: str


@dataclass
class Judges:
    """What judges the readings of a utility, while its rules stay as they are."""

    utility: Owner
    _rules: OwnRules
    _books: dict[date, Rulebook] = field(default_factory=dict)
    _limits: dict[Disinfected, Mapping[str, Limit]] = field(default_factory=dict)
    _gauges: dict[tuple[Disinfected, str, Point], Gauge] = field(default_factory=dict)
    _excursion_rules: dict[tuple[date, timedelta], ExcursionRule | None] = field(
        default_factory=dict
    )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The utility's zone, in which civil days are counted."""
        return ZoneInfo(self.utility.timezone)

    def book(self, day: date) -> Rulebook:
        """Give the book in force on a day."""
        found = self._books.get(day)
        if found is None:
            found = self._books[day] = self._rules.on(day)
        return found

    def gauge(self, when: Disinfected, parameter: str, point: Point) -> Gauge:
        """Give what judges a parameter at a point; KeyError where the book knows none such."""
        key = when, parameter, point
        found = self._gauges.get(key)
        if found is None:
            book, limits = self.book(when[0]), self._limits.get(when)
            if limits is None:
                limits = self._limits[when] = book.limits_on(*when)
            found = gauge(book.parameters[parameter], limits.get(parameter), point.value)
            self._gauges[key] = found
        return found

    def excursion_rule(self, day: date, interval: timedelta) -> ExcursionRule | None:
        """Give what is a sustained excursion of an instrument of some interval on a day."""
        key = day, interval
        if key not in self._excursion_rules:
            self._excursion_rules[key] = excursion_rule(self.book(day), day, interval)
        return self._excursion_rules[key]


@dataclass(frozen=True)
class Site:
    """A facility whose instruments are read."""

    id: str
    ledger_id: str
    disinfectant: Disinfectant
    judges: Judges

    @property
    def utility(self) -> Owner:
        """The utility that runs it."""
        return self.judges.utility
