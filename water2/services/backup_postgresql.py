"""Dumping a PostgreSQL database while it is in use, and putting a dump in its place."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from water2.database import Database
from water2.domain.errors import Conflict
from water2.services.backup_manifest import READ_HEADS, Head, head_of
from water2.services.pg_programs import check_version, find_program, libpq_address, run_program

_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend'"""
_END_OTHERS = _OTHERS.replace("count(*)", "pg_terminate_backend(pid)")


async def dump_database(
    database: Database, target: Path, *, bin_dir: Path | None
) -> Sequence[Head]:
    """Dump the database; return how far its ledgers had come in the very state that was dumped.

    Raises:
        Conflict: `program_missing`, `program_too_old` or `program_failed`.
    """
    program = find_program("pg_dump", bin_dir)
    address, secret = libpq_address(database.url)
    async with database.reader.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ")
        await check_version(program, await _server_version(connection))
        snapshot = await connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = await connection.scalar(text("SELECT current_schema()"))
        heads = [head_of(row) for row in await connection.execute(text(READ_HEADS))]
        await run_program(
            program,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--schema={schema}",
            f"--snapshot={snapshot}",
            f"--file={target}",
            address,
            secret=secret,
        )
    return heads


async def _server_version(connection: AsyncConnection) -> int:
    number = await connection.scalar(text("SHOW server_version_num"))
    return int(str(number)) // 10_000


async def put_in_place(
    database: Database, copy: Path, aside: str, *, bin_dir: Path | None, force: bool
) -> None:
    """Keep the present tables as the schema `aside` and bring back those of the dump.

    `force` ends the connections of programs still at work.

    Raises:
        Conflict: `still_running`, or pg_restore is missing, too old or failed; then the present
            tables are back in their place.
    """
    program = find_program("pg_restore", bin_dir)
    async with database.writer.begin() as connection:
        await check_version(program, await _server_version(connection))
        await _see_to_others(connection, force=force)
        schema = str(await connection.scalar(text("SELECT current_schema()")))
        await connection.execute(text(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'))
        await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    try:
        await _bring_back(program, database.url, copy)
    except Conflict:
        async with database.writer.begin() as connection:
            await connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
            await connection.execute(text(f'ALTER SCHEMA "{aside}" RENAME TO "{schema}"'))
        raise
    async with database.writer.begin() as connection:
        # a dump without privileges does not bring back that the append function is not for all
        await connection.execute(
            text(f'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "{schema}" FROM PUBLIC')
        )


async def _see_to_others(connection: AsyncConnection, *, force: bool) -> None:
    others = await connection.scalar(text(_OTHERS))
    if others and not force:
        raise Conflict("still_running", {"connections": others})
    if others:
        await connection.execute(text(_END_OTHERS))


async def _bring_back(program: Path, url: str, copy: Path) -> None:
    """Restore all or nothing; the schema itself was made already."""
    address, secret = libpq_address(url)
    contents = await run_program(program, "--list", str(copy))
    wanted = [line for line in contents.splitlines() if " SCHEMA - " not in line]
    with NamedTemporaryFile("w", suffix=".list") as listing:
        listing.write("\n".join(wanted))
        listing.flush()
        await run_program(
            program,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            f"--use-list={listing.name}",
            f"--dbname={address}",
            str(copy),
            secret=secret,
        )
