"""Running the queue's statements: written out for each database, compiled once, past the ORM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, text

from water2.domain.delivery import Delivery
from water2.services.rows import on_postgresql
from water2.work import Work

DELIVERY = cast("Any", Delivery).__table__
INSTANT = DELIVERY.c.due_at.type
Found = CursorResult[*tuple[Any, ...]]


@dataclass(frozen=True)
class Statement:
    """One statement in both dialects.

    `instants` are the parameters that are instants, `columns` the types of returned columns that
    the driver does not give as they are.
    """

    postgresql: str
    sqlite: str
    instants: tuple[str, ...] = ("now",)
    columns: Mapping[str, Any] | None = None

    async def run(self, work: Work, **values: Any) -> Found:
        """Run it in the unit; what the session holds is not flushed first."""
        connection = await work.session.connection()
        which = self._on_postgresql if on_postgresql(work) else self._on_sqlite
        return await connection.execute(which, values)

    @cached_property
    def _on_postgresql(self) -> Any:
        return self._built(self.postgresql)

    @cached_property
    def _on_sqlite(self) -> Any:
        return self._built(self.sqlite)

    def _built(self, sql: str) -> Any:
        built = text(sql).bindparams(*(bindparam(one, type_=INSTANT) for one in self.instants))
        return built.columns(**self.columns) if self.columns else built


async def sqlite_instants(work: Work) -> Callable[[datetime | None], str | None]:
    """Return how SQLite's driver is given an instant inside a JSON text."""
    dialect = work.session.get_bind().dialect
    bind = INSTANT.dialect_impl(dialect).bind_processor(dialect)
    return cast("Callable[[datetime | None], str | None]", bind)


def transposed(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return rows as one list for each column."""
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
