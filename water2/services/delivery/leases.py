"""Leases that ran out: nobody knows whether the message was sent, so it is in doubt, not ready."""

from datetime import datetime

from water2.domain.delivery import DeliverySource
from water2.domain.sending import SendingChannel
from water2.services.delivery.claiming import CLAIM, Claimed
from water2.services.delivery.recording import Told, record_outcomes
from water2.services.delivery.statements import Statement
from water2.work import Work

MOST_AT_ONCE = 1000

_STANDS = "accepted_at IS NOT NULL AND (failed_at IS NULL OR delivered_at > failed_at)"
_SETTLE = f"""
UPDATE delivery SET leased_until = NULL,
  state = CASE WHEN {_STANDS} THEN 'done' ELSE 'in_doubt' END,
  settled_at = CASE WHEN {_STANDS} THEN :now END
WHERE id IN (
  SELECT id FROM delivery WHERE state = 'leased' AND leased_until < :at AND utility_id = :utility
  LIMIT :most{{locked}})
RETURNING id, utility_id, source, source_id, state, attempts"""  # noqa: S608 - no value in it
_LAPSED = Statement(
    _SETTLE.replace("{locked}", " FOR UPDATE SKIP LOCKED"),
    _SETTLE.replace("{locked}", ""),
    ("now", "at"),
)
# the row stays in doubt: if this worker dies, too, nothing is resent unasked
_TAKE = f"""
UPDATE delivery SET leased_until = :until, lease_token = lease_token + 1
WHERE id IN (
  SELECT id FROM delivery
  WHERE state = 'in_doubt' AND utility_id = :utility AND channel = :channel
    AND due_at <= :now AND (leased_until IS NULL OR leased_until < :at)
  LIMIT :most{{locked}})
RETURNING {", ".join(Claimed._fields)}"""  # noqa: S608 - names of ours
_DOUBTFUL = Statement(
    _TAKE.replace("{locked}", " FOR UPDATE SKIP LOCKED"),
    _TAKE.replace("{locked}", ""),
    ("now", "at", "until"),
    CLAIM.columns,
)


async def settle_lapsed(work: Work, utility_id: str, at: datetime) -> int:
    """Put in doubt what was leased until before `at` (real time); return how many.

    What a receipt came for meanwhile is done.
    """
    rows = (
        await _LAPSED.run(work, now=work.now, at=at, utility=utility_id, most=MOST_AT_ONCE)
    ).all()
    told = [
        Told(
            *(row.id, row.utility_id, DeliverySource(row.source), row.source_id),
            "accepted" if row.state == "done" else "in_doubt",
            code="lease_lapsed",
            attempts=row.attempts,
        )
        for row in rows
    ]
    await record_outcomes(work, told)
    return len(rows)


async def take_doubtful(
    work: Work,
    utility_id: str,
    channel: SendingChannel,
    limit: int,
    *,
    leased_until: datetime,
    at: datetime,
) -> list[Claimed]:
    """Lease what is in doubt to this worker alone, to be asked of or sent again.

    The new lease shuts out whoever had it before.
    """
    rows = await _DOUBTFUL.run(
        work,
        now=work.now,
        at=at,
        until=leased_until,
        utility=utility_id,
        channel=channel.value,
        most=limit,
    )
    return [Claimed._make(row) for row in rows]
