"""What is to be looked at on an anomaly and on a report: flags, never verdicts."""

from dataclasses import dataclass
from datetime import datetime

from water2.rules.anomaly import Clock, Step
from water2.rules.flags import FlagCode
from water2.rules.regulator_reports import ReportClock, report_marks

_LATE: dict[Step, FlagCode] = {
    "stop": FlagCode.supply_stopped_late,
    "assessment": FlagCode.assessed_late,
    "findings": FlagCode.found_out_late,
}


@dataclass(frozen=True)
class AnomalyFacts:
    """What the flags of an anomaly are made from; `historical` ones have none."""

    historical: bool
    clocks: tuple[Clock, ...]
    stopped: bool
    departed: bool
    departure_unexplained: bool
    controlled: bool
    in_scope: bool
    ended_at: datetime | None  # when supply was resumed
    closed: bool


def anomaly_flags(facts: AnomalyFacts, now: datetime) -> list[FlagCode]:
    """Give what is to be looked at, in the order of the steps."""
    if facts.historical:
        return []
    late = [_LATE[clock.step] for clock in facts.clocks if clock.late_at(now)]
    found_out = all(clock.done_at for clock in facts.clocks if clock.step == "findings")
    signs = (
        (FlagCode.late_entry, any(clock.entered_late for clock in facts.clocks)),
        (FlagCode.supply_not_stopped, facts.ended_at is not None and not facts.stopped),
        (FlagCode.stop_departed, facts.departed),
        (FlagCode.departure_unexplained, facts.departure_unexplained),
        (FlagCode.resumed_without_controls, facts.ended_at is not None and not facts.controlled),
        (FlagCode.closed_without_findings, facts.closed and not found_out),
        (FlagCode.out_of_scope, not facts.in_scope),
    )
    return [*late, *(flag for flag, holds in signs if holds)]


@dataclass(frozen=True)
class ReportFacts:
    """What the flags of a report are made from; `asked` counts requests without an answer."""

    withdrawn: bool
    due_at: datetime
    sent_at: datetime | None
    phone_due_at: datetime | None
    phoned_at: datetime | None
    asked: int
    phone_entered_at: datetime | None = None

    @property
    def phone_entered_late(self) -> bool:
        """Whether a call in time was entered only after its time: 补记, somebody's word alone."""
        called, due, entered = self.phoned_at, self.phone_due_at, self.phone_entered_at
        if called is None or due is None or entered is None:
            return False
        return called <= due < entered


def report_flags(facts: ReportFacts, now: datetime) -> list[FlagCode]:
    """Give what is to be looked at; the very instant is in time."""
    if facts.withdrawn:
        return []
    clock = ReportClock(facts.due_at, facts.phone_due_at)
    late = {
        mark.form: mark.late_at(now) for mark in report_marks(clock, facts.phoned_at, facts.sent_at)
    }
    signs = (
        (FlagCode.report_late, late["written"]),
        (FlagCode.phoned_late, late.get("phone", False)),
        (FlagCode.late_entry, facts.phone_entered_late),
        (FlagCode.request_unanswered, facts.asked > 0),
    )
    return [flag for flag, holds in signs if holds]
