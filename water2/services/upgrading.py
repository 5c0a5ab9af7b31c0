"""Bringing a database to this program's schema: never backwards, never without a backup."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from water2 import schema
from water2.config import Settings
from water2.database import open_database
from water2.domain.errors import Conflict
from water2.domain.guards import role_statements
from water2.services.backup import make_backup, revision_in_place, stamp


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade did; `before` is None for a database that was empty."""

    before: str | None
    after: str
    backup: str | None = None


async def check_schema(settings: Settings) -> str | None:
    """Return the database's revision where this program can work with it or bring it up.

    Raises:
        Conflict: `schema_newer`: a newer program has been here.
    """
    found = await revision_in_place(settings)
    if found is not None and found not in schema.known_revisions():
        raise Conflict("schema_newer", {"found": found, "known": schema.needed_revision()})
    return found


async def upgrade_schema(settings: Settings, *, now: datetime) -> Upgrade:
    """Upgrade the database; one that holds anything is backed up first. Repeating it does nothing.

    Raises:
        Conflict: `schema_newer`, or the backup failed: then nothing was migrated.
    """
    before, needed = await check_schema(settings), schema.needed_revision()
    backup = None
    if before not in (None, needed):
        made = await make_backup(settings, now=now, name=f"before-upgrade-{stamp(now)}")
        backup = made.name
    if before != needed:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        await schema.migrate(settings.database_admin_url or settings.url)
    await grant_rights(settings)
    return Upgrade(before, needed, backup)


async def require_installation(settings: Settings) -> None:
    """Refuse to work where nothing was ever founded; a mistyped folder must not become a database.

    Raises:
        Conflict: `no_installation`, or `schema_newer`.
    """
    if await check_schema(settings) is None:
        raise Conflict("no_installation", {"folder": str(settings.data_dir)})


async def require_current_schema(settings: Settings) -> None:
    """Refuse to work on a schema that is not this program's.

    Raises:
        Conflict: `schema_newer` or `schema_older`.
    """
    found, needed = await check_schema(settings), schema.needed_revision()
    if found != needed:
        raise Conflict("schema_older", {"found": found or "-", "needed": needed})


def application_role(settings: Settings) -> str | None:
    """Return the role the application works under, where migrations run under another one."""
    if not (settings.database_admin_url and settings.database_url):
        return None
    role = make_url(settings.database_url).username
    return role if role != make_url(settings.database_admin_url).username else None


async def grant_rights(settings: Settings) -> None:
    """Give the application's own role all tables but the ledger's, which it may only read."""
    role = application_role(settings)
    if role is None or settings.database_admin_url is None:
        return
    database = open_database(settings.database_admin_url)
    try:
        async with database.writer.begin() as connection:
            await connection.run_sync(_grant, role)
    finally:
        await database.dispose()


def _grant(connection: Connection, role: str) -> None:
    quoted = '"' + role.replace('"', '""') + '"'
    schema_name = inspect(connection).default_schema_name
    statements = [
        f'GRANT USAGE ON SCHEMA "{schema_name}" TO {quoted}',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema_name}" TO {quoted}',
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {quoted}",
        *role_statements(role),
    ]
    for statement in statements:
        connection.execute(text(statement))
