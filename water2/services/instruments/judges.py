"""What judges the readings of a utility's instruments, made once for a batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.instrument import InstrumentRegister
from water2.domain.organisation import Utility
from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.excursions import ExcursionRule, excursion_rule
from water2.rules.online import Gauge, gauge
from water2.rules.parameters import Disinfectant, Limit
from water2.services.instruments.given_rows import given, given_rows
from water2.services.instruments.known import Facts
from water2.services.rows import on_postgresql
from water2.services.rulebooks import OwnRules, rules_of
from water2.work import Work

Disinfected = tuple[date, Disinfectant]


@dataclass
class Judges:
    """What judges the readings of a utility, made once for a batch: books, limits, rules."""

    utility: Utility
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


@dataclass(slots=True)
class Site:
    """A facility whose instruments are read."""

    id: str
    ledger_id: str
    disinfectant: Disinfectant
    utility: Utility
    judges: Judges
    _gauges: dict[tuple[date, str], Gauge] = field(default_factory=dict)

    def gauge(self, day: date, facts: Facts) -> Gauge:
        """Give what judges an instrument on a day."""
        key = day, facts.measures
        found = self._gauges.get(key)
        if found is None:
            when = day, self.disinfectant
            found = self.judges.gauge(when, facts.parameter, facts.point)
            self._gauges[key] = found
        return found


@cache
def _facilities(postgresql: bool) -> Any:
    wanted = given_rows(postgresql, "id").c.id
    return (
        select_columns(
            col(Facility.id),
            col(Facility.ledger_id),
            col(Facility.disinfectant),
            col(Facility.utility_id),
        )
        .where(col(Facility.id).in_(select_columns(wanted)))
        .order_by(col(Facility.id))
        .with_for_update(key_share=True)
    )


_UTILITIES = (
    select(Utility, InstrumentRegister.stamp)
    .join(InstrumentRegister, col(InstrumentRegister.utility_id) == col(Utility.id))
    .where(col(Utility.id).in_(bindparam("ids", expanding=True)))
)


async def lock_sites(
    work: Work, facility_ids: Collection[str]
) -> tuple[dict[str, Site], dict[str, str]]:
    """Return the facilities that instruments stand in, locked, and their utilities' stamps.

    The lock is what every act on a facility begins with: two batches do not judge each other's
    neighbourhood half.
    """
    ids = given(work, id=sorted(facility_ids))
    found = await work.session.execute(_facilities(on_postgresql(work)), ids)
    rows = found.all()
    wanted = sorted({row.utility_id for row in rows})
    utilities = (await work.session.execute(_UTILITIES, {"ids": wanted})).all()
    judges = {one.id: Judges(one, await rules_of(work, one)) for one, _ in utilities}
    sites = {
        id_: Site(id_, ledger, disinfectant.value, judges[utility_id].utility, judges[utility_id])
        for id_, ledger, disinfectant, utility_id in rows
    }
    return sites, {one.id: stamp for one, stamp in utilities}
