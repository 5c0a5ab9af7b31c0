"""The migrations make exactly the tables of the models, with all guards, on both databases."""

import re

import pytest
from alembic import command
from sqlalchemy import Connection, text

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
