"""Small things every set-wise statement needs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CursorResult,
    FromClause,
    Insert,
    Select,
    String,
    bindparam,
    func,
    insert,
    literal,
)
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, select

from water2.domain.errors import NotFound
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.work import Work

T = TypeVar("T")
Row = TypeVar("Row", bound=SQLModel)

CHUNK = 5000  # ids in one IN list; both databases take at least 32,000 parameters


def chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """Cut a list into pieces short enough for one statement."""
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))


def listed(work: Work, **columns: Sequence[str | None]) -> FromClause:
    """Return a table of text columns made from lists of one length: one parameter for each.

    For thousands of rows it costs a fraction of a statement, or a parameter, for each of them.
    """
    if on_postgresql(work):
        arrays = [literal(list(values), ARRAY(String)) for values in columns.values()]
        return func.unnest(*arrays).table_valued(*columns).render_derived()
    rows = func.json_each(json.dumps(list(zip(*columns.values(), strict=True))))
    row = rows.table_valued("value").c.value
    cells = (func.json_extract(row, f"$[{n}]").label(name) for n, name in enumerate(columns))
    return select_columns(*cells).subquery()


def among(work: Work, column: Any, ids: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a text column holds one of many values.

    On PostgreSQL they are a set to join with: `= ANY` is searched from end to end for each row.
    """
    wanted = listed(work, value=list(ids))
    return cast("ColumnElement[bool]", column.in_(select_columns(wanted.c.value)))


async def insert_rows(work: Work, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows past the ORM, which would look at each of them; none is fine."""
    if rows:
        await work.session.execute(insert(cast("Any", table).__table__), list(rows))


def on_postgresql(work: Work) -> bool:
    """Tell which of a statement's two forms is meant."""
    return work.session.get_bind().dialect.name == "postgresql"


def insert_or_pass(work: Work, table: type[SQLModel]) -> Insert:
    """Return an INSERT that passes over rows whose unique key is taken; give it the rows."""
    dialect_insert = postgresql.insert if on_postgresql(work) else sqlite.insert
    return dialect_insert(cast("Any", table).__table__).on_conflict_do_nothing()


def ids_of_rows(work: Work, key: Any) -> ColumnElement[str]:
    """Return an id nobody can guess for each row of a set-wise INSERT, which differ in a key.

    PostgreSQL takes longer to draw a random id than to insert a row: there one drawn for the whole
    statement is hashed with the bytes of each row's key.
    """
    if on_postgresql(work):
        return func.md5(func.concat(new_id(), func.encode(key, "hex")))
    return func.lower(func.hex(func.randomblob(16)))


def one_of_each(work: Work, rows: Select[Any], *key: Any) -> Select[Any]:
    """Return one row, any, for each value of a key, in its order: an index on it grows at its end.

    PostgreSQL has DISTINCT ON for it; SQLite takes the other columns of a group from one row.
    """
    if on_postgresql(work):
        return rows.ext(postgresql.distinct_on(*key)).order_by(*key)
    return rows.group_by(*key)


async def changed_rows(work: Work, statement: Any) -> int:
    """Run a set-wise statement and return how many rows it made or changed."""
    result = await work.session.execute(statement)
    return cast("CursorResult[Any]", result).rowcount


async def ledgers_of(work: Work, facility_ids: Sequence[str]) -> dict[str, str]:
    """Return the ledgers of facilities."""
    rows = await work.session.exec(
        select(Facility.id, Facility.ledger_id).where(among(work, Facility.id, set(facility_ids)))
    )
    return dict(rows.all())


async def fetch(work: Work, table: type[Row], id_: str, *, lock: bool = False) -> Row:
    """Return a row of a utility the actor sees; `lock` holds it until the act ends.

    Raises:
        NotFound: no such row, or another utility's: an outsider learns nothing.
    """
    rows = await work.session.exec(_by_id(table, lock), params={"id": id_})
    found: Row | None = rows.first()
    utility_id = getattr(found, "utility_id", getattr(found, "id", None))
    if found is None or not work.actor.sees(str(utility_id)):
        raise NotFound(str(table.__tablename__), id_)
    return found


@cache  # to build a statement costs more than to run it
def _by_id(table: type[Row], lock: bool) -> Any:
    statement = select(table).where(cast("Any", table).id == bindparam("id"))
    if not lock:
        return statement
    # as it stands once the lock is held, and leaving room for rows that refer to it
    locked = statement.with_for_update(key_share=True)
    return locked.execution_options(populate_existing=True)


async def utility_of(work: Work, row: Any) -> Utility:
    """Return the utility a row belongs to."""
    return await fetch(work, Utility, row.utility_id)
