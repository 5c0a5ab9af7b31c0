"""Keys in files of their own, outside the database and its backups, for their owner alone."""

import os
import secrets
from pathlib import Path

from water2.domain.contacts import ContactBox
from water2.domain.errors import Conflict

CONTACT_KEY_FILE = "contact.key"
SIGNING_KEY_FILE = "signing.key"
_CONTACT_KEY_BYTES = 32


def write_key(path: Path, text: str) -> None:
    """Write a key that is not there yet; one that is there is never overwritten.

    Raises:
        FileExistsError: there is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> str:
    """Read a key.

    Raises:
        Conflict: `key_missing`.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise Conflict("key_missing", {"file": str(path)}) from None


def make_contact_key(folder: Path) -> None:
    """Make the key under which contacts are sealed, unless there is one."""
    path = folder / CONTACT_KEY_FILE
    if not path.exists():
        write_key(path, secrets.token_hex(_CONTACT_KEY_BYTES))


def read_contact_box(folder: Path) -> ContactBox:
    """Return what seals and opens contacts.

    Raises:
        Conflict: `key_missing` or `key_unusable`.
    """
    path = folder / CONTACT_KEY_FILE
    try:
        return ContactBox(bytes.fromhex(read_key(path)))
    except ValueError:
        raise Conflict("key_unusable", {"file": str(path)}) from None
