"""Repeated requests: an actor's key is claimed in the same transaction as the act it names."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from water2.domain.errors import Invalid
from water2.domain.ids import new_id
from water2.domain.operation import IdempotentAnswer
from water2.services.housekeeping import ANSWERS_KEPT
from water2.services.rows import insert_or_pass
from water2.work import Work


@dataclass(frozen=True)
class FirstAnswer:
    """What the first request with a key was answered."""

    status: int
    body: bytes
    etag: str | None


async def claim_key(
    work: Work, key: str, request_sha256: str, at: datetime
) -> IdempotentAnswer | FirstAnswer:
    """Claim an actor's key for this act, or return what it was answered before.

    Of two requests at once the second waits here until the first has ended. `at` is real time. The
    row returned is to be filled with the answer; it vanishes with a refusal's transaction.

    Raises:
        Invalid: the key was used for another request.
    """
    actor_id = work.actor.user_id
    await work.session.execute(
        delete(IdempotentAnswer).where(
            col(IdempotentAnswer.actor_id) == actor_id,
            col(IdempotentAnswer.key) == key,
            col(IdempotentAnswer.created_at) < at - ANSWERS_KEPT,
        )
    )
    values = {
        "id": new_id(),
        "actor_id": actor_id,
        "key": key,
        "request_sha256": request_sha256,
        "created_at": at,
    }
    await work.session.execute(insert_or_pass(work, IdempotentAnswer), values)
    found = await work.session.exec(
        select(IdempotentAnswer).where(
            IdempotentAnswer.actor_id == actor_id, IdempotentAnswer.key == key
        )
    )
    row = found.one()
    if row.id == values["id"]:
        return row
    if row.request_sha256 != request_sha256:
        raise Invalid.one("Idempotency-Key", "idempotency_key_reused")
    kept = work.contacts.open(row.body) if row.body else ""
    return FirstAnswer(row.status or 200, kept.encode(), row.etag)
