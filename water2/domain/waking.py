"""When the sweep must next look at a duty, and which reminder falls due then. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from water2.rules.obligation import Obligation

SHOWN_ONCE = "once"  # the step of a reminder about what lapsed before the first day of operation


@dataclass(frozen=True)
class Watch:
    """What the days of waking follow from: the duty's dates and the utility's first day."""

    due_on: date
    opens_on: date
    first_day_on: date

    @property
    def lapsed_before(self) -> bool:
        """Tell whether it was overdue already when the utility began with water2."""
        return self.due_on < self.first_day_on


def _days_ahead(watch: Watch, obligation: Obligation) -> list[date]:
    ahead = {watch.due_on - timedelta(days=n) for n in obligation.remind_ahead_days}
    # the day after the due day: overdue begins, and a certificate has lapsed
    return sorted(ahead | {watch.opens_on, watch.due_on + timedelta(days=1)})


def first_wake(watch: Watch, obligation: Obligation, today: date) -> date:
    """Return the first day to look at a duty that was just derived; at once when days passed."""
    return max(today, _days_ahead(watch, obligation)[0])


def next_wake(watch: Watch, obligation: Obligation, today: date) -> date | None:
    """Return the next day to look at a duty that was looked at today.

    What lapsed before the first day of operation was shown once and wakes nobody again.
    """
    for day in _days_ahead(watch, obligation):
        if day > today:
            return day
    if watch.lapsed_before or not obligation.remind_daily_when_overdue:
        return None
    return today + timedelta(days=1)


def reminder_step(watch: Watch, obligation: Obligation, today: date) -> str | None:
    """Return the key of the reminder that is due today: "within N days and not yet sent".

    Only the nearest of several passed steps counts, so months of downtime send one reminder.
    """
    left = (watch.due_on - today).days
    if left < 0:
        if watch.lapsed_before:
            return SHOWN_ONCE
        return today.isoformat() if obligation.remind_daily_when_overdue else "overdue"
    reached = [days for days in obligation.remind_ahead_days if left <= days]
    return str(min(reached)) if reached else None
