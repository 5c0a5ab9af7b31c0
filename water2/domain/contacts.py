"""Personal text at rest: encrypted, with a keyed index for "one phone, one message"."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class ContactBox:
    """Seals and opens personal text with a 32-byte key that lives outside the database."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the contact key must be 32 bytes")
        # two keys from one: encryption and index must not share
        self._cipher = AESGCM(hashlib.sha256(b"water2 seal" + key).digest())
        self._index_key = hashlib.sha256(b"water2 index" + key).digest()

    def seal(self, text: str) -> bytes:
        """Encrypt; two calls give different bytes."""
        return self.seal_bytes(text.encode())

    def seal_bytes(self, content: bytes) -> bytes:
        """Encrypt what is no text, such as a photo."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, None)

    def open(self, sealed: bytes) -> str:
        """Decrypt.

        Raises:
            cryptography.exceptions.InvalidTag: sealed with another key, or touched.
        """
        return self.open_bytes(sealed).decode()

    def open_bytes(self, sealed: bytes) -> bytes:
        """Decrypt what is no text; raises as `open` does."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)

    def index(self, text: str) -> bytes:
        """Return equal bytes for equal text, telling nothing else without the key."""
        return hmac.digest(self._index_key, text.encode(), "sha256")


def masked(text: str) -> str:
    """Show a contact as 199****1234, or a***@example.com."""
    name, at, host = text.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"{text[:3]}****{text[-4:]}" if len(text) >= 8 else "****"
