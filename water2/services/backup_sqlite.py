"""Copying the embedded database online, and putting a copy in its place."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from water2.database import Database
from water2.domain.errors import Conflict
from water2.services.backup_manifest import READ_HEADS, Head, head_of

_SIDE_FILES = ("-wal", "-shm")


async def copy_database(database: Database, source: Path, target: Path) -> Sequence[Head]:
    """Copy the database while it is in use; return how far its ledgers had come in the copy.

    Other writers wait for the folder's lock meanwhile, so the copy is of one instant and no second
    connection writes beside theirs (SQLite before 3.51.3 can lose a commit then).

    Raises:
        Conflict: `copy_damaged`: the database itself is; nothing was kept.
    """
    async with database.writing():
        await asyncio.to_thread(_copy, source, target)
    return await asyncio.to_thread(_inspect, target)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    _flush(target)


def _inspect(copy: Path) -> Sequence[Head]:
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise Conflict("copy_damaged", {"file": str(copy)})
        return [head_of(row) for row in connection.execute(READ_HEADS)]


def put_in_place(copy: Path, target: Path, aside: Path) -> None:
    """Keep the database at `target` aside, whatever its state, and put the copy in its place.

    Nobody may have it open. Wherever this is cut off, the old one or the copy is in place.
    """
    waiting = target.with_name(target.name + ".restoring")
    shutil.copyfile(copy, waiting)
    _flush(waiting)
    aside.mkdir(parents=True)
    if target.exists():
        _fold_log(target)
        for name in (target.name + suffix for suffix in _SIDE_FILES):
            # a log left behind would be replayed into the copy
            if target.with_name(name).exists():
                shutil.move(target.with_name(name), aside / name)
        _keep(target, aside / target.name)
    waiting.rename(target)
    _flush(target.parent)


def _fold_log(path: Path) -> None:
    """Move the write-ahead log into the file, where the database can still be read."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _keep(path: Path, kept: Path) -> None:
    try:
        os.link(path, kept)
    except OSError:  # the folder of backups lies on another file system
        shutil.copyfile(path, kept)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
