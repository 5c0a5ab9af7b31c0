"""Runs the migrations: on the connection `water2.schema` gives, or on the settings' database."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import water2.domain.tables  # noqa: F401 - fills the metadata
from water2.config import load_settings
from water2.database import open_database


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transactional_ddl=True,  # SQLite's, too: a failing migration leaves nothing behind
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_settings() -> None:
    settings = load_settings()
    database = open_database(settings.database_admin_url or settings.url)
    async with database.writing(), database.writer.begin() as connection:
        await connection.run_sync(run)
    await database.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_on_settings())
else:
    run(given)
