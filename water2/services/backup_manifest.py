"""What stands beside the copy in a backup: whence, which schema, how far each ledger had come."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from water2.domain.errors import Conflict, NotFound
from water2.domain.merkle import fold_peaks, split_hashes

MANIFEST_FILE = "manifest.json"
FORMAT = 1
READ_HEADS = "SELECT id, kind, size, frontier FROM ledger ORDER BY id"


@dataclass(frozen=True)
class Head:
    """How far a ledger had come; `root` in hex."""

    ledger_id: str
    kind: str
    size: int
    root: str


@dataclass(frozen=True)
class Manifest:
    """The description of one backup."""

    made_at: str
    dialect: str
    schema: str
    file: str
    file_bytes: int
    sha256: str
    ledgers: tuple[Head, ...]
    format: int = FORMAT


def head_of(row: Iterable[Any]) -> Head:
    """Return a head from a row of `READ_HEADS`."""
    ledger_id, kind, size, frontier = row
    return Head(ledger_id, kind, size, fold_peaks(split_hashes(frontier)).hex())


def sha256_of(path: Path) -> str:
    """Hash a file without reading it whole into memory."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def describe(
    copy: Path, *, dialect: str, schema: str, heads: Iterable[Head], now: datetime
) -> Manifest:
    """Write the manifest of a finished copy beside it."""
    manifest = Manifest(
        made_at=now.isoformat(),
        dialect=dialect,
        schema=schema,
        file=copy.name,
        file_bytes=copy.stat().st_size,
        sha256=sha256_of(copy),
        ledgers=tuple(heads),
    )
    text = json.dumps(asdict(manifest), indent=1)
    copy.with_name(MANIFEST_FILE).write_text(text, encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        NotFound: there is no backup of that name.
        Conflict: `backup_damaged`: the manifest cannot be read.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise NotFound("backup", folder.name)
    try:
        return _manifest_of(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError):
        raise Conflict("backup_damaged", {"name": folder.name}) from None


def _manifest_of(given: Mapping[str, Any]) -> Manifest:
    if given["format"] != FORMAT:
        raise ValueError("a format of another version")
    return Manifest(**{**given, "ledgers": tuple(Head(**head) for head in given["ledgers"])})


def verify_copy(folder: Path, manifest: Manifest) -> Path:
    """Return the copy's path when its bytes are those that were written.

    Raises:
        Conflict: `backup_damaged`.
    """
    copy = folder / Path(manifest.file).name
    if not copy.is_file() or sha256_of(copy) != manifest.sha256:
        raise Conflict("backup_damaged", {"name": folder.name})
    return copy
