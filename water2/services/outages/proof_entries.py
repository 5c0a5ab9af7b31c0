"""What of the ledger proves an outage: its entries with their receipts, its batches of outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from water2.domain.delivery import DeliveryBatch
from water2.domain.errors import Conflict
from water2.domain.ledger import LedgerEntry
from water2.services.ledger_proofs import give_receipt
from water2.services.outages.standing import Standing
from water2.work import Work


@dataclass(frozen=True)
class BatchProof:
    """The outcomes of a batch of messages, whose hash is in the ledger."""

    batch: str
    body_sha256: str
    body: str


@dataclass(frozen=True)
class EntryProof:
    """An entry of the ledger that tells of the outage, with its receipt once it is signed.

    `receipt` is a C2SP tlog-proof; None until the next checkpoint.
    """

    ledger: str
    seq: int
    type: str
    recorded_at: datetime
    leaf: str
    body: str
    receipt: str | None


async def batches_of(work: Work, sources: Sequence[str]) -> list[BatchProof]:
    """Return the batches of an outage's notices, in the order they were settled."""
    rows = await work.session.exec(
        select(DeliveryBatch)
        .where(col(DeliveryBatch.source_id).in_(sources))
        .order_by(col(DeliveryBatch.recorded_at), DeliveryBatch.id)
    )
    return [BatchProof(row.id, row.body_sha256, row.body.decode()) for row in rows]


async def entries_about(work: Work, standing: Standing, sources: Sequence[str]) -> list[EntryProof]:
    """Return the ledger's entries about an outage and its notices, in order."""
    subjects = [f"outage:{standing.outage.id}", *(f"notice:{source}" for source in sources)]
    rows = await work.session.exec(
        select(LedgerEntry)
        .where(
            LedgerEntry.ledger_id == standing.facility.ledger_id,
            col(LedgerEntry.subject).in_(subjects),
        )
        .order_by(col(LedgerEntry.seq))
    )
    return [
        EntryProof(
            ledger=row.ledger_id,
            seq=row.seq,
            type=row.type,
            recorded_at=row.recorded_at,
            leaf=row.hashes[:32].hex(),
            body=row.body.decode(),
            receipt=await _receipt(work, row),
        )
        for row in rows.all()
    ]


async def _receipt(work: Work, entry: LedgerEntry) -> str | None:
    try:
        return await give_receipt(work, entry.ledger_id, entry.seq)
    except Conflict:  # not signed yet
        return None
