"""Clocks in words: by when something should be done, when it was, how late it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from water2.edge.facts import zone_named
from water2.rules.anomaly import Clock
from water2.rules.regulator_reports import ReportMark
from water2.words import Words

SOON = timedelta(hours=2)
Tone = Literal["fine", "soon", "late", "plain"]


@dataclass(frozen=True)
class ClockLine:
    """A clock as it is read: what it is of, whether law or a target, and how it stands."""

    label: str
    law: bool
    text: str
    tone: Tone


def step_line(clock: Clock, now: datetime, timezone: str, say: Words) -> ClockLine:
    """Say how a step of an anomaly stands; its clock is a target."""
    label = say.text(f"step.{clock.step}")
    return _line(label, clock, clock.late_at(now), now, timezone, say, law=False)


def mark_line(mark: ReportMark, now: datetime, timezone: str, say: Words) -> ClockLine:
    """Say how a report stands in one form."""
    label = say.text(f"clock.{mark.form}")
    return _line(label, mark, mark.late_at(now), now, timezone, say, law=mark.law)


def _line(
    label: str,
    clock: Clock | ReportMark,
    late: bool,
    now: datetime,
    timezone: str,
    say: Words,
    *,
    law: bool,
) -> ClockLine:
    due, done = clock.due_at, clock.done_at
    span = duration(abs((done or now) - due), say)
    facts = {"due": short(due, now, timezone), "span": span}
    if done is None:
        tone: Tone = "late" if late else "soon" if due - now <= SOON else "plain"
        return ClockLine(
            label, law, say.text(f"clock.{'overdue' if late else 'runs'}", **facts), tone
        )
    facts["done"] = short(done, now, timezone)
    key = "done_late" if late else "done"
    return ClockLine(label, law, say.text(f"clock.{key}", **facts), "late" if late else "fine")


def duration(span: timedelta, say: Words) -> str:
    """Say a length of time by its two largest units."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return say.text("duration.moment")
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [("days", days), ("hours", hours)] if days else [("hours", hours), ("minutes", minutes)]
    told = [say.text(f"duration.{unit}", count=count) for unit, count in parts if count]
    return say.text("duration.joint").join(told)


def short(at: datetime, now: datetime, timezone: str) -> str:
    """Write an instant by the utility's clock, without the year where it is this one."""
    zone = zone_named(timezone)
    local = at.astimezone(zone)
    same_year = local.year == now.astimezone(zone).year
    return local.strftime("%m-%d %H:%M" if same_year else "%Y-%m-%d %H:%M")
