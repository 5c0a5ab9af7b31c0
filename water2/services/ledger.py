"""Reading ledgers: which there are, their entries as parsed and as hashed, corrections folded."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.correction import Correction, corrected_subject, read_correction
from water2.domain.entry import parse_entry
from water2.domain.errors import NotFound
from water2.domain.ledger import CORRECTED, Ledger, LedgerEntry
from water2.domain.merkle import fold_peaks, split_hashes
from water2.domain.organisation import Utility
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import fetch
from water2.work import Work


@dataclass(frozen=True)
class EntryView:
    """An entry: what it says, the bytes that were hashed (base64), and what later corrected it."""

    ledger_id: str
    seq: int
    leaf: str
    entry: dict[str, Any]
    body: str
    corrections: Sequence[Correction]


async def fetch_ledger(work: Work, ledger_id: str) -> Ledger:
    """Return a ledger the actor may see.

    Raises:
        NotFound: no such ledger, or another utility's.
    """
    work.require(Action.read)
    return await fetch(work, Ledger, ledger_id)


async def list_ledgers(work: Work, asked: PageAsked) -> Page[Ledger]:
    """Return the ledgers of the actor's utilities, or of one of them, in the order of their ids.

    Raises:
        NotFound: the utility is not the actor's to see.
    """
    work.require(Action.read)
    wanted = asked.utility
    seen = [(await fetch(work, Utility, wanted)).id] if wanted else work.actor.utility_ids
    statement = select(Ledger).where(col(Ledger.utility_id).in_(seen))
    return await read_page(work, statement, [col(Ledger.id)], asked.limit, asked.cursor)


async def list_entries(
    work: Work, ledger_id: str, *, after: int = -1, limit: int = 100
) -> list[EntryView]:
    """Return entries of a ledger from the one after `after` on, in their order."""
    ledger = await fetch_ledger(work, ledger_id)
    rows = await work.session.exec(
        select(LedgerEntry)
        .where(LedgerEntry.ledger_id == ledger.id, LedgerEntry.seq > after)
        .order_by(col(LedgerEntry.seq))
        .limit(limit)
    )
    return await _views(work, rows.all())


async def fetch_entry(work: Work, ledger_id: str, seq: int) -> EntryView:
    """Return one entry.

    Raises:
        NotFound: the ledger has none of this number.
    """
    found = await list_entries(work, ledger_id, after=seq - 1, limit=1)
    if not found or found[0].seq != seq:
        raise NotFound("ledger_entry", f"{ledger_id}/{seq}")
    return found[0]


def root_of(ledger: Ledger) -> bytes:
    """Return the root of a ledger as it stands."""
    return fold_peaks(split_hashes(ledger.frontier))


def of_type(type_: str) -> ColumnElement[bool]:
    """Return the condition on the type of entries that have an index of their own.

    Written out in the statement: for a parameter SQLite would not look at a partial index.
    """
    return col(LedgerEntry.type) == bindparam("entry_type", type_, literal_execute=True)


async def _views(work: Work, rows: Sequence[LedgerEntry]) -> list[EntryView]:
    corrections = await _corrections(work, rows)
    return [
        EntryView(
            ledger_id=row.ledger_id,
            seq=row.seq,
            leaf=b64encode(row.hashes[:32]).decode(),
            entry=cast("dict[str, Any]", parse_entry(row.body)),
            body=b64encode(row.body).decode(),
            corrections=corrections.get(corrected_subject(row.seq), []),
        )
        for row in rows
    ]


async def _corrections(work: Work, rows: Sequence[LedgerEntry]) -> dict[str, list[Correction]]:
    """Return the corrections of entries of one ledger by their subject."""
    if not rows:
        return {}
    # sorted here: asked for the order, SQLite would walk through the whole ledger instead
    found = await work.session.exec(
        select(LedgerEntry.seq, LedgerEntry.subject, LedgerEntry.body).where(
            LedgerEntry.ledger_id == rows[0].ledger_id,
            of_type(CORRECTED),
            col(LedgerEntry.subject).in_([corrected_subject(row.seq) for row in rows]),
        )
    )
    by_subject: dict[str, list[Correction]] = {}
    for _, subject, body in sorted(found.all()):
        by_subject.setdefault(subject, []).append(
            read_correction(cast("dict[str, Any]", parse_entry(body)))
        )
    return by_subject
