"""The installation's signing key: Ed25519 as PEM, outside the database and its backups."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from water2.domain.errors import Conflict
from water2.domain.note import Signer
from water2.services.keys import SIGNING_KEY_FILE, read_key, write_key


def make_signing_key(folder: Path) -> None:
    """Make the signing key, unless there is one; readable by its owner alone."""
    path = folder / SIGNING_KEY_FILE
    if path.exists():
        return
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),  # what protects it is the file's mode, as with a host key
    )
    write_key(path, pem.decode("ascii").strip())


def load_signing_key(folder: Path) -> Ed25519PrivateKey:
    """Return the signing key.

    Raises:
        Conflict: `key_missing`, or `key_unusable` where the file holds no Ed25519 key.
    """
    path = folder / SIGNING_KEY_FILE
    try:
        key = serialization.load_pem_private_key(read_key(path).encode(), password=None)
    except ValueError:
        raise Conflict("key_unusable", {"file": str(path)}) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Conflict("key_unusable", {"file": str(path)})
    return key


def signer_of(key: Ed25519PrivateKey, utility_id: str) -> Signer:
    """Return the signer of a utility's ledgers; its name is the origin of the roll-up."""
    return Signer(f"water2/{utility_id}", key)


def origin_of(utility_id: str, ledger_id: str, *, is_rollup: bool) -> str:
    """Return the origin line of a ledger's checkpoints: the roll-up's is the signer's name.

    One key signs for all ledgers of a utility, so the others' origins only begin with its name.
    """
    name = f"water2/{utility_id}"
    return name if is_rollup else f"{name}/{ledger_id}"
