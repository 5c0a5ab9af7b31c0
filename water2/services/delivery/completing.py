"""Completing: what became of a batch, in one guarded statement, with its evidence.

Only rows that still hold the lease they were claimed with are changed, so that a worker that was
given up changes nothing. What an early receipt wrote meanwhile is kept.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from water2.domain.delivery import DeliverySource, DeliveryState, Lane
from water2.domain.entry import instant_text
from water2.domain.retrying import MOST_ATTEMPTS, retry_at
from water2.domain.sending import ROBOTS, Outcome, Reply, SendingChannel
from water2.services.delivery.channels import stop_channel
from water2.services.delivery.claiming import Claimed
from water2.services.delivery.next_channels import open_after_failure
from water2.services.delivery.recording import Told, plain, record_outcomes
from water2.services.delivery.robots import WAIT_SECONDS
from water2.services.delivery.statements import (
    Statement,
    sqlite_instants,
    transposed,
)
from water2.services.delivery.superseding import superseded_among
from water2.services.rows import on_postgresql
from water2.work import Work

LOST = "lost"  # the lease was another's by then
DOUBT_PAUSE = timedelta(minutes=5)  # of what was tried often enough, and is asked about still
UNSENT_SECONDS = 5  # the pause of a message that was claimed and not sent


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed delivery. `sent` false: no attempt was made, and none is counted."""

    claimed: Claimed
    reply: Reply
    sent: bool = True


Plan = tuple[Settled, DeliveryState, datetime | None]
_NAMES = (
    "id",
    "token",
    "state",
    "due_at",
    "uncounted",
    "accepted",
    "delivered_at",
    "failed",
    "provider_id",
    "code",
    "sha256",
)
_TYPES = (
    *("text", "int", "text", "timestamptz", "int", "boolean", "timestamptz", "boolean"),
    *("text", "text", "text"),
)
# an early receipt may have told of a failure, or of a delivery, before this
_UNDONE = """
  (d.failed_at IS NOT NULL AND (d.delivered_at IS NULL OR d.delivered_at <= d.failed_at))"""
_TAKEN = f"v.accepted OR (d.accepted_at IS NOT NULL AND NOT {_UNDONE})"
_STATE = f"CASE WHEN {_TAKEN} THEN CASE WHEN {_UNDONE} THEN 'dead' ELSE 'done' END ELSE v.state END"
_SET = f"""
UPDATE delivery AS d SET
  state = {_STATE},
  settled_at = CASE WHEN v.state NOT IN ('ready', 'in_doubt') OR {_TAKEN} THEN :now END,
  leased_until = NULL,
  due_at = COALESCE(v.due_at, d.due_at),
  attempts = d.attempts - v.uncounted,
  accepted_at = CASE WHEN v.accepted THEN COALESCE(d.accepted_at, :now) ELSE d.accepted_at END,
  delivered_at = COALESCE(d.delivered_at, v.delivered_at),
  failed_at = CASE WHEN v.failed THEN COALESCE(d.failed_at, :now) ELSE d.failed_at END,
  provider_id = COALESCE(v.provider_id, d.provider_id),
  code = v.code,
  reply_sha256 = v.sha256"""  # noqa: S608 - names of ours
_GUARD = "d.id = v.id AND d.lease_token = v.token AND d.state IN ('leased', 'in_doubt')"
_ARRAYS = ", ".join(
    f"CAST(:{name} AS {type_}[])" for name, type_ in zip(_NAMES, _TYPES, strict=True)
)
_CELLS = ", ".join(f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(_NAMES))
_COMPLETE = Statement(
    f"{_SET} FROM unnest({_ARRAYS}) AS v({', '.join(_NAMES)}) WHERE {_GUARD}"
    " RETURNING d.id, d.state",
    f"{_SET} FROM (SELECT {_CELLS} FROM json_each(:rows)) AS v WHERE {_GUARD} RETURNING id, state",  # noqa: S608 - names of ours
)


async def complete(work: Work, results: Sequence[Settled]) -> Counter[str]:
    """Settle claimed deliveries of one utility; return how many came to which state, or were lost.

    Who fails opens the next channel of the households behind, a misconfigured channel is stopped,
    and the outcomes are kept as evidence with their hash in the ledger.
    """
    if not results:
        return Counter()
    plans = [(one, *_plan(one, work.now)) for one in results]
    stale = await superseded_among(work, _again(plans))
    # by id, as receipts lock them: neither waits for the other in a circle
    rows = sorted((_row(*plan, work.now, stale) for plan in plans), key=lambda row: row[0])
    if on_postgresql(work):
        values: dict[str, Any] = transposed(rows, _NAMES)
    else:
        text = await sqlite_instants(work)
        values = {
            "rows": json.dumps(
                [[text(cell) if isinstance(cell, datetime) else cell for cell in r] for r in rows]
            )
        }
    found = await _COMPLETE.run(work, now=work.now, **values)
    states: dict[str, str] = {row.id: row.state for row in found}
    changed = [one for one in results if one.claimed.id in states]
    await record_outcomes(work, [_told(one) for one in changed if _is_fact(one)])
    await _stop_misconfigured(work, changed)
    dead = [one.claimed.id for one in changed if states[one.claimed.id] == DeliveryState.dead]
    await open_after_failure(work, dead)
    counts = Counter(states.values())
    counts[LOST] = len(results) - len(changed)
    return counts


def _again(plans: Sequence[Plan]) -> set[str]:
    """Return the notices of which messages are to go out again."""
    return {
        one.claimed.source_id
        for one, state, _ in plans
        if state is DeliveryState.ready and one.claimed.source == DeliverySource.notice
    }


def _row(
    one: Settled,
    state: DeliveryState,
    due_at: datetime | None,
    now: datetime,
    stale: Collection[str],
) -> tuple[Any, ...]:
    claimed, reply = one.claimed, one.reply
    if state is DeliveryState.ready and claimed.source_id in stale:
        state, due_at = DeliveryState.superseded, None
    outcome = reply.outcome
    uncounted = not one.sent or outcome is Outcome.misconfigured
    return (
        claimed.id,
        claimed.lease_token,
        state.value,
        due_at,
        int(uncounted),
        outcome in (Outcome.accepted, Outcome.delivered),
        now if outcome is Outcome.delivered else None,  # not before it was heard of
        outcome in (Outcome.failed, Outcome.permanent),
        plain(reply.provider_id or "") or None,
        plain(reply.code) or None,
        reply.body_sha256,
    )


_FINAL = {
    Outcome.accepted: DeliveryState.done,
    Outcome.delivered: DeliveryState.done,
    Outcome.failed: DeliveryState.dead,
    Outcome.permanent: DeliveryState.dead,
    Outcome.blocked: DeliveryState.dead,
}


def _plan(one: Settled, now: datetime) -> tuple[DeliveryState, datetime | None]:
    """Return the state an outcome leads to, and when it is due again."""
    outcome = one.reply.outcome
    if outcome in _FINAL:
        return _FINAL[outcome], None
    if outcome is Outcome.misconfigured:
        return DeliveryState.ready, None
    if not one.sent:
        return DeliveryState.ready, now + timedelta(
            seconds=one.reply.wait_seconds or UNSENT_SECONDS
        )
    return _later(one, now)


def _later(one: Settled, now: datetime) -> tuple[DeliveryState, datetime | None]:
    claimed, outcome = one.claimed, one.reply.outcome
    wait = one.reply.wait_seconds
    if claimed.channel in ROBOTS:
        wait = max(wait or 0, WAIT_SECONDS)
    at = retry_at(
        claimed.attempts,
        now,
        lane=Lane(claimed.lane),
        deadline_at=claimed.deadline_at,
        expires_at=claimed.expires_at,
        wait_seconds=wait,
    )
    useless = claimed.expires_at is not None and claimed.expires_at <= now
    if outcome is Outcome.in_doubt and not useless:
        # asked, or sent again, after the pause; to find out is never too late
        return DeliveryState.in_doubt, at or now + DOUBT_PAUSE
    if at is None:
        used_up = claimed.attempts >= MOST_ATTEMPTS
        return (DeliveryState.dead if used_up else DeliveryState.expired), None
    return DeliveryState.ready, now if outcome is Outcome.unknown else at


def _is_fact(one: Settled) -> bool:
    """Tell whether anything happened: a message that was put back unsent is none."""
    return one.sent or one.reply.outcome in _FINAL


def _told(one: Settled) -> Told:
    claimed, reply = one.claimed, one.reply
    return Told(
        claimed.id,
        claimed.utility_id,
        DeliverySource(claimed.source),
        claimed.source_id,
        reply.outcome.value,
        plain(reply.code),
        reply.body_sha256,
        claimed.attempts if one.sent else claimed.attempts - 1,
        instant_text(reply.at) if reply.at else None,
    )


async def _stop_misconfigured(work: Work, changed: Sequence[Settled]) -> None:
    for channel in sorted({one.claimed.channel for one in changed if _is_misconfigured(one)}):
        first = next(one for one in changed if _is_misconfigured(one, channel))
        await stop_channel(
            work, first.claimed.utility_id, SendingChannel(channel), plain(first.reply.code)
        )


def _is_misconfigured(one: Settled, channel: str | None = None) -> bool:
    of_channel = channel is None or one.claimed.channel == channel
    return of_channel and one.reply.outcome is Outcome.misconfigured
