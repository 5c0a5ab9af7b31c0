"""Keyset paging: a cursor is the key of the last row shown, so that no page costs more than one."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Date, DateTime, Select, literal, tuple_

from water2.domain.errors import Invalid
from water2.work import Work

T = TypeVar("T")
MOST_ROWS = 500


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the following page."""

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class PageAsked:
    """Which page, of which of the utilities the actor sees (None: of all)."""

    utility: str | None = None
    limit: int = 100
    cursor: str | None = None


async def read_page(
    work: Work,
    statement: Select[Any],
    keys: Sequence[Any],
    limit: int,
    cursor: str | None,
    *,
    descending: bool = False,
    whole_rows: bool = False,
) -> Page[Any]:
    """Read the page after a cursor in the order of some columns, which must identify a row.

    The statement selects one table, or columns (`whole_rows`), the keys by their names among them.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    if cursor:
        here, after = tuple_(*keys), tuple_(*_values(cursor, keys))
        statement = statement.where(here < after if descending else here > after)
    order = [key.desc() if descending else key for key in keys]
    found = await work.session.execute(statement.order_by(*order).limit(limit + 1))
    rows: Sequence[Any] = found.all() if whole_rows else found.scalars().all()
    shown = list(rows[:limit])
    more = len(rows) > len(shown)
    return Page(shown, _cursor([getattr(shown[-1], key.key) for key in keys]) if more else None)


def _cursor(values: Sequence[Any]) -> str:
    told = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _values(cursor: str, keys: Sequence[Any]) -> list[ColumnElement[Any]]:
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        pairs = zip(told, keys, strict=True)
        return [literal(_read(value, key), key.type) for value, key in pairs]
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid.one("cursor", "cursor_unknown") from error


def _read(value: Any, key: Any) -> Any:
    if not isinstance(value, str) or "\x00" in value or not value.isprintable():
        raise TypeError("a cursor holds printable text")
    kind = getattr(key.type, "impl", key.type)  # SQLModel's aware instants wrap a plain DateTime
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if not isinstance(kind, DateTime):
        return value
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("an instant is aware")
    return instant
