"""Evidence of outcomes: canonical JSON kept in the database, its hash in the ledger."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import col

from water2.domain.delivery import Delivery, DeliveryBatch, DeliverySource
from water2.domain.entry import instant_text
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.ledger import PendingEntry
from water2.domain.notice import Notice
from water2.domain.organisation import Utility
from water2.services.rows import insert_rows
from water2.work import Work

SETTLED = "deliveries.settled"
RECEIPTS = "receipts.taken"

_NOTICES = (
    select(col(Notice.id), col(Facility.ledger_id))
    .join(Facility, col(Facility.id) == col(Notice.facility_id))
    .where(col(Notice.id).in_(bindparam("ids", expanding=True)))
)
_UTILITIES = select(col(Utility.id), col(Utility.ledger_id)).where(
    col(Utility.id).in_(bindparam("ids", expanding=True))
)


MOST_KNOWN = 10_000
_KNOWN: dict[str, str] = {}
"""The ledgers of notices and utilities: they never change, and every batch asks for one."""


class Told(NamedTuple):
    """What became of one delivery, as the evidence holds it: no address in any form."""

    id: str
    utility_id: str
    source: DeliverySource
    source_id: str
    outcome: str
    code: str = ""
    reply_sha256: str | None = None
    attempts: int = 0
    at: str | None = None  # the provider's own instant


def plain(text: str) -> str:
    """Return what a provider said as it can be stored: 120 characters, none unprintable."""
    if not text.isprintable():  # asked of the whole first: it seldom is not, and this runs often
        text = "".join(one for one in text if one.isprintable())
    return text[:120]


async def record_outcomes(work: Work, told: Sequence[Told], type_: str = SETTLED) -> None:
    """Keep outcomes as one batch for each source, and put each batch's hash on its ledger.

    A notice's go to the ledger of its facility, all others to the utility's.
    """
    if not told:
        return
    by_source: dict[tuple[str, DeliverySource, str], list[Told]] = defaultdict(list)
    for one in told:
        by_source[one.utility_id, one.source, one.source_id].append(one)
    ledgers = await _ledgers(work, by_source)
    batches = []
    for (utility_id, source, source_id), those in sorted(by_source.items()):
        body = _body(those, instant_text(work.now))
        batch = {
            "id": new_id(),
            "utility_id": utility_id,
            "ledger_id": ledgers.get(source_id) or ledgers[utility_id],
            "source_id": source_id,
            "recorded_at": work.now,
            "body": body,
            "body_sha256": sha256(body).hexdigest(),
        }
        batches.append(batch)
        counts = Counter(one.outcome for one in those)
        work.record(
            PendingEntry(
                ledger_id=str(batch["ledger_id"]),
                type=type_,
                subject=f"{source.value}:{source_id}",
                occurred_at=work.now,
                data={"batch": batch["id"], "body_sha256": batch["body_sha256"]}
                | {"count": len(those)}
                | dict(sorted(counts.items())),
            )
        )
    await insert_rows(work, DeliveryBatch, batches)


def _body(told: Iterable[Told], now: str) -> bytes:
    rows = [
        [one.id, one.outcome, one.code, one.at or now, one.reply_sha256, one.attempts]
        for one in told
    ]
    return json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


async def _ledgers(
    work: Work, sources: Iterable[tuple[str, DeliverySource, str]]
) -> dict[str, str]:
    """Return the ledgers of notices by the notice, and of utilities by the utility."""
    named = list(sources)
    of_notices = {id_ for _, source, id_ in named if source is DeliverySource.notice}
    of_utilities = {utility_id for utility_id, _, _ in named}
    found = await _known(work, _NOTICES, of_notices)
    return found | await _known(work, _UTILITIES, of_utilities)


async def _known(work: Work, statement: Any, ids: Collection[str]) -> dict[str, str]:
    found = {id_: _KNOWN[id_] for id_ in ids if id_ in _KNOWN}
    unknown = sorted(set(ids) - found.keys())
    if unknown:
        rows = await work.session.execute(statement, {"ids": unknown})
        learned = {row[0]: row[1] for row in rows}
        if len(_KNOWN) > MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN.update(learned)
        found |= learned
    return found


async def ledger_of(work: Work, delivery: Delivery) -> str:
    """Return the ledger that a delivery's acts belong to."""
    found = await _ledgers(work, [(delivery.utility_id, delivery.source, delivery.source_id)])
    return found.get(delivery.source_id) or found[delivery.utility_id]
