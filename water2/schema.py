"""The database's schema: which revision it has, which this program needs, and the way there."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from water2.database import open_database


def _scripts() -> Path:
    """Return the migrations: inside an installed wheel, or at the top of the repository."""
    packaged = Path(__file__).parent / "_alembic"
    return packaged if packaged.exists() else Path(__file__).parent.parent / "alembic"


def alembic_config() -> Config:
    """Return Alembic's configuration without any file."""
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    return config


def needed_revision() -> str:
    """Return the revision this program works with."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def known_revisions() -> set[str]:
    """Return every revision this program knows; a database with another one is newer."""
    scripts = ScriptDirectory.from_config(alembic_config())
    return {script.revision for script in scripts.walk_revisions()}


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


async def read_revision(url: str) -> str | None:
    """Return the revision of the database at an address."""
    database = open_database(url)
    try:
        async with database.writing(), database.writer.connect() as connection:
            return await connection.run_sync(current_revision)
    finally:
        await database.dispose()


async def migrate(url: str) -> None:
    """Bring the database at an address to the needed revision, in one transaction."""
    database = open_database(url)
    try:
        async with database.writing(), database.writer.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await database.dispose()


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def upgrade(url: str) -> None:
    """Do as `migrate`, from code that is not asynchronous, whether or not a loop is running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, migrate(url)).result()
