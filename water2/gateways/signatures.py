"""Signatures by Standard Webhooks: of what goes out, and of receipts that come in."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

TOLERANCE = timedelta(minutes=5)  # Standard Webhooks: beyond it a message is a replay
_PREFIX = "whsec_"


class SignatureVerdict(StrEnum):
    """Whether a message comes from who shares the secret."""

    genuine = "genuine"
    unsigned = "unsigned"  # a header lacks or cannot be read
    stale = "stale"  # its instant lies more than TOLERANCE off, either way
    forged = "forged"


def signing_key(secret: str) -> bytes:
    """Return the key of a secret `whsec_…`, the rest of which is base64.

    Raises:
        ValueError: it is not, or is empty.
    """
    text = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("the secret is not base64") from None
    if not key:
        raise ValueError("the secret is empty")
    return key


def sign(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    """Return the value of `webhook-signature`: `v1,` and the HMAC over `id.timestamp.body`.

    Raises:
        ValueError: as `signing_key`.
    """
    signed = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.digest(signing_key(secret), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def signed_headers(secret: str, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a message sent at `at`.

    Raises:
        ValueError: as `signing_key`.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, identity, timestamp, body),
    }


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> SignatureVerdict:
    """Judge a message by its raw body; `headers` are looked up in lower case.

    Any one of several signatures suffices: a secret that is being changed signs twice.

    Raises:
        ValueError: as `signing_key`: our own setting cannot be used.
    """
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    identity, timestamp, signatures = (headers.get(name, "") for name in names)
    if not (identity and signatures and timestamp.isascii() and timestamp.isdecimal()):
        return SignatureVerdict.unsigned
    expected = sign(secret, identity, timestamp, body).encode()
    given = [one.encode() for one in signatures.split()]
    if not any(hmac.compare_digest(expected, one) for one in given):
        return SignatureVerdict.forged
    seconds = abs(int(timestamp[:15]) - now.timestamp())
    late = seconds > TOLERANCE.total_seconds()
    return SignatureVerdict.stale if late else SignatureVerdict.genuine
