"""第十八条第二款, 第四条: reports of pollution to both regulators, and their clocks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from water2.rules.anomaly import Level
from water2.rules.book import Rulebook
from water2.rules.obligation import Obligation
from water2.rules.provision import Allowed, Refused, Verdict

REPORT = "anomaly.report"
OUTBREAK = "anomaly.report.outbreak"
Recipient = Literal["health", "water"]
EVERYBODY: tuple[Level, ...] = ("managers", "regulators")
"""Reading (art. 4): a late report is said to the managers and to both regulators at once."""


@dataclass(frozen=True)
class ReportClock:
    """By when a report should be told by telephone, and be sent in writing.

    `law`: the State's hours for outbreaks; else both are targets (及时 names no hour).
    """

    due_at: datetime
    phone_due_at: datetime | None = None
    law: bool = False


@dataclass(frozen=True)
class ReportMark:
    """By when a report is told in one form, and when it was; `law`: the State's hours."""

    form: Literal["phone", "written"]
    due_at: datetime
    done_at: datetime | None
    law: bool

    def late_at(self, now: datetime) -> bool:
        """Whether it was, or by now is, told after its time; the very instant is in time."""
        return (self.done_at or now) > self.due_at


def report_marks(
    clock: ReportClock, phoned_at: datetime | None, sent_at: datetime | None
) -> tuple[ReportMark, ...]:
    """Give the marks of a report.

    Reading: a report in writing within the time of the call makes the call needless. Of an outbreak
    the call is by law where it has no hour of its own before the State's.
    """
    written = ReportMark("written", clock.due_at, sent_at, clock.law)
    if clock.phone_due_at is None:
        return (written,)
    told_at = min(filter(None, (phoned_at, sent_at)), default=None)
    by_law = clock.law and clock.phone_due_at == clock.due_at
    return ReportMark("phone", clock.phone_due_at, told_at, by_law), written


def first_report_clock(
    book: Rulebook, day: date, danger_at: datetime, recipient: Recipient, *, outbreak: bool
) -> ReportClock:
    """Give the clock of the first report; it runs from when danger was first judged.

    Reading: the two hours of the State's rule for outbreaks are owed to the health department
    alone, in whatever form; the water regulator hears by the targets.
    """
    report = _demanded(book, day)
    phone_at = danger_at + timedelta(hours=int(report.number("phone_hours")))
    written_at = danger_at + timedelta(hours=int(report.number("written_hours")))
    rule = book.obligation(OUTBREAK, day)
    if outbreak and recipient == "health" and rule is not None:
        by_law = danger_at + timedelta(hours=int(rule.number("report_hours")))
        return ReportClock(by_law, min(phone_at, by_law), law=True)
    return ReportClock(written_at, phone_at)


def progress_due(book: Rulebook, day: date, last_sent_at: datetime) -> datetime:
    """Give when the next progress report should follow the last report sent."""
    return last_sent_at + timedelta(hours=int(_demanded(book, day).number("progress_hours")))


def final_due(book: Rulebook, danger_at: datetime, is_working: Callable[[date], bool]) -> datetime:
    """Give the end of the last working day for the final report, counted from the day after."""
    zone = ZoneInfo(book.timezone)
    day = danger_at.astimezone(zone).date()
    left = int(_demanded(book, day).number("final_working_days"))
    while left:
        day += timedelta(days=1)
        left -= is_working(day)
    return datetime.combine(day + timedelta(days=1), time(), zone)


def _demanded(book: Rulebook, day: date) -> Obligation:
    report = book.obligation(REPORT, day)
    if report is None:
        raise KeyError(REPORT)
    return report


@dataclass(frozen=True)
class OwedReport:
    """A report as closing looks at it: `drafted` where somebody began to write it.

    `asked`: a regulator asked about it and was not answered (art. 18.2: 协助调查处置).
    """

    number: str
    kind: Literal["first", "progress", "final"]
    state: Literal["due", "sent", "acknowledged", "withdrawn"]
    due_at: datetime
    drafted: bool
    asked: bool = False

    def open_at(self, now: datetime) -> bool:
        """Whether it stands in the way of closing.

        Reading: so does what was sent and not acknowledged, or asked about and not answered, a
        first report not sent, and any other that is past its time or begun. The final one may
        follow the closing by its own clock.
        """
        if self.asked:
            return True
        if self.state == "due":
            return self.kind == "first" or self.drafted or now > self.due_at
        return self.state == "sent"


def judge_reports(report: Obligation, owed: Iterable[OwedReport], now: datetime) -> Verdict:
    """Refuse to close while reports to regulators are open; names them."""
    waiting = sorted(one.number for one in owed if one.open_at(now))
    return Refused(report.provision, "reports_open", {"reports": waiting}) if waiting else Allowed()
