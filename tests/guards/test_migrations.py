"""The migrations make exactly the tables of the models, with all guards, on both databases."""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from alembic import command
from sqlalchemy import Column, Connection, MetaData, Table, text

from water2 import schema
from water2.database import open_database
from water2.domain.guards import guard_statements

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture
async def migrated(database_url):
    database = open_database(database_url)
    yield database
    await database.dispose()


def run(connection: Connection, action, *arguments) -> None:
    config = schema.alembic_config()
    config.attributes["connection"] = connection
    action(config, *arguments)


async def triggers(database) -> set[str]:
    async with database.reader.connect() as connection:
        return set(await connection.scalars(text(TRIGGERS[database.dialect])))


async def test_the_migrations_match_the_models(migrated):
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.check)  # raises where they differ


async def test_every_guard_of_the_ledger_stands_after_the_last_migration(migrated):
    wanted = re.findall(r"CREATE TRIGGER (\w+)", " ".join(guard_statements(migrated.dialect)))
    assert await triggers(migrated) >= set(wanted)


async def test_the_migrations_can_be_taken_back_and_made_again(migrated):
    before = await triggers(migrated)
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.downgrade, "base")
    assert await triggers(migrated) == set()
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.upgrade, "head")
    assert await triggers(migrated) == before


async def test_a_migration_that_fails_leaves_nothing_behind(migrated):
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.downgrade, "base")
        # the last table of the first migration is in the way
        await connection.execute(text("CREATE TABLE ledger_checkpoint (id integer)"))
    with pytest.raises(Exception, match="ledger_checkpoint"):
        async with migrated.writing(), migrated.writer.begin() as connection:
            await connection.run_sync(run, command.upgrade, "head")
    async with migrated.reader.connect() as connection:
        assert await connection.run_sync(schema.current_revision) is None
        tables = await connection.run_sync(lambda c: c.dialect.get_table_names(c))
    assert set(tables) <= {"ledger_checkpoint", "alembic_version"}


FIRST_LANDED = "0002"
ONE = "1" * 32
KEPT = ("outage", "poster", "endpoint", "sample", "sample_result", "delivery", "duty")


def fill(connection: Connection, names: Sequence[str] = KEPT) -> None:
    """Put one row into tables of an older revision, and into every table below them."""
    metadata = MetaData()
    metadata.reflect(connection)
    wanted = [metadata.tables[name] for name in names]
    for table in metadata.sorted_tables:
        if table in wanted or any(table in below(one) for one in wanted):
            row = {column.name: dummy(column) for column in table.columns if not column.nullable}
            connection.execute(table.insert(), row)


def below(table: Table) -> set[Table]:
    """The tables a row of one cannot be without."""
    found = {key.column.table for key in table.foreign_keys if not key.parent.nullable} - {table}
    return found.union(*(below(one) for one in found))


def dummy(column: Column) -> object:
    if column.name == "id" or column.foreign_keys or column.name.endswith("_id"):
        return ONE
    kind = column.type.python_type
    known = {
        str: "x",
        int: 0,
        bool: False,
        bytes: b"x",
        object: {},  # JSON
        datetime: datetime(2026, 11, 23, tzinfo=UTC),
        date: date(2026, 11, 23),
    }
    return known[kind]


async def test_rows_of_the_first_revision_in_use_come_through_the_later_ones(migrated):
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.downgrade, FIRST_LANDED)
        await connection.run_sync(fill)
        await connection.run_sync(run, command.upgrade, "head")
    async with migrated.reader.connect() as connection:
        for name in KEPT:
            rows = await connection.execute(text(f"SELECT id FROM {name}"))
            assert rows.scalars().all() == [ONE], name


async def test_the_bodies_of_batches_are_deflated_on_the_way_and_inflated_on_the_way_back(migrated):
    read = text("SELECT body FROM reading_batch")
    async with migrated.writing(), migrated.writer.begin() as connection:
        await connection.run_sync(run, command.downgrade, "0006")
        await connection.run_sync(fill, ["reading_batch"])
        (before,) = await connection.scalars(read)
        await connection.run_sync(run, command.upgrade, "head")
        (deflated,) = await connection.scalars(read)
        await connection.run_sync(run, command.downgrade, "0006")
        (after,) = await connection.scalars(read)
    assert (zlib.decompress(deflated), after) == (before, before)
