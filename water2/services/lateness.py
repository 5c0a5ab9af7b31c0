"""Late entries (补记): recorded well after they happened, marked, and asked for a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from water2.rules.book import Rulebook

LATE_ENTRY = "late_entry"
WITHOUT_REASON = "late_entry_without_reason"


@dataclass(frozen=True)
class Lateness:
    """Whether an entry is late; its flags stay with the record."""

    late: bool
    reason: str | None
    flags: tuple[str, ...]


def lateness_of(
    book: Rulebook, occurred_at: datetime, recorded_at: datetime, reason: str | None
) -> Lateness:
    """Judge when a record was made against when it happened.

    A late entry without a reason is taken and flagged until one is given by a correction: what did
    happen can always be recorded.
    """
    obligation = book.obligation("ledger", recorded_at.date())
    if obligation is None:
        return Lateness(False, None, ())
    tolerance = timedelta(hours=int(obligation.number("late_entry_hours")))
    if recorded_at - occurred_at <= tolerance:
        return Lateness(False, None, ())
    flags = (LATE_ENTRY,) if reason else (LATE_ENTRY, WITHOUT_REASON)
    return Lateness(True, reason, flags)
