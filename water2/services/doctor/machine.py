"""The machine, the data folder and the keys: what can be seen without the database."""

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from water2.config import Settings
from water2.domain.errors import Conflict
from water2.services.doctor.finding import Finding, note, well, wrong
from water2.services.keys import CONTACT_KEY_FILE, SIGNING_KEY_FILE, read_contact_box

_OLDEST_PYTHON = (3, 11)
_OLDEST_SQLITE = (3, 38)  # JSON functions are built in from here on
_LEAST_FREE_BYTES = 2**30
_REMOTE = ("nfs", "cifs", "smb", "sshfs", "9p", "ceph", "glusterfs", "davfs")
_OWNER_ONLY = 0o600


def look_at_machine(settings: Settings) -> Iterator[Finding]:
    """Judge programs, folder, disk, keys and variables."""
    yield _version("python", sys.version_info[:2], _OLDEST_PYTHON)
    yield _version("sqlite", sqlite3.sqlite_version_info[:2], _OLDEST_SQLITE)
    yield _folder(settings.data_dir)
    if settings.data_dir.is_dir():
        yield _disk(settings)
        yield _file_system(settings.data_dir)
    for name in (CONTACT_KEY_FILE, SIGNING_KEY_FILE):
        yield _key(settings.keys / name)
    yield _keys_apart(settings)
    yield _variables()


def _version(check: str, found: tuple[int, ...], oldest: tuple[int, ...]) -> Finding:
    facts = {"found": _dotted(found), "oldest": _dotted(oldest)}
    return well(check, **facts) if found >= oldest else wrong(check, "too_old", **facts)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return wrong("folder", "missing", folder=str(folder))
    try:
        with tempfile.TemporaryFile(dir=folder):
            return well("folder", folder=str(folder))
    except OSError:
        return wrong("folder", "not_writable", folder=str(folder))


def _disk(settings: Settings) -> Finding:
    """Ask for room for the database once more: an upgrade or a backup copies it."""
    held = settings.sqlite_path.stat().st_size if settings.sqlite_path.exists() else 0
    free = shutil.disk_usage(settings.data_dir).free
    facts = {"free_mib": free >> 20, "wanted_mib": max(_LEAST_FREE_BYTES, 2 * held) >> 20}
    enough = facts["free_mib"] >= facts["wanted_mib"]
    return well("disk", **facts) if enough else wrong("disk", "low", **facts)


def _file_system(folder: Path) -> Finding:
    """Locks over a network are not to be trusted with a database."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return note("file_system", "unknown", folder=str(folder))
    place, kind = Path("/"), "?"
    for line in mounts.read_text().splitlines():
        mount, found = Path(line.split()[1].replace("\\040", " ")), line.split()[2]
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= len(place.parts):
            place, kind = mount, found
    remote = any(word in kind for word in _REMOTE)
    facts = {"folder": str(folder), "kind": kind}
    return wrong("file_system", "remote", **facts) if remote else well("file_system", **facts)


def _key(path: Path) -> Finding:
    if not path.is_file():
        return wrong("key", "missing", file=str(path))
    if path.name == CONTACT_KEY_FILE and not _usable(path):
        return wrong("key", "unusable", file=str(path))
    mode = path.stat().st_mode & 0o777
    facts = {"file": str(path), "mode": f"{mode:o}"}
    return wrong("key", "open", **facts) if mode & ~_OWNER_ONLY else well("key", **facts)


def _usable(path: Path) -> bool:
    try:
        read_contact_box(path.parent)
    except Conflict:
        return False
    return True


def _keys_apart(settings: Settings) -> Finding:
    """Whoever holds a backup must not hold the keys with it."""
    keys, backups = settings.keys.resolve(), settings.backups.resolve()
    copies = [*backups.rglob(CONTACT_KEY_FILE), *backups.rglob(SIGNING_KEY_FILE)]
    facts = {"keys": str(keys), "backups": str(backups)}
    if copies or keys.is_relative_to(backups):
        return wrong("keys_apart", "in_backups", **facts)
    return well("keys_apart", **facts)


def _variables() -> Finding:
    known = {f"WATER2_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.upper().startswith("WATER2_") and name not in known
    )
    names = ", ".join(unknown)
    return wrong("variables", "unknown", names=names) if unknown else well("variables")
