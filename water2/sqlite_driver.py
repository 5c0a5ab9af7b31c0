"""SQLite's connections, with one change of thread for each statement where SQLAlchemy has four.

SQLAlchemy asks aiosqlite for a cursor, the execution, the rows and the cursor's end one by one.
Each is a turn of the connection's own thread and of the event loop: together they cost several
times what SQLite itself needs for a short statement. Streamed results keep SQLAlchemy's cursor.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)


class _Statement:
    """What SQLAlchemy's cursor asks of the driver's; the rows are read where it runs."""

    arraysize = 1

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        await self._run("execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._run("executemany", sql, parameters)

    async def _run(self, method: str, *arguments: Any) -> None:
        def in_its_thread() -> None:
            cursor = getattr(self._driver._conn, method)(*arguments)
            self._rows, self.description = cursor.fetchall(), cursor.description
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid

        await self._driver._execute(in_its_thread)

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        """Nothing is open: all rows were read."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Statement(connection)

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor


def connect(dialect: Any, _record: object, arguments: Any, settings: Any) -> Any:
    """Connect as SQLAlchemy would, with quicker cursors; for its event `do_connect`."""
    made = dialect.connect(*arguments, **settings)
    return _Connection(made.dbapi, made.driver_connection)
