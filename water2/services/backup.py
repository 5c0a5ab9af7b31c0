"""Backups of the database, online: one folder each, with the copy and its manifest. Keys never."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from water2.config import Settings
from water2.database import Database, open_database
from water2.domain.errors import Conflict, Invalid
from water2.schema import read_revision
from water2.services.backup_manifest import (
    MANIFEST_FILE,
    Head,
    Manifest,
    describe,
    read_manifest,
)
from water2.services.backup_postgresql import dump_database
from water2.services.backup_sqlite import copy_database

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COPY_NAMES = {"sqlite": "water2.db", "postgresql": "water2.dump"}


@dataclass(frozen=True)
class Backup:
    """A finished backup."""

    name: str
    folder: Path
    manifest: Manifest


def backup_folder(settings: Settings, name: str) -> Path:
    """Return where a backup of this name lies.

    Raises:
        Invalid: the name could lead out of the folder of backups.
    """
    if not _NAME.fullmatch(name):
        raise Invalid.one("name", "unusable_name", name)
    return settings.backups / name


def stamp(now: datetime) -> str:
    """Return a name that sorts by time."""
    return f"{now:%Y%m%dT%H%M%S%f}Z"


def list_backups(settings: Settings) -> list[Backup]:
    """Return the finished backups, the oldest first."""
    if not settings.backups.is_dir():
        return []
    folders = sorted(path.parent for path in settings.backups.glob(f"*/{MANIFEST_FILE}"))
    found = [Backup(folder.name, folder, read_manifest(folder)) for folder in folders]
    return sorted(found, key=lambda backup: backup.manifest.made_at)


async def revision_in_place(settings: Settings) -> str | None:
    """Return the schema of the settings' database; None when it is empty or not there."""
    if settings.database_url is None and not settings.sqlite_path.exists():
        return None
    return await read_revision(settings.database_admin_url or settings.url)


async def make_backup(settings: Settings, *, now: datetime, name: str | None = None) -> Backup:
    """Back the database up while it is in use; `now` names the backup unless a name is given.

    Raises:
        Conflict: `backup_exists`, `nothing_to_back_up`, or PostgreSQL's programs fail.
        Invalid: the name.
    """
    chosen = name or stamp(now)
    folder = backup_folder(settings, chosen)
    if folder.exists():
        raise Conflict("backup_exists", {"name": chosen})
    revision = await revision_in_place(settings)
    if revision is None:
        raise Conflict("nothing_to_back_up")
    unfinished = folder.with_name(f".{chosen}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)  # contacts are sealed in it, names are not
    database = open_database(settings.database_admin_url or settings.url, pool_size=1)
    try:
        copy = unfinished / _COPY_NAMES[database.dialect]
        heads = await _copy(settings, database, copy)
        manifest = describe(copy, dialect=database.dialect, schema=revision, heads=heads, now=now)
    finally:
        await database.dispose()
    unfinished.rename(folder)
    return Backup(chosen, folder, manifest)


async def _copy(settings: Settings, database: Database, copy: Path) -> Sequence[Head]:
    if database.lock_path is None:
        return await dump_database(database, copy, bin_dir=settings.pg_bin_dir)
    source = database.lock_path.with_name(database.lock_path.name.removesuffix(".lock"))
    return await copy_database(database, source, copy)
