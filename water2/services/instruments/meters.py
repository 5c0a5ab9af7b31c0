"""An instrument with all that judges its readings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from water2.domain.water import Point
from water2.rules.excursions import ExcursionRule
from water2.rules.instruments import SignRule, in_calibration, sign_rule
from water2.rules.online import Gauge, Judged
from water2.services.instruments.judges import Site

Named = str | tuple[str, str]
"""An instrument's id, or its code and its facility's id."""


@dataclass(slots=True)
class Facts:
    """An instrument as it stands in the register; `valid` are the days of its calibrations."""

    id: str
    code: str
    facility_id: str
    tank_id: str | None
    parameter: str
    point: Point
    unit: str | None
    interval_seconds: int
    installed_on: date
    removed_on: date | None
    utility_id: str
    valid: list[tuple[date, date]] = field(default_factory=list)


def _nothing(raw: str) -> Judged:
    raise LookupError(raw)


@dataclass(slots=True)
class Meter:
    """An instrument as its readings are judged; `judge` and `calibrated` hold on `judged_on`."""

    id: str
    facts: Facts
    site: Site
    judged_on: date | None = None
    judge: Callable[[str], Judged] = _nothing
    calibrated: bool = False

    @property
    def interval(self) -> timedelta:
        """How often a reading is expected."""
        return timedelta(seconds=self.facts.interval_seconds)

    def gauge(self, day: date) -> Gauge:
        """Give what judges it on a day."""
        when = day, self.site.disinfectant
        return self.site.judges.gauge(when, self.facts.parameter, self.facts.point)

    def judge_on(self, day: date) -> None:
        """Take up what judges it on a day: readings of one day mostly follow each other."""
        self.judged_on, self.judge = day, self.gauge(day).judge
        self.calibrated = in_calibration(self.facts.valid, day)

    def day(self, at: datetime) -> date:
        """Give the civil day of an instant."""
        return at.astimezone(self.site.judges.zone).date()

    def excursion_rule(self, day: date) -> ExcursionRule | None:
        """Give what is a sustained excursion."""
        return self.site.judges.excursion_rule(day, self.interval)

    def sign_rule(self, day: date) -> SignRule | None:
        """Give what is a sign that it does not measure."""
        book = self.site.judges.book(day)
        return sign_rule(book, day, self.facts.parameter, self.site.disinfectant, self.interval)
