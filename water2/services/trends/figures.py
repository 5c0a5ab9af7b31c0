"""A month's figures as they are told: counts, and rates with what they were counted from."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from water2.domain.water import SampleVerdict
from water2.rules.compliance import Rate


@dataclass
class SampleFigures:
    """How many samples were taken, and what they add up to; pending is neither."""

    taken: int = 0
    passed: int = 0
    failed: int = 0
    pending: int = 0

    @property
    def judged(self) -> int:
        """Those that passed or failed."""
        return self.passed + self.failed

    def add(self, verdict: SampleVerdict, count: int) -> None:
        """Count so many samples of a verdict."""
        self.taken += count
        match verdict:
            case SampleVerdict.passed:
                self.passed += count
            case SampleVerdict.failed:
                self.failed += count
            case SampleVerdict.pending:
                self.pending += count


@dataclass
class DutyFigures:
    """Testing duties due, by how they ended; `open` are satisfied by nothing yet."""

    due: int = 0
    in_time: int = 0
    late: int = 0
    open: int = 0


@dataclass
class AnomalyFigures:
    """Anomalies opened, resumed and closed; the hours run from when each was found."""

    opened: int = 0
    resumed: int = 0
    closed: int = 0
    mean_hours_to_resume: str | None = None


@dataclass
class MonthFigures:
    """One month's figures; `items` are by parameter, `not_counting` of all purposes."""

    month: str
    tests: DutyFigures = field(default_factory=DutyFigures)
    samples: SampleFigures = field(default_factory=SampleFigures)
    retests: SampleFigures = field(default_factory=SampleFigures)
    not_counting: int = 0
    items: dict[str, Rate] = field(default_factory=dict)
    anomalies: AnomalyFigures = field(default_factory=AnomalyFigures)

    @property
    def rate(self) -> Rate:
        """The rate over all parameters."""
        return rate_of(self.items.values())


def rate_of(rates: Iterable[Rate]) -> Rate:
    """Return the rate of all together."""
    counted = list(rates)
    return Rate(sum(each.passed for each in counted), sum(each.judged for each in counted))
