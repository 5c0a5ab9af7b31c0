"""Receipts: a provider's later word on messages, kept raw and once, in whatever order it comes.

It may come before the worker's own commit, twice, late, or after a later one; evidence only grows,
and a failure undoes it (`water2.domain.evidence`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from water2.domain.delivery import Delivery, DeliveryReceipt, DeliverySource, DeliveryState
from water2.domain.entry import instant_text
from water2.domain.errors import NotFound
from water2.domain.evidence import Evidence, with_word
from water2.domain.ids import new_id
from water2.domain.sending import Outcome, Receipt
from water2.services.delivery.next_channels import open_after_failure
from water2.services.delivery.recording import RECEIPTS, Told, plain, record_outcomes
from water2.services.delivery.statements import DELIVERY
from water2.services.rows import among, insert_or_pass
from water2.work import Work


@dataclass(frozen=True)
class Received:
    """How many receipts changed anything, were taken before, or are of no message of ours."""

    applied: int = 0
    duplicate: int = 0
    unknown: int = 0


_MOVED = frozenset(
    {DeliveryState.ready, DeliveryState.in_doubt, DeliveryState.done, DeliveryState.dead}
)
_COLUMNS = [
    DELIVERY.c[name]
    for name in (
        *("id", "utility_id", "source", "source_id", "state", "attempts", "code", "settled_at"),
        *("accepted_at", "delivered_at", "failed_at", "provider_id", "attempted_at"),
    )
]
_CHANGE = (
    DELIVERY.update()
    .where(DELIVERY.c.id == bindparam("which"))
    .values(
        {
            name: bindparam(name)
            for name in (
                *("state", "code", "settled_at", "accepted_at", "delivered_at", "failed_at"),
                "provider_id",
            )
        }
    )
)


async def receive(
    work: Work, gateway: str, raw: bytes, receipts: Sequence[Receipt], at: datetime
) -> Received:
    """Take the receipts of one request to us, or of one poll; `at` is real time, as are theirs.

    The raw bytes are kept sealed with the first receipt that is new.

    Raises:
        NotFound: none of them is of a message of ours; nothing is kept.
    """
    if not receipts:
        return Received()
    named = await _named(work, receipts)
    known = [(one, named[key]) for one in receipts if (key := _key(one)) in named]
    if not known:
        raise NotFound("delivery", _key(receipts[0]))
    new = await _keep(work, gateway, raw, known, at)
    await _apply(work, new, at)
    return Received(len(new), len(known) - len(new), len(receipts) - len(known))


def _key(receipt: Receipt) -> str:
    return receipt.message_id or receipt.provider_id or ""


async def _named(work: Work, receipts: Sequence[Receipt]) -> dict[str, str]:
    """Return the deliveries' ids by what the receipts call them: our id, else the provider's."""
    ours = {one.message_id for one in receipts if one.message_id}
    theirs = {one.provider_id for one in receipts if one.provider_id and not one.message_id}
    found: dict[str, str] = {}
    if ours:
        rows = await work.session.execute(
            select(col(Delivery.id)).where(among(work, Delivery.id, ours))
        )
        found |= {id_: id_ for id_ in rows.scalars()}
    if theirs:
        pairs = await work.session.execute(
            select(col(Delivery.provider_id), col(Delivery.id)).where(
                among(work, Delivery.provider_id, theirs)
            )
        )
        found |= {str(provider_id): id_ for provider_id, id_ in pairs}
    return found


async def _keep(
    work: Work, gateway: str, raw: bytes, known: Sequence[tuple[Receipt, str]], at: datetime
) -> list[tuple[Receipt, str]]:
    """Keep what was not taken before; return it."""
    by_hash = {_hash(one): (one, id_) for one, id_ in known}
    rows = [
        {
            "id": new_id(),
            "gateway": gateway,
            "raw_sha256": hashed,
            "raw_sealed": b"",
            "delivery_id": id_,
            "outcome": one.outcome.value,
            "code": plain(one.code),
            "reported_at": one.at,
            "received_at": at,
        }
        for hashed, (one, id_) in sorted(by_hash.items())  # two requests wait in one order
    ]
    made = await work.session.execute(
        insert_or_pass(work, DeliveryReceipt).returning(
            col(DeliveryReceipt.id), col(DeliveryReceipt.raw_sha256)
        ),
        rows,
    )
    kept = made.all()
    if kept:
        # any bytes are text to it; what they mean is the gateway's to say
        sealed = work.contacts.seal(raw.decode("latin-1"))
        receipt = DeliveryReceipt.__table__  # type: ignore[attr-defined]  # SQLModel does not say
        await work.session.execute(
            receipt.update().where(receipt.c.id == kept[0].id).values(raw_sealed=sealed)
        )
    return [by_hash[row.raw_sha256] for row in kept]


def _hash(receipt: Receipt) -> str:
    told = [
        *(receipt.outcome.value, instant_text(receipt.at), receipt.code),
        *(receipt.message_id, receipt.provider_id),
    ]
    return sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


async def _apply(work: Work, new: Sequence[tuple[Receipt, str]], at: datetime) -> None:
    if not new:
        return
    ids = {id_ for _, id_ in new}
    locked = await work.session.execute(
        select(*_COLUMNS)
        .where(among(work, DELIVERY.c.id, ids))
        .order_by(DELIVERY.c.id)
        .with_for_update()
    )
    rows: dict[str, Any] = {row.id: row for row in locked}
    changed: dict[str, dict[str, Any]] = {}
    for receipt, id_ in sorted(new, key=lambda pair: pair[0].at):
        before = changed.get(id_) or dict(rows[id_]._mapping)
        told_at = _told_at(work.now, at, receipt.at, rows[id_].attempted_at)
        changed[id_] = _after(before, receipt, told_at, work.now)
    await work.session.execute(
        _CHANGE,
        [
            {name: value for name, value in row.items() if name in _CHANGE_NAMES} | {"which": id_}
            for id_, row in sorted(changed.items())
        ],
    )
    await record_outcomes(work, [_told(rows[id_], one) for one, id_ in new], RECEIPTS)
    dead = [
        id_
        for id_, row in changed.items()
        if row["state"] is DeliveryState.dead and rows[id_].state is not DeliveryState.dead
    ]
    await open_after_failure(work, dead)


_CHANGE_NAMES = frozenset(
    {"state", "code", "settled_at", "accepted_at", "delivered_at", "failed_at", "provider_id"}
)


def _told_at(
    now: datetime, at: datetime, reported: datetime, attempted_at: datetime | None
) -> datetime:
    """Return a provider's instant by the installation's clock.

    A provider's clock may be wrong: it is never one that is still to come, nor before the attempt.
    """
    earliest = reported if attempted_at is None else max(reported, attempted_at)
    return min(now, now - (at - earliest))


def _after(
    row: Mapping[str, Any], receipt: Receipt, told_at: datetime, now: datetime
) -> dict[str, Any]:
    """Return a delivery's columns after one receipt. Who holds a lease on it keeps it."""
    evidence = with_word(
        Evidence(row["accepted_at"], row["delivered_at"], row["failed_at"]),
        receipt.outcome,
        told_at,
    )
    after = dict(row) | {
        "accepted_at": evidence.accepted_at,
        "delivered_at": evidence.delivered_at,
        "failed_at": evidence.failed_at,
        "provider_id": row["provider_id"] or receipt.provider_id,
    }
    if receipt.outcome is Outcome.failed and evidence.failed:
        after["code"] = plain(receipt.code) or row["code"]
    if row["state"] in _MOVED and (evidence.failed or evidence.stands):
        state = DeliveryState.dead if evidence.failed else DeliveryState.done
        after["state"] = state
        if state is not row["state"]:
            after["settled_at"] = now
    return after


def _told(row: Any, receipt: Receipt) -> Told:
    return Told(
        row.id,
        row.utility_id,
        DeliverySource(row.source),
        row.source_id,
        receipt.outcome.value,
        plain(receipt.code),
        _hash(receipt),
        row.attempts,
        instant_text(receipt.at),
    )
