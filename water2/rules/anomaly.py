"""第十八条第二款: an anomaly's steps and their clocks, its re-tests, when supply may resume."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from water2.rules.book import Rulebook
from water2.rules.obligation import Obligation
from water2.rules.parameters import Point
from water2.rules.provision import Allowed, Refused, Verdict

ANOMALY = "anomaly"
TERMINAL: Point = "terminal"
Step = Literal["stop", "assessment", "findings"]
STEPS: tuple[Step, ...] = ("stop", "assessment", "findings")
NEVER: Mapping[Step, datetime | None] = MappingProxyType({})


@dataclass(frozen=True)
class Clock:
    """By when a step is aimed at, when it was done, and when that was entered.

    Every clock is a target, none is law: the text says at once (立即) and in time (及时), and names
    no hour.
    """

    step: Step
    due_at: datetime
    done_at: datetime | None
    entered_at: datetime | None = None

    def late_at(self, now: datetime) -> bool:
        """Whether it was, or by now is, done after its time; the very instant is in time."""
        return (self.done_at or now) > self.due_at

    @property
    def entered_late(self) -> bool:
        """Whether it was entered after its time as done in time: 补记, somebody's word alone."""
        done, entered = self.done_at, self.entered_at
        return done is not None and entered is not None and done <= self.due_at < entered


def step_clocks(
    anomaly: Obligation,
    found_at: datetime,
    done: Mapping[Step, datetime | None],
    entered: Mapping[Step, datetime | None] = NEVER,
) -> tuple[Clock, ...]:
    """Give the clocks of an anomaly found at an instant; `done` is when each step was."""
    return tuple(
        Clock(
            step,
            found_at + timedelta(minutes=int(anomaly.number(f"{step}_minutes"))),
            done.get(step),
            entered.get(step),
        )
        for step in STEPS
    )


Doing = Literal["stop", "assessment", "findings", "controls", "retest", "close"]


def next_step(clocks: Iterable[Clock], *, controlled: bool, resumed: bool) -> Doing:
    """Give what is to be done next: the step whose clock runs out first, then what has no clock.

    Supply that is resumed is not to be stopped any more.
    """
    waiting = [clock for clock in clocks if clock.done_at is None]
    if resumed:
        waiting = [clock for clock in waiting if clock.step != "stop"]
    if waiting:
        return min(waiting, key=lambda clock: clock.due_at).step
    if resumed:
        return "close"
    return "retest" if controlled else "controls"


def is_history(anomaly: Obligation, on: date, today: date) -> bool:
    """Tell whether a failure of a day is history: no clock runs, nothing is stopped, nobody told.

    Reading: what is older than the days the rulebook sets; the last of them is not.
    """
    return on < today - timedelta(days=int(anomaly.number("historical_days")))


Level = Literal["managers", "regulators"]


def escalations(
    anomaly: Obligation, clock: Clock, *, endangers_health: bool
) -> tuple[tuple[Level, datetime], ...]:
    """Give who hears of a step past its clock, and from when on: in danger the regulators, too."""
    if not endangers_health:
        return (("managers", clock.due_at),)
    after = timedelta(minutes=int(anomaly.number("regulators_after_minutes")))
    return ("managers", clock.due_at), ("regulators", clock.due_at + after)


@dataclass(frozen=True)
class Failure:
    """What failed, or was found wrong, where and when; without a parameter nobody measured it."""

    parameter: str | None
    point: Point | None
    tank_id: str | None
    at: datetime


@dataclass(frozen=True)
class Retest:
    """An item to be tested again at a point, in a sample not taken before `since`."""

    parameter: str
    point: Point
    tank_id: str | None
    since: datetime


@dataclass(frozen=True)
class RetestResult:
    """An item of a re-test: where and when the sample was taken, and whether it passed."""

    parameter: str
    point: Point
    tank_id: str | None
    at: datetime
    passed: bool


def retests_demanded(failures: Iterable[Failure], unmeasured: Sequence[str]) -> tuple[Retest, ...]:
    """Give what has to be tested again: each failed item where it failed, and at the terminal.

    Reading: what somebody noticed and nobody measured asks for the items `unmeasured` (the field
    set) at the terminal. All of it after the last failure of that item.
    """
    wanted: dict[tuple[str, Point, str | None], datetime] = {}
    latest: dict[str, datetime] = {}
    for failure in failures:
        for parameter in unmeasured if failure.parameter is None else (failure.parameter,):
            latest[parameter] = max(failure.at, latest.get(parameter, failure.at))
            places: set[tuple[Point, str | None]] = {(TERMINAL, None)}
            if failure.parameter is not None and failure.point is not None:
                places.add((failure.point, failure.tank_id))
            for point, tank_id in places:
                wanted[parameter, point, tank_id] = failure.at
    return tuple(
        Retest(parameter, point, tank_id, latest[parameter])
        for parameter, point, tank_id in sorted(wanted, key=lambda key: (*key[:2], key[2] or ""))
        if tank_id is not None or not _named_tank(wanted, parameter, point)
    )


def _named_tank(
    wanted: Iterable[tuple[str, Point, str | None]], parameter: str, point: Point
) -> bool:
    """Whether the same item is asked for at a named tank of the point: that one answers both."""
    return any(
        (other, at) == (parameter, point) and tank_id is not None for other, at, tank_id in wanted
    )


def retests_outstanding(
    demanded: Iterable[Retest], results: Sequence[RetestResult]
) -> tuple[Retest, ...]:
    """Give the re-tests that lack a pass, or whose last result is none."""
    return tuple(retest for retest in demanded if not _passed(retest, results))


def _passed(retest: Retest, results: Sequence[RetestResult]) -> bool:
    found = [result for result in results if _answers(retest, result)]
    return bool(found) and max(found, key=lambda one: (one.at, not one.passed)).passed


def _answers(retest: Retest, result: RetestResult) -> bool:
    return (
        (result.parameter, result.point) == (retest.parameter, retest.point)
        and retest.tank_id in (None, result.tank_id)
        and result.at >= retest.since
    )


def _told(retest: Retest) -> dict[str, str]:
    told = {"parameter": retest.parameter, "point": str(retest.point)}
    return told if retest.tank_id is None else told | {"tank_id": retest.tank_id}


def judge_resume(
    anomaly: Obligation, outstanding: Sequence[Retest], reading_bad: Sequence[str]
) -> Verdict:
    """Refuse to resume supply while a re-test is outstanding, or an instrument still reads bad.

    Names each re-test by item and point, and each instrument by its code.

    Reading: water that an online instrument shows out of limit is not fit, whatever a sample says:
    either the water is bad again, or the instrument is, and then it is put right or removed.
    """
    if outstanding:
        missing = [_told(one) for one in outstanding]
        return Refused(anomaly.provision, "retest_outstanding", {"missing": missing})
    if reading_bad:
        return Refused(anomaly.provision, "excursion_lasting", {"instruments": list(reading_bad)})
    return Allowed()


def judge_restoring(book: Rulebook, day: date, unresolved: Sequence[str]) -> Verdict:
    """Refuse to end an outage that anomalies not resolved stopped the water for; names them."""
    anomaly = book.obligation(ANOMALY, day)
    if not unresolved or anomaly is None:
        return Allowed()
    return Refused(anomaly.provision, "anomaly_unresolved", {"anomalies": list(unresolved)})


def judge_closing(anomaly: Obligation, *, resumed: bool, assessed: bool) -> Verdict:
    """Refuse to close before supply is resumed and the danger to health was assessed.

    Reading: whether the regulators must hear of it (18.2) cannot be left open.
    """
    if not resumed:
        return Refused(anomaly.provision, "not_resumed")
    return Allowed() if assessed else Refused(anomaly.provision, "not_assessed")
