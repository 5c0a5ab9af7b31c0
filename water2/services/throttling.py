"""Throttling: tries per user name, per address of the network or of the post, in real time.

A try is noted before it is known whether it is right, so that tries made at once count too; the
right password takes the notes of its name away.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from water2.domain.access import SignInFailure
from water2.domain.errors import DomainError
from water2.work import Work

WINDOW = timedelta(minutes=5)
FAILURES_PER_NAME = 5
FAILURES_PER_ADDRESS = 50  # a whole utility may sit behind one address
LOOKS_BACK = timedelta(days=1)  # no limit has a longer window


@dataclass
class Throttled(DomainError):
    """Too many tries; the next may be made after so many seconds."""

    retry_after_seconds: int


@dataclass(frozen=True)
class Limit:
    """At most so many tries of a kind with one value in a window; the value is kept as a hash."""

    kind: str
    value: str
    most: int
    window: timedelta

    @property
    def key(self) -> str:
        """Return what is kept of it."""
        return hashlib.sha256(f"{self.kind}:{self.value.casefold()}".encode()).hexdigest()


def _of_sign_in(username: str, address: str) -> tuple[Limit, Limit]:
    return (
        Limit("name", username, FAILURES_PER_NAME, WINDOW),
        Limit("address", address, FAILURES_PER_ADDRESS, WINDOW),
    )


async def note_attempt(work: Work, username: str, address: str, at: datetime) -> None:
    """Count a sign-in as failed until it is known to be right; `at` is real time.

    Raises:
        Throttled: the name or the address failed too often; nothing is noted.
    """
    await note_try(work, _of_sign_in(username, address), at)


async def note_try(work: Work, limits: Sequence[Limit], at: datetime) -> None:
    """Count a try under each limit; `at` is real time. Limits of one key share their notes.

    Raises:
        Throttled: one of the limits is reached; nothing is noted.
    """
    await work.session.execute(
        delete(SignInFailure).where(col(SignInFailure.failed_at) <= at - LOOKS_BACK)
    )
    waits = [await _wait(work, limit, at) for limit in limits]
    if longest := max(waits):
        raise Throttled(longest)
    keys = dict.fromkeys(limit.key for limit in limits)
    work.session.add_all(SignInFailure(key_sha256=key, failed_at=at) for key in keys)


async def _wait(work: Work, limit: Limit, at: datetime) -> int:
    """Return for how many seconds a key must wait: until its oldest note that counts is past."""
    found = await work.session.exec(
        select(SignInFailure.failed_at)
        .where(
            SignInFailure.key_sha256 == limit.key,
            col(SignInFailure.failed_at) > at - limit.window,
        )
        .order_by(col(SignInFailure.failed_at).desc())
        .limit(limit.most)
    )
    notes: Sequence[datetime] = found.all()
    if len(notes) < limit.most:
        return 0
    return int((notes[-1] + limit.window - at).total_seconds()) + 1


async def forget_attempts(work: Work, username: str, address: str, at: datetime) -> None:
    """Take back what the right password proves harmless: its name's notes, and its own attempt."""
    name, of_address = (limit.key for limit in _of_sign_in(username, address))
    await work.session.execute(delete(SignInFailure).where(col(SignInFailure.key_sha256) == name))
    await work.session.execute(
        delete(SignInFailure).where(
            col(SignInFailure.key_sha256) == of_address, col(SignInFailure.failed_at) == at
        )
    )
