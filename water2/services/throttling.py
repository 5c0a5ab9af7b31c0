"""Throttling of sign-ins: failures per user name and per address in a sliding window of real time.

An attempt is noted before the password is looked at, so that attempts made at once count too; the
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


@dataclass
class Throttled(DomainError):
    """Too many failed sign-ins; the next may be tried after so many seconds."""

    retry_after_seconds: int


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value.casefold()}".encode()).hexdigest()


def _keys(username: str, address: str) -> list[tuple[str, int]]:
    return [
        (_key("name", username), FAILURES_PER_NAME),
        (_key("address", address), FAILURES_PER_ADDRESS),
    ]


async def note_attempt(work: Work, username: str, address: str, at: datetime) -> None:
    """Count an attempt as failed until it is known to be right; `at` is real time.

    Raises:
        Throttled: the name or the address failed too often; nothing is noted.
    """
    await work.session.execute(
        delete(SignInFailure).where(col(SignInFailure.failed_at) <= at - WINDOW)
    )
    keys = _keys(username, address)
    waits = [await _wait(work, key, most, at) for key, most in keys]
    if longest := max(waits):
        raise Throttled(longest)
    work.session.add_all(SignInFailure(key_sha256=key, failed_at=at) for key, _ in keys)


async def _wait(work: Work, key: str, most: int, at: datetime) -> int:
    """Return for how many seconds a key must wait: until its oldest failure that counts is past."""
    found = await work.session.exec(
        select(SignInFailure.failed_at)
        .where(SignInFailure.key_sha256 == key, col(SignInFailure.failed_at) > at - WINDOW)
        .order_by(col(SignInFailure.failed_at).desc())
        .limit(most)
    )
    failures: Sequence[datetime] = found.all()
    if len(failures) < most:
        return 0
    return int((failures[-1] + WINDOW - at).total_seconds()) + 1


async def forget_attempts(work: Work, username: str, address: str, at: datetime) -> None:
    """Take back what the right password proves harmless: its name's notes, and its own attempt."""
    name, of_address = (key for key, _ in _keys(username, address))
    await work.session.execute(delete(SignInFailure).where(col(SignInFailure.key_sha256) == name))
    await work.session.execute(
        delete(SignInFailure).where(
            col(SignInFailure.key_sha256) == of_address, col(SignInFailure.failed_at) == at
        )
    )
