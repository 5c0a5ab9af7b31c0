"""Engines for the two databases, and SQLite's one writer at a time."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from water2 import sqlite_driver

WAL_PAGES_BEFORE_CHECKPOINT = 4000
WRITER_CACHE_KIB = 65_536  # ids are random: a write touches leaves all over its indexes


def async_url(url: str) -> str:
    """Name the async driver in a plain `sqlite:///` or `postgresql://` address."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    drivers["postgres"] = drivers["postgresql"]
    name = drivers.get(parsed.drivername, parsed.drivername)
    return parsed.set(drivername=name).render_as_string(hide_password=False)


def sqlite_engine(url: str, *, writing: bool, pool_size: int) -> AsyncEngine:
    """Build an engine that begins transactions itself: IMMEDIATE to write, deferred to read."""
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=60, connect_args={"timeout": 30}
    )
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"
    event.listen(engine.sync_engine, "do_connect", sqlite_driver.connect)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions itself
        pragmas = [
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            # only a writer that holds the file lock may move the WAL into the database
            f"wal_autocheckpoint={WAL_PAGES_BEFORE_CHECKPOINT if writing else 0}",
        ]
        pragmas.append(f"cache_size=-{WRITER_CACHE_KIB}" if writing else "query_only=ON")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def postgresql_engine(url: str, *, pool_size: int, pooler: bool) -> AsyncEngine:
    """Build an engine; several addresses (`?host=a:5432&host=b:5432`) find the writable one.

    `pooler`: a transaction pooler stands between; no prepared statement may outlive a transaction.
    """
    settings: dict[str, Any] = {}
    if pooler:
        settings |= {
            "statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__water2_{uuid4().hex}__",
        }
        url = (
            make_url(url)
            .update_query_dict({"prepared_statement_cache_size": "0"})
            .render_as_string(False)
        )
    if isinstance(make_url(url).query.get("host"), tuple):
        settings["target_session_attrs"] = "read-write"
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, connect_args=settings
    )


@dataclass
class Database:
    """The engines of one database; `lock_path` is set on SQLite."""

    url: str
    writer: AsyncEngine
    reader: AsyncEngine
    lock_path: Path | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self.writer.dialect.name

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the right to write: on SQLite one unit at a time over all processes of the folder.

        SQLite before 3.51.3 has a race between two writing connections in WAL mode that can lose
        a commit, hence the lock of the operating system. PostgreSQL needs none of it.
        """
        if self.lock_path is None:
            yield
            return
        async with self._turn:
            with self.lock_path.open("a") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
                yield  # closing the file ends the lock

    async def dispose(self) -> None:
        """Close all connections, under the lock: SQLite's last close moves the WAL."""
        async with self.writing():
            if self.reader is not self.writer:
                await self.reader.dispose()
            await self.writer.dispose()


def open_database(url: str, *, pool_size: int = 4, pooler: bool = False) -> Database:
    """Open the database at a `sqlite:///PATH` or `postgresql://…` address; connects when used."""
    address = async_url(url)
    if not make_url(address).drivername.startswith("sqlite"):
        engine = postgresql_engine(address, pool_size=pool_size, pooler=pooler)
        return Database(url=address, writer=engine, reader=engine)
    path = Path(str(make_url(address).database))
    return Database(
        url=address,
        writer=sqlite_engine(address, writing=True, pool_size=1),
        reader=sqlite_engine(address, writing=False, pool_size=pool_size),
        lock_path=path.with_name(path.name + ".lock"),
    )
