"""The simulated world: what is known to have happened, kept apart from the database.

It holds facts as they were told to the use-cases and nothing the program derives from them, so that
`oracle` can say what should follow.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from water2.domain.access import Actor
from water2.domain.errors import DomainError
from water2.domain.organisation import Utility
from water2.domain.patrol import PatrolKind
from water2.domain.water import Point
from water2.work import Runtime

Job = Callable[["World"], Awaitable[None]]


@dataclass(frozen=True)
class Violation:
    """An invariant that did not hold: on which day, for which seed and subject, and how."""

    day: date
    seed: int
    invariant: str
    subject: str
    facts: str


@dataclass(frozen=True)
class SimulationReport:
    """What a simulation came to."""

    seed: int
    days: int
    acts: int
    entries: int
    violations: tuple[Violation, ...]


class SimulatedClock:
    """A clock that the simulation moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return where it stands."""
        return self.now


@dataclass
class TankLife:
    """A tank, or the facility itself where it has none."""

    id: str
    code: str
    facility: "FacilityLife"
    in_use_on: date | None
    ended_on: date | None = None


@dataclass
class FacilityLife:
    """A facility; `tanks` holds itself as a subject where it has none."""

    id: str
    code: str
    duties_from: date | None
    weekly_rounds: bool
    tanks: list[TankLife] = field(default_factory=list)
    next_round: dict[PatrolKind, date] = field(default_factory=dict)
    next_test: date = date.max


@dataclass
class Card:
    """A health certificate."""

    id: str
    examined_on: date
    valid_to: date
    revoked_on: date | None = None


@dataclass
class PersonLife:
    """Somebody who handles water."""

    id: str
    code: str
    since_on: date
    trained_on: date | None = None
    training_id: str | None = None
    left_on: date | None = None
    cards: list[Card] = field(default_factory=list)


@dataclass
class CleaningFact:
    """A cleaning that happened; `id` once it is on record.

    `passed_on`: the record itself says that a sample of that day passed.
    """

    subject_id: str
    cleaned_on: date
    id: str | None = None
    passed_on: date | None = None


@dataclass
class World:
    """The simulated world and the means to act on it."""

    runtime: Runtime
    clock: SimulatedClock
    utility: Utility
    actor: Actor
    random: Random
    seed: int
    today: date
    facilities: list[FacilityLife] = field(default_factory=list)
    people: list[PersonLife] = field(default_factory=list)
    cleanings: list[CleaningFact] = field(default_factory=list)
    passed_samples: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    own_samples: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    rounds: dict[tuple[str, PatrolKind], list[tuple[date, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    tests: dict[str, list[tuple[date, Point, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    agenda: dict[date, list[Job]] = field(default_factory=lambda: defaultdict(list))
    touched: set[str] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)
    acts: int = 0
    number: int = 0

    @property
    def subjects(self) -> list[TankLife]:
        """Return everything that is to be cleaned, or was."""
        return [tank for facility in self.facilities for tank in facility.tanks]

    def at(self, hour: int, minute: int = 0) -> datetime:
        """Move the clock to an hour of today in the utility's zone; never back."""
        local = datetime.combine(self.today, time(hour, minute), ZoneInfo(self.utility.timezone))
        self.clock.now = max(self.clock.now, local.astimezone(UTC))
        return self.clock.now

    def instant(self, day: date, hour: int) -> datetime:
        """Return an hour of a day in the utility's zone."""
        return datetime.combine(day, time(hour), ZoneInfo(self.utility.timezone))

    def later(self, days: int, job: Job) -> None:
        """Put a job on the agenda, tomorrow at the earliest."""
        self.agenda[self.today + timedelta(days=max(1, days))].append(job)

    def happens(self, probability: float) -> bool:
        """Draw."""
        return self.random.random() < probability

    def next_number(self) -> int:
        """Return a number not used before, for codes and reports."""
        self.number += 1
        return self.number

    def complain(self, invariant: str, subject: str, facts: object) -> None:
        """Note that an invariant does not hold."""
        self.violations.append(Violation(self.today, self.seed, invariant, subject, str(facts)))

    def refused(self, act: str, subject: str, error: DomainError) -> None:
        """Note that an act which should go through was refused."""
        self.complain("unexpected_refusal", subject, f"{act}: {error!r}")
