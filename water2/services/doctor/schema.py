"""The database: reachable, of this program's schema, guarded, its role without needless rights."""

import re
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from water2.config import Settings
from water2.database import Database
from water2.domain.errors import Conflict
from water2.domain.guards import guard_statements
from water2.schema import current_revision, known_revisions, needed_revision
from water2.services.doctor.finding import Finding, note, well, wrong
from water2.services.pg_programs import check_version, find_program

_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = current_schema()::regnamespace
        AND NOT t.tgisinternal AND t.tgenabled <> 'D'""",
}
_MAY_WRITE = """SELECT has_table_privilege('ledger_entry', 'INSERT')
    OR has_table_privilege('ledger_entry', 'UPDATE')
    OR has_table_privilege('ledger_entry', 'DELETE')
    OR has_table_privilege('ledger', 'UPDATE')"""


async def look_at_database(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    """Judge the database; where it cannot be reached, that is the one finding."""
    try:
        async with database.reader.connect() as connection:
            yield well("database", dialect=database.dialect)
            found = await connection.run_sync(current_revision)
            yield _schema(found)
            if found == needed_revision():
                yield await _guards(connection, database.dialect)
            if database.dialect == "postgresql":
                yield await _role(settings, connection, found)
                yield await _programs(settings, connection)
    except (DBAPIError, OSError) as error:
        yield wrong("database", "away", said=str(error).strip().splitlines()[0])


def _schema(found: str | None) -> Finding:
    facts = {"found": found or "-", "needed": needed_revision()}
    if found == needed_revision():
        return well("schema", **facts)
    if found is None:
        return wrong("schema", "empty", **facts)
    return wrong("schema", "older" if found in known_revisions() else "newer", **facts)


async def _guards(connection: AsyncConnection, dialect: str) -> Finding:
    statements = " ".join(guard_statements(dialect))
    wanted = set(re.findall(r"CREATE TRIGGER (\w+)", statements))
    there = set(await connection.scalars(text(_TRIGGERS[dialect])))
    lacking = ", ".join(sorted(wanted - there))
    return wrong("guards", "lacking", names=lacking) if lacking else well("guards")


async def _role(settings: Settings, connection: AsyncConnection, schema: str | None) -> Finding:
    if schema is None:
        return note("role", "no_tables")
    if not await connection.scalar(text(_MAY_WRITE)):
        return well("role")
    apart = settings.database_admin_url is not None
    return wrong("role", "writes_ledger") if apart else note("role", "owner")


async def _programs(settings: Settings, connection: AsyncConnection) -> Finding:
    version = int(str(await connection.scalar(text("SHOW server_version_num")))) // 10_000
    try:
        for name in ("pg_dump", "pg_restore"):
            await check_version(find_program(name, settings.pg_bin_dir), version)
    except Conflict as refused:
        return wrong("programs", refused.code, **refused.facts)
    return well("programs", version=version)
