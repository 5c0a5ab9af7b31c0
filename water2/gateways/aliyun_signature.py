"""Aliyun's request signature, version 3 (ACS3-HMAC-SHA256), of calls without a body."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

_ALGORITHM = "ACS3-HMAC-SHA256"
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class AliyunCall:
    """One call: the action of a product's API with its parameters, which stand in the query.

    `host` has the port where it is not the usual one. `date` is UTC, like `2026-11-23T01:00:00Z`;
    `nonce` is used once.
    """

    host: str
    action: str
    version: str
    parameters: Mapping[str, str]
    date: str
    nonce: str

    @property
    def query(self) -> str:
        """Return the query as it is signed and has to be sent: sorted, encoded by RFC 3986."""
        pairs = sorted((_encoded(name), _encoded(value)) for name, value in self.parameters.items())
        return "&".join(f"{name}={value}" for name, value in pairs)


@dataclass(frozen=True, slots=True)
class AliyunKey:
    """An access key; the secret never shows."""

    id: str
    secret: str = field(repr=False)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def authorised_headers(call: AliyunCall, key: AliyunKey) -> dict[str, str]:
    """Return all headers of a `POST /`, with the signature over method, path, query and them."""
    headers = {
        "host": call.host,
        "x-acs-action": call.action,
        "x-acs-content-sha256": _EMPTY_SHA256,
        "x-acs-date": call.date,
        "x-acs-signature-nonce": call.nonce,
        "x-acs-version": call.version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", "/", call.query, lines, names, _EMPTY_SHA256))
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.secret.encode(), to_sign.encode(), "sha256").hexdigest()
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={key.id},SignedHeaders={names},Signature={signature}"
    )
    return headers
