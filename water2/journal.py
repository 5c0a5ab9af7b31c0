"""Appends the entries of an act to their ledgers: the last step of its transaction.

The ledgers' rows are locked here and nowhere earlier, so a ledger is held only for the time of the
append and the commit. A number is given under that lock: never a sequence, never a maximum.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from water2.domain.entry import EntryParts, encode_entry
from water2.domain.errors import NotFound
from water2.domain.ledger import LedgerEntry, PendingEntry, Receipt
from water2.domain.merkle import HASH_BYTES, GrowingTree, leaf_hash

_READ_HEADS = "SELECT id, size, frontier FROM ledger WHERE id IN (SELECT value FROM json_each(?))"
_INSERT = (
    "INSERT INTO ledger_entry (ledger_id, seq, body, hashes, type, subject, recorded_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_APPEND = (
    "SELECT seqs, leaves FROM ledger_append("
    "$1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz)"
)
_NO_SUCH_LEDGER = "23503"  # the function raises foreign_key_violation
_recorded_at = cast("Any", LedgerEntry).__table__.c.recorded_at

_Row = tuple[str, int, bytes, bytes, str, str, str]


class _Written(NamedTuple):
    """An entry ready but for its number, and its place among those handed over."""

    place: int
    entry: PendingEntry
    parts: EntryParts


async def append(
    session: AsyncSession,
    entries: Sequence[PendingEntry],
    *,
    now: datetime,
    actor_id: str,
    idempotency_key: str | None,
) -> list[Receipt]:
    """Append entries, each ledger's in the order given; return where each came to stand.

    The session must be flushed; nothing may be written after it in the same transaction.

    Raises:
        Invalid: an entry is outside the model.
        NotFound: an entry names a ledger that is not there.
    """
    by_ledger: dict[str, list[_Written]] = defaultdict(list)
    for place, entry in enumerate(entries):
        parts = encode_entry(
            entry, recorded_at=now, actor_id=actor_id, idempotency_key=idempotency_key
        )
        by_ledger[entry.ledger_id].append(_Written(place, entry, parts))
    written = [one for ledger_id in sorted(by_ledger) for one in by_ledger[ledger_id]]
    connection = await session.connection()
    on_postgresql = connection.dialect.name == "postgresql"
    receipts = await (_append_postgresql if on_postgresql else _append_sqlite)(
        connection, written, now
    )
    in_order = sorted(zip((one.place for one in written), receipts, strict=True))
    return [receipt for _, receipt in in_order]


async def _append_postgresql(
    connection: AsyncConnection, written: Sequence[_Written], now: datetime
) -> list[Receipt]:
    ledger_ids = [one.entry.ledger_id for one in written]
    arguments = (
        ledger_ids,
        [one.parts.head for one in written],
        [one.parts.tail for one in written],
        [one.entry.type for one in written],
        [one.entry.subject for one in written],
        now,
    )
    try:
        answer = await connection.exec_driver_sql(_APPEND, arguments)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == _NO_SUCH_LEDGER:
            raise NotFound("ledger", ", ".join(sorted(set(ledger_ids)))) from error
        raise
    row = answer.one()
    return [Receipt(*where) for where in zip(ledger_ids, row.seqs, row.leaves, strict=True)]


async def _append_sqlite(
    connection: AsyncConnection, written: Sequence[_Written], now: datetime
) -> list[Receipt]:
    """Number and hash in Python; the trigger on each inserted entry moves its ledger's row.

    Spoken to the driver itself: SQLAlchemy's cursor costs four changes of thread a statement, which
    is more than the append. The transaction is SQLAlchemy's, begun IMMEDIATE, so it is the lock.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    bind = _recorded_at.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    ids = json.dumps(sorted({one.entry.ledger_id for one in written}))
    try:
        heads = await driver.execute_fetchall(_READ_HEADS, (ids,))
        trees = {ledger_id: GrowingTree(size, frontier) for ledger_id, size, frontier in heads}
        recorded_at = bind(now)
        rows = [_number(one, trees, recorded_at) for one in written]
        await driver.executemany(_INSERT, rows)
    except sqlite3.Error as error:  # as every other statement's errors come
        raise DBAPIError.instance(
            _INSERT, None, error, sqlite3.Error, dialect=connection.dialect
        ) from error
    return [Receipt(row[0], row[1], row[3][:HASH_BYTES]) for row in rows]


def _number(one: _Written, trees: Mapping[str, GrowingTree], recorded_at: str) -> _Row:
    """Give an entry the next number of its ledger; return its row."""
    entry = one.entry
    tree = trees.get(entry.ledger_id)
    if tree is None:
        raise NotFound("ledger", entry.ledger_id)
    seq = tree.size
    body = one.parts.numbered(seq)
    hashes = tree.append(leaf_hash(body))
    return entry.ledger_id, seq, body, hashes, entry.type, entry.subject, recorded_at
