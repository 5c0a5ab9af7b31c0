"""Claiming: a batch of what is due, leased to one worker; no transaction is open while it sends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from water2.domain.delivery import Delivery, DeliverySource, Lane
from water2.domain.sending import ROBOTS, SendingChannel
from water2.services.delivery.recording import Told, record_outcomes
from water2.services.delivery.robots import robots_free
from water2.services.delivery.statements import Statement
from water2.work import Work


class Claimed(NamedTuple):
    """A delivery leased to this worker: all that sending and completing need of it."""

    id: str
    utility_id: str
    source: str
    source_id: str
    channel: str
    address_index: bytes
    sealed: bytes
    endpoint_id: str | None
    subscription_id: str | None
    lane: int
    attempts: int
    lease_token: int
    deadline_at: datetime | None
    expires_at: datetime | None


_RETURNED = f"RETURNING {', '.join(f'd.{name}' for name in Claimed._fields)}, d.state"
# an expired row is settled where it is met: it stands in the way of those behind it
_SET = """
SET state = CASE WHEN d.expires_at <= :now THEN 'expired' ELSE 'leased' END,
  settled_at = CASE WHEN d.expires_at <= :now THEN :now END,
  lease_token = d.lease_token + 1,
  attempts = d.attempts + CASE WHEN d.expires_at <= :now THEN 0 ELSE 1 END,
  attempted_at = CASE WHEN d.expires_at <= :now THEN d.attempted_at ELSE :at END,
  leased_until = CASE WHEN d.expires_at <= :now THEN NULL ELSE :until END"""
_READY = """
state = 'ready' AND utility_id = :utility AND channel = :channel AND due_at <= :now
  AND (:endpoint IS NULL OR endpoint_id = :endpoint)
  AND NOT EXISTS (SELECT 1 FROM channel_stop AS s
    WHERE s.utility_id = :utility AND s.channel = :channel)"""
# Lane by lane: each is a range of the index of its own, and no row that is not due is read. The
# rows are locked, so their places (ctid) cannot change until they are updated.
_LANES = ", ".join(f"({lane.value})" for lane in Lane)
_POSTGRESQL = f"""
WITH next AS MATERIALIZED (
  SELECT one.at FROM (VALUES {_LANES}) AS lanes(lane), LATERAL (
    SELECT ctid AS at FROM delivery
    WHERE lane = lanes.lane AND lanes.lane <= :last
      AND {_READY.replace(":endpoint IS", "CAST(:endpoint AS text) IS")}
    ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
  ) AS one LIMIT :most
)
UPDATE delivery AS d {_SET} FROM next WHERE d.ctid = next.at {_RETURNED}"""  # noqa: S608 - names of ours
_SQLITE = f"""
UPDATE delivery AS d {_SET} WHERE d.id IN (
  SELECT id FROM delivery INDEXED BY ix_delivery_ready
  WHERE lane IN ({", ".join(str(lane.value) for lane in Lane)}) AND lane <= :last AND {_READY}
  ORDER BY lane, due_at LIMIT :most
) {_RETURNED.replace("d.", "")}"""  # noqa: S608 - names of ours
CLAIM = Statement(
    _POSTGRESQL,
    _SQLITE,
    ("now", "at", "until"),
    {
        name: getattr(Delivery.__table__.c, name).type  # type: ignore[attr-defined]  # SQLModel's
        for name in ("deadline_at", "expires_at")
    },
)


async def claim(
    work: Work,
    utility_id: str,
    channel: SendingChannel,
    limit: int,
    *,
    leased_until: datetime,
    at: datetime,
    last: Lane = Lane.routine,
) -> list[Claimed]:
    """Lease what is due of one channel to this worker, the emergencies first, down to a lane.

    `leased_until` and `at` are real time, what is due goes by the installation's clock. Two workers
    never get the same row. A stopped channel gives nothing, a robot no more than its limits allow.
    Rows past their use become expired.
    """
    lease = {
        "utility": utility_id,
        "channel": channel.value,
        "last": last.value,
        "until": leased_until,
        "at": at,
    }
    if channel not in ROBOTS:
        return await _claim(work, lease | {"most": limit, "endpoint": None})
    found = []
    for endpoint_id, free in await robots_free(work, utility_id, channel, at):
        found += await _claim(work, lease | {"most": min(free, limit), "endpoint": endpoint_id})
    return found


async def _claim(work: Work, lease: dict[str, Any]) -> list[Claimed]:
    rows = (await CLAIM.run(work, now=work.now, **lease)).all()
    await _tell_expired(work, [row for row in rows if row[-1] == "expired"])
    leased = [Claimed._make(row[:-1]) for row in rows if row[-1] == "leased"]
    # an UPDATE gives its rows in any order
    return sorted(leased, key=lambda one: one.lane)


async def _tell_expired(work: Work, rows: Sequence[Any]) -> None:
    told = [
        Told(row.id, row.utility_id, DeliverySource(row.source), row.source_id, "expired")
        for row in rows
    ]
    await record_outcomes(work, told)
