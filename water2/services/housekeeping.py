"""Deletes what has served: ended sign-ins, old answers, forgotten tries, unconfirmed addresses.

None of it is a fact of the ledger.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, delete
from sqlmodel import col

from water2.domain.access import SignInFailure, UserSession
from water2.domain.operation import IdempotentAnswer
from water2.services.public.erasing import forget_unconfirmed
from water2.work import Work

ANSWERS_KEPT = timedelta(days=30)
FAILURES_KEPT = timedelta(days=1)  # as far as the throttle looks back


@dataclass(frozen=True)
class Deleted:
    """How many rows went."""

    sessions: int
    answers: int
    failures: int
    subscriptions: int


async def keep_house(work: Work, at: datetime) -> Deleted:
    """Delete what is over `at`, an instant of the wall clock, as sign-ins and requests keep it."""
    return Deleted(
        await _delete(work, delete(UserSession).where(col(UserSession.expires_at) < at)),
        await _delete(
            work,
            delete(IdempotentAnswer).where(col(IdempotentAnswer.created_at) < at - ANSWERS_KEPT),
        ),
        await _delete(
            work, delete(SignInFailure).where(col(SignInFailure.failed_at) < at - FAILURES_KEPT)
        ),
        await forget_unconfirmed(work),
    )


async def _delete(work: Work, statement: Delete) -> int:
    result = await work.session.execute(statement)
    return cast("CursorResult[Any]", result).rowcount
