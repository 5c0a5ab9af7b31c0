"""Signed notes, checkpoints and proofs in the text formats of C2SP.

signed-note: text, blank line, lines of «— name base64(key id ‖ signature)».
tlog-checkpoint: a note of origin, size in decimal, root in base64.
tlog-proof: index, inclusion proof, checkpoint.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from water2.domain.merkle import HASH_BYTES

ED25519 = b"\x01"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
SETBACK = "setback"  # begins the lines after a checkpoint's third that name heads it gave up
MAX_SIGNATURES = 100
_KEY_ID_BYTES = 4
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^ \n]+) (?P<signature>[A-Za-z0-9+/=]+)")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """A text that is not what it should be, or not signed by the key asked for."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name it signs under."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or re.search(r"\s", self.name):
            raise NoteError("a key's name is not empty and has neither blanks nor plus signs")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key)."""
        named = self.name.encode() + b"\n" + ED25519 + self.public_key
        return sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as text: name+id+key."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public_key)}"

    @classmethod
    def from_vkey(cls, text: str) -> "Verifier":
        """Read a key from its text.

        Raises:
            NoteError: not a key, not Ed25519, or its id is another key's.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _bytes(encoded)
        if key[:1] != ED25519 or len(key) != 1 + HASH_BYTES:
            raise NoteError("not an Ed25519 verifier key")
        verifier = cls(name, key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteError("the verifier key's id is not its own")
        return verifier

    def open(self, note: str) -> str:
        """Return the text of a note signed by this key.

        Raises:
            NoteError: malformed, or not signed by this key.
        """
        text, signatures = _split(note)
        mine = [
            signature[_KEY_ID_BYTES:]
            for name, signature in signatures
            if name == self.name and signature[:_KEY_ID_BYTES] == self.key_id
        ]
        if not mine:
            raise NoteError(f"not signed by {self.name}")
        for signature in mine:
            try:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
            except InvalidSignature:
                raise NoteError(f"the signature of {self.name} is wrong") from None
        return text


@dataclass(frozen=True)
class Signer:
    """A private key with the name it signs under."""

    name: str
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the signed note of a text that ends in a newline."""
        signature = self.verifier.key_id + self.key.sign(text.encode())
        return f"{text}\n— {self.name} {_base64(signature)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree as it is signed.

    `given_up`: size and root of heads signed earlier that this one does not continue, each by a
    setback that somebody accepted. Every later head names them, in lines after the third.
    """

    origin: str
    size: int
    root: bytes
    given_up: tuple[tuple[int, bytes], ...] = field(default=(), compare=False)

    @property
    def text(self) -> str:
        """The text that is signed."""
        given_up = [f"{SETBACK} {size} {_base64(root)}\n" for size, root in self.given_up]
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n{''.join(given_up)}"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of an opened note; other lines after the third are passed over.

        Raises:
            NoteError: not a checkpoint.
        """
        lines = text.split("\n")
        if len(lines) < 4 or not all(lines[:3]) or not _NUMBER.fullmatch(lines[1]):
            raise NoteError("not a checkpoint")
        words = [line.split(" ") for line in lines[3:]]
        given_up = [(int(one[1]), _root(one[2])) for one in words if _tells_setback(one)]
        return cls(lines[0], int(lines[1]), _root(lines[2]), tuple(given_up))


@dataclass(frozen=True, slots=True)
class LogProof:
    """A receipt: the entry of this index is in the tree of this signed checkpoint."""

    index: int
    hashes: Sequence[bytes]
    note: str

    @property
    def text(self) -> str:
        """The proof as a C2SP tlog-proof."""
        lines = [PROOF_HEADER, f"index {self.index}", *map(_base64, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> "LogProof":
        """Read a tlog-proof; its extra line, which is not authenticated, is passed over.

        Raises:
            NoteError: not a proof.
        """
        head, blank, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if lines and lines[0].startswith("extra "):
            lines = lines[1:]
        word, _, index = lines[0].partition(" ") if lines else ("", "", "")
        if header != PROOF_HEADER or not blank or word != "index" or not _NUMBER.fullmatch(index):
            raise NoteError("not a tlog-proof")
        return cls(int(index), [_bytes(line) for line in lines[1:]], note)


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise NoteError("not a signed note")
    matches = [_SIGNATURE_LINE.fullmatch(line) for line in lines[:-1].split("\n")]
    if len(matches) > MAX_SIGNATURES:
        raise NoteError("too many signatures")
    signatures = []
    for match in matches:
        if match is None:
            raise NoteError("not a signature line")
        signature = _bytes(match["signature"])
        if len(signature) <= _KEY_ID_BYTES:
            raise NoteError("a signature is longer than its key's id")
        signatures.append((match["name"], signature))
    return text + "\n", signatures


def _tells_setback(words: Sequence[str]) -> bool:
    return len(words) == 3 and words[0] == SETBACK and bool(_NUMBER.fullmatch(words[1]))


def _root(text: str) -> bytes:
    root = _bytes(text)
    if len(root) != HASH_BYTES:
        raise NoteError("a root is 32 bytes")
    return root


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _bytes(text: str) -> bytes:
    """Read base64; only the one way of writing it is taken."""
    try:
        value = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise NoteError("not base64") from error
    if _base64(value) != text:
        raise NoteError("not the one way of writing base64")
    return value
