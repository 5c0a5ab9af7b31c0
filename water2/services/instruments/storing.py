"""Putting readings into their table past the ORM, and telling which were there already.

Spoken to the driver: a minute of a thousand instruments is one statement on PostgreSQL, one
prepared statement on SQLite, and no object for a row.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import DateTime
from sqlalchemy import cast as cast_sql
from sqlalchemy import select as select_columns
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from water2.domain.instrument import Reading
from water2.rules.flags import FlagCode
from water2.services.instruments.given import Taken
from water2.services.rows import listed
from water2.work import Work

NAMES = "instrument_id, taken_at, raw, value, censored, verdict, flags, batch_id, received_at"
_SQLITE = f"INSERT INTO reading ({NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - our own words
_ARRAYS = ", ".join(f"string_to_array(${n}, chr(10), '')" for n in range(1, 9))
_POSTGRESQL = (
    f"INSERT INTO reading ({NAMES})"  # noqa: S608 - our own words
    f" SELECT i, t::timestamptz, r, v, c, j, f::jsonb, b, $9 FROM unnest({_ARRAYS})"
    " AS given(i, t, r, v, c, j, f, b) ON CONFLICT DO NOTHING"
)
"""One text for each column, cut by the server: a list costs the driver as much as the insert."""
_OUT_OF_CALIBRATION = json.dumps([FlagCode.out_of_calibration.value])


Held = dict[tuple[str, datetime], tuple[str | None, str | None]]
"""Stored readings by instrument and instant: the value and its censoring."""


def instant_text(work: Work, at: datetime) -> str:
    """Write an instant in UTC so that `instant_of` compares it."""
    on_sqlite = work.session.get_bind().dialect.name == "sqlite"
    return _sqlite_instant(at) if on_sqlite else at.isoformat()


def instant_of(work: Work, column: Any) -> Any:
    """Return a column of such texts as the instants they are."""
    on_sqlite = work.session.get_bind().dialect.name == "sqlite"
    return column if on_sqlite else cast_sql(column, DateTime(timezone=True))


def _sqlite_instant(at: datetime) -> str:
    """Write an instant in UTC as the tables' own type does there."""
    return at.isoformat(" ", "microseconds")[:26]


async def store_readings(work: Work, taken: Sequence[Taken], batches: Mapping[str, str]) -> Held:
    """Insert readings whose key is free; return what stands under the keys that were taken before.

    `batches` holds the batch of each facility.
    """
    columns = _columns(taken, batches)
    connection = await work.session.connection()
    on_sqlite = connection.dialect.name == "sqlite"
    inserted = await (_insert_sqlite if on_sqlite else _insert_postgresql)(
        connection, columns, work.now
    )
    return {} if inserted == len(taken) else await _stored_before(work, taken, batches)


def _columns(taken: Sequence[Taken], batches: Mapping[str, str]) -> list[Sequence[Any]]:
    judged = [one.judged for one in taken]
    return [
        [one.meter.id for one in taken],
        [one.told_at for one in taken],
        [one.raw for one in taken],
        [each.value for each in judged],
        [each.censored for each in judged],
        [each.verdict for each in judged],
        ["[]" if one.calibrated else _OUT_OF_CALIBRATION for one in taken],
        [batches[one.meter.site.id] for one in taken],
    ]


async def _insert_sqlite(connection: Any, columns: list[Sequence[Any]], now: datetime) -> int:
    columns[1] = [told[:26].replace("T", " ") for told in columns[1]]
    received = [_sqlite_instant(now)] * len(columns[0])
    return await _run_sqlite(connection, _SQLITE, list(zip(*columns, received, strict=True)))


async def _run_sqlite(connection: Any, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    driver = (await connection.get_raw_connection()).driver_connection
    try:
        cursor = await driver.executemany(sql, rows)
    except sqlite3.Error as error:  # as every other statement's errors come
        raise DBAPIError.instance(
            sql, None, error, sqlite3.Error, dialect=connection.dialect
        ) from error
    return int(cursor.rowcount)


async def _insert_postgresql(connection: Any, columns: list[Sequence[Any]], now: datetime) -> int:
    # no column holds a line feed, and none but those that may lack holds an empty text
    texts = ["\n".join([each or "" for each in column]) for column in columns]
    result = await connection.exec_driver_sql(_POSTGRESQL, (*texts, now))
    return cast("int", result.rowcount)


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


@dataclass(frozen=True)
class KeptBatch:
    """A utility's readings of one request, as the bytes that the ledger has the hash of."""

    id: str
    utility_id: str
    facility_id: str | None
    readings: int
    body: bytes

    @cached_property
    def body_sha256(self) -> str:
        """Return the hash in hex."""
        return sha256(self.body).hexdigest()


_BATCHES = (
    "INSERT INTO reading_batch (id, utility_id, facility_id, received_at, readings, body,"
    " body_sha256) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_BATCHES_POSTGRESQL = (
    "INSERT INTO reading_batch (id, utility_id, facility_id, received_at, readings, body,"
    " body_sha256) SELECT i, u, f, $7, n, b, h FROM"
    " unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::text[])"
    " AS given(i, u, f, n, b, h)"
)


async def store_batches(work: Work, kept: Sequence[KeptBatch]) -> None:
    """Insert batches."""
    connection = await work.session.connection()
    if connection.dialect.name == "sqlite":
        received = _sqlite_instant(work.now)
        rows = [
            (
                one.id,
                one.utility_id,
                one.facility_id,
                received,
                one.readings,
                one.body,
                one.body_sha256,
            )
            for one in kept
        ]
        await _run_sqlite(connection, _BATCHES, rows)
        return
    columns = (
        [one.id for one in kept],
        [one.utility_id for one in kept],
        [one.facility_id for one in kept],
        [one.readings for one in kept],
        [one.body for one in kept],
        [one.body_sha256 for one in kept],
    )
    await connection.exec_driver_sql(_BATCHES_POSTGRESQL, (*columns, work.now))
