"""Putting readings into their table past the ORM, and telling which were there already.

Spoken to the driver: a minute of a thousand instruments is one statement on PostgreSQL, one
prepared statement on SQLite, and no object for a row.
"""

import json
import sqlite3
from asyncio import Event
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import DateTime
from sqlalchemy import cast as cast_sql
from sqlalchemy import select as select_columns
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from water2.domain.instrument import Reading
from water2.rules.flags import FlagCode
from water2.services.instruments.given import Taken
from water2.services.rows import listed, on_postgresql
from water2.work import Work

_NAMES = "instrument_id, taken_at, raw, value, censored, verdict, flags, batch_id, received_at"
_SQLITE = (
    f"INSERT INTO reading ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - our own words
)
_TEXTS = ", ".join(f"string_to_array(${n}, chr(10), '')" for n in range(1, 7))
_POSTGRESQL = (
    f"INSERT INTO reading ({_NAMES})"  # noqa: S608 - our own words
    f" SELECT i, t::timestamptz, r, v, c, j, $7::jsonb, $8, $9 FROM unnest({_TEXTS})"
    " AS given(i, t, r, v, c, j)"
)
"""One text for each column, cut by the server: a list costs the driver as much as the insert."""
_IN_CALIBRATION = "[]"
_OUT_OF_CALIBRATION = json.dumps([FlagCode.out_of_calibration.value])


Held = dict[tuple[str, datetime], tuple[str | None, str | None]]
"""Stored readings by instrument and instant: the value and its censoring."""


def instant_text(work: Work, at: datetime) -> str:
    """Write an instant in UTC so that `instant_of` compares it."""
    return at.isoformat() if on_postgresql(work) else _sqlite_instant(at)


def instant_of(work: Work, column: Any) -> Any:
    """Return a column of such texts as the instants they are."""
    return cast_sql(column, DateTime(timezone=True)) if on_postgresql(work) else column


def _sqlite_instant(at: datetime) -> str:
    """Write an instant in UTC as the tables' own type does there."""
    return at.isoformat(" ", "microseconds")[:26]


async def store_readings(
    work: Work, taken: Sequence[Taken], batches: Mapping[str, str], under_way: Event
) -> Held:
    """Insert readings whose key is free; return what stands under the keys that were taken before.

    `batches` holds the batch of each facility. `under_way` is set when the database begins.
    """
    insert = _insert_postgresql if on_postgresql(work) else _insert_sqlite
    connection = await work.session.connection()
    inserted = 0
    for (batch_id, flags), those in _alike(taken, batches).items():
        columns = _columns(those)
        inserted += await insert(connection, columns, (flags, batch_id, work.now), under_way)
    return {} if inserted == len(taken) else await _stored_before(work, taken, batches)


def _alike(
    taken: Sequence[Taken], batches: Mapping[str, str]
) -> dict[tuple[str, str], list[Taken]]:
    """Return rows by their batch and flags: nearly always all of them are alike."""
    alike: dict[tuple[str, str], list[Taken]] = defaultdict(list)
    for one in taken:
        flags = _IN_CALIBRATION if one.calibrated else _OUT_OF_CALIBRATION
        alike[batches[one.meter.site.id], flags].append(one)
    return alike


def _columns(taken: Sequence[Taken]) -> list[Sequence[Any]]:
    judged = [one.judged for one in taken]
    return [
        [one.meter.id for one in taken],
        [one.told_at for one in taken],
        [one.raw for one in taken],
        [each.value for each in judged],
        [each.censored for each in judged],
        [each.verdict for each in judged],
    ]


_Same = tuple[str, str, datetime]  # flags, batch, received


async def _insert_sqlite(
    connection: Any, columns: list[Sequence[Any]], same: _Same, under_way: Event
) -> int:
    columns[1] = [told[:26].replace("T", " ") for told in columns[1]]
    flags, batch_id, received = same
    rest = [[each] * len(columns[0]) for each in (flags, batch_id, _sqlite_instant(received))]
    rows = list(zip(*columns, *rest, strict=True))
    under_way.set()
    return await _run_sqlite(connection, _SQLITE, rows)


async def _insert_postgresql(
    connection: Any, columns: list[Sequence[Any]], same: _Same, under_way: Event
) -> int:
    # no column holds a line feed, and none but those that may lack holds an empty text
    texts = ["\n".join([each or "" for each in column]) for column in columns]
    rows = (*texts, *same)
    try:  # nearly always all are new, and asking for each whether it is costs half an insert more
        async with connection.begin_nested():
            under_way.set()
            await connection.exec_driver_sql(_POSTGRESQL, rows)
    except IntegrityError:
        result = await connection.exec_driver_sql(f"{_POSTGRESQL} ON CONFLICT DO NOTHING", rows)
        return cast("int", result.rowcount)
    return len(columns[0])


async def _run_sqlite(connection: Any, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    driver = (await connection.get_raw_connection()).driver_connection
    try:
        cursor = await driver.executemany(sql, rows)
    except sqlite3.Error as error:  # as every other statement's errors come
        raise DBAPIError.instance(
            sql, None, error, sqlite3.Error, dialect=connection.dialect
        ) from error
    return int(cursor.rowcount)


async def _stored_before(work: Work, taken: Sequence[Taken], batches: Mapping[str, str]) -> Held:
    keys = listed(
        work,
        instrument=[one.meter.id for one in taken],
        at=[instant_text(work, one.at) for one in taken],
    )
    same_key = (col(Reading.instrument_id) == keys.c.instrument) & (
        col(Reading.taken_at) == instant_of(work, keys.c.at)
    )
    columns = (Reading.instrument_id, Reading.taken_at, Reading.value, Reading.censored)
    rows = await work.session.execute(
        select_columns(*(col(column) for column in columns))
        .select_from(keys)
        .join(Reading, same_key)
        .where(col(Reading.batch_id).not_in(set(batches.values())))
    )
    return {(row.instrument_id, row.taken_at): (row.value, row.censored) for row in rows}


class KeptBatch(NamedTuple):
    """A utility's readings of one request; `body_sha256` is that of the bytes not deflated."""

    id: str
    utility_id: str
    facility_id: str | None
    readings: int
    deflated: bytes
    body_sha256: str


_KEPT = "id, utility_id, facility_id, readings, body, body_sha256, received_at"
_BATCHES_SQLITE = f"INSERT INTO reading_batch ({_KEPT}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own words
_BATCHES_POSTGRESQL = f"INSERT INTO reading_batch ({_KEPT}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608 - our own words


async def store_batches(work: Work, kept: Sequence[KeptBatch]) -> None:
    """Insert batches: one, where all instruments are of one utility."""
    connection = await work.session.connection()
    for one in kept:
        if on_postgresql(work):
            await connection.exec_driver_sql(_BATCHES_POSTGRESQL, (*one, work.now))
        else:
            await _run_sqlite(connection, _BATCHES_SQLITE, [(*one, _sqlite_instant(work.now))])
