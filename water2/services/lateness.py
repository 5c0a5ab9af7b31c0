"""Late entries (补记): recorded well after they happened, marked, and asked for a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.services.instants import civil_day


@dataclass(frozen=True)
class Lateness:
    """The reason of a late entry and its flags, which stay with the record; none: in time."""

    reason: str | None
    flags: tuple[FlagCode, ...]


def lateness_of(
    book: Rulebook, occurred_at: datetime, recorded_at: datetime, reason: str | None
) -> Lateness:
    """Judge when a record was made against when it happened.

    A late entry without a reason is taken and flagged until one is given by a correction: what did
    happen can always be recorded.
    """
    obligation = book.obligation("ledger", civil_day(recorded_at, book.timezone))
    if obligation is None:
        return Lateness(None, ())
    tolerance = timedelta(hours=int(obligation.number("late_entry_hours")))
    if recorded_at - occurred_at <= tolerance:
        return Lateness(None, ())
    unexplained = () if reason else (FlagCode.late_entry_without_reason,)
    return Lateness(reason, (FlagCode.late_entry, *unexplained))
