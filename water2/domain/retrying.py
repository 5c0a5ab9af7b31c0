"""When a message that was not taken is tried again: further apart each time, never uselessly."""

from datetime import datetime, timedelta
from typing import NamedTuple

from water2.domain.delivery import Lane

MOST_ATTEMPTS = 8
"""Policy: a message that was tried so often is given up and laid before a person."""
TRIES_LEFT_BEFORE_DEADLINE = 4
"""Policy: so many tries still fit between now and the deadline, whatever the pace."""


class Pace(NamedTuple):
    """The first pause, how it grows, and its bound."""

    first: timedelta
    factor: int
    longest: timedelta


PACES = {
    Lane.emergency: Pace(timedelta(seconds=2), 3, timedelta(minutes=2)),
    Lane.planned: Pace(timedelta(seconds=30), 4, timedelta(hours=1)),
    Lane.routine: Pace(timedelta(seconds=30), 4, timedelta(hours=1)),
}


def retry_at(
    attempts: int,
    now: datetime,
    *,
    lane: Lane,
    deadline_at: datetime | None,
    expires_at: datetime | None,
    wait_seconds: int | None,
) -> datetime | None:
    """Give the instant of the next attempt after so many; None: given up, or useless by then.

    `wait_seconds` is what the provider asked for: never sooner than that, deadline or not. At
    `expires_at` itself the message is useless.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    pause = _pause(attempts, PACES[lane])
    if deadline_at is not None and now < deadline_at:
        close = (deadline_at - now) / TRIES_LEFT_BEFORE_DEADLINE
        pause = min(pause, max(close, PACES[Lane.emergency].first))
    if wait_seconds is not None:
        pause = max(pause, timedelta(seconds=wait_seconds))
    at = now + pause
    return None if expires_at is not None and at >= expires_at else at


def _pause(attempts: int, pace: Pace) -> timedelta:
    # bounded before it is multiplied: a power of the factor would overflow
    pause = pace.first
    for _ in range(max(attempts, 1) - 1):
        pause = min(pause * pace.factor, pace.longest)
    return pause
