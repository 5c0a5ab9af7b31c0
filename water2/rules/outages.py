"""第十五条、第十七条(三): what an outage is flagged for, and when its messages may go out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.notice import APPROVAL, EMERGENCY, EMERGENCY_REPORT, PLANNED, window_passed
from water2.rules.obligation import Obligation


@dataclass(frozen=True)
class OutageFacts:
    """What an outage's flags follow from; instants are aware, `None` has not happened."""

    planned: bool
    starts_at: datetime
    ends_at: datetime | None
    published_at: datetime | None
    announced_at: datetime | None
    started_at: datetime | None
    restored_at: datetime | None
    cancelled: bool
    overran: bool
    update_missed: bool
    approval: bool
    authority_report: bool
    notice_impossible_because: bool
    water_points: bool
    emergency_supply: bool

    @property
    def in_effect(self) -> bool:
        """Whether the water is off."""
        return self.started_at is not None and self.restored_at is None


def outage_flags(book: Rulebook, facts: OutageFacts, now: datetime, day: date) -> list[FlagCode]:
    """Give what is to be looked at; none of it stops anything."""
    if facts.cancelled:
        return []
    found = _planned(book, facts, now, day) if facts.planned else _emergency(book, facts, now, day)
    return [*found, *_long(book, facts, now, day)]


def _planned(book: Rulebook, facts: OutageFacts, now: datetime, day: date) -> list[FlagCode]:
    flags = []
    if book.obligation(APPROVAL, day) is not None and not facts.approval:
        flags.append(FlagCode.approval_missing)
    planned = book.obligation(PLANNED, day)
    if planned and facts.published_at and "advise_hours" in planned.values:
        advised = timedelta(hours=int(planned.number("advise_hours")))
        if facts.starts_at - facts.published_at < advised:
            flags.append(FlagCode.short_notice)
    if facts.overran or _past_end(facts, now):
        flags.append(FlagCode.overran)
    unused = facts.published_at is not None and facts.started_at is None
    if unused and window_passed(facts.ends_at, now):
        flags.append(FlagCode.window_passed)
    return flags


def _past_end(facts: OutageFacts, now: datetime) -> bool:
    """Tell whether it went, or goes, on past its announced end; the end itself is in time."""
    until = facts.restored_at or now
    return facts.started_at is not None and facts.ends_at is not None and until > facts.ends_at


def _emergency(book: Rulebook, facts: OutageFacts, now: datetime, day: date) -> list[FlagCode]:
    flags = []
    if facts.update_missed or _past_end(facts, now):
        flags.append(FlagCode.estimate_passed)
    emergency = book.obligation(EMERGENCY, day)
    if emergency is not None and "publish_minutes" in emergency.values:
        flags += _late(emergency, facts, now)
    if not facts.notice_impossible_because:
        flags.append(FlagCode.notice_impossible_unexplained)
    if book.obligation(EMERGENCY_REPORT, day) is not None and not facts.authority_report:
        flags.append(FlagCode.authority_report_missing)
    return flags


def _late(emergency: Obligation, facts: OutageFacts, now: datetime) -> list[FlagCode]:
    """Judge publishing and updates by their targets; the text sets no minutes."""
    flags = []
    tolerance = timedelta(minutes=int(emergency.number("publish_minutes")))
    published, started = facts.published_at, facts.started_at
    if published and started and published - started > tolerance:
        flags.append(FlagCode.published_late)
    pause = timedelta(minutes=int(emergency.number("update_minutes")))
    if facts.in_effect and facts.announced_at and now - facts.announced_at > pause:
        flags.append(FlagCode.update_due)
    return flags


def _long(book: Rulebook, facts: OutageFacts, now: datetime, day: date) -> list[FlagCode]:
    """Ask for plans of long outages: over 12 and 24 hours, by the targets in force."""
    planned = book.obligation(PLANNED, day)
    if planned is None or "water_points_hours" not in planned.values:
        return []
    until = max(facts.ends_at or facts.starts_at, facts.restored_at or facts.starts_at)
    if facts.in_effect:
        until = max(until, now)
    lasts = until - (facts.started_at or facts.starts_at)
    needs = (
        ("water_points_hours", facts.water_points, FlagCode.water_points_missing),
        ("emergency_supply_hours", facts.emergency_supply, FlagCode.emergency_supply_missing),
    )
    return [
        flag
        for key, given, flag in needs
        if not given and lasts > timedelta(hours=int(planned.number(key)))
    ]


def too_long(book: Rulebook, starts_at: datetime, ends_at: datetime, day: date) -> int | None:
    """Give the longest window in hours that is taken, where one is longer; else None."""
    planned = book.obligation(PLANNED, day)
    if planned is None or "longest_hours" not in planned.values:
        return None
    longest = int(planned.number("longest_hours"))
    return longest if ends_at - starts_at > timedelta(hours=longest) else None


def send_at(
    planned: Obligation | None, now: datetime, deadline: datetime | None, timezone: str
) -> datetime:
    """Give when a planned notice may go out: not in quiet hours, unless it would come too late.

    Quiet hours begin at their first hour and end at their last; at the end itself it goes out.
    """
    if planned is None or "quiet_from_hour" not in planned.values:
        return now
    morning = _end_of_quiet(planned, now, timezone)
    margin = timedelta(hours=int(planned.number("quiet_margin_hours")))
    if deadline is not None and morning > deadline - margin:
        return now
    return morning


def _end_of_quiet(planned: Obligation, now: datetime, timezone: str) -> datetime:
    begin, end = (int(planned.number(f"quiet_{side}_hour")) for side in ("from", "to"))
    local = now.astimezone(ZoneInfo(timezone))
    if end <= local.hour < begin:
        return now
    day = local.date() if local.hour < end else local.date() + timedelta(days=1)
    morning = datetime(day.year, day.month, day.day, end, tzinfo=ZoneInfo(timezone))
    return morning.astimezone(now.tzinfo)


def next_channel_at(planned: Obligation | None, starts_at: datetime) -> datetime | None:
    """Give the instant from which households not told yet get the next channel."""
    if planned is None or "next_channel_hours" not in planned.values:
        return None
    return starts_at - timedelta(hours=int(planned.number("next_channel_hours")))
