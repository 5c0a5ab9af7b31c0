"""Answers that may be kept, and asked for anew at the price of a header (RFC 9110, RFC 9111)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from hashlib import sha256

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
# the three forms a recipient must read (RFC 9110, 5.6.7), the sender's own first
_HTTP_DATES = (
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
)


@dataclass(frozen=True)
class Cached:
    """A body that anybody may keep for `max_age_seconds`.

    `last_modified` None: it is put together of many things, and only the tag tells them apart.
    `vary` names the request's headers it depends on; the same for all of an address's answers.
    """

    body: bytes
    media_type: str
    last_modified: datetime | None
    max_age_seconds: int
    vary: str = ""

    @cached_property
    def etag(self) -> str:
        """Return the strong validator: equal tags, equal bytes."""
        return f'"{sha256(self.body).hexdigest()}"'


def answer(request_headers: Mapping[str, str], cached: Cached) -> tuple[int, dict[str, str], bytes]:
    """Answer a GET or HEAD with status, headers and body: all of it, or 304 and none."""
    asked = _combined(request_headers)
    headers = {
        "ETag": cached.etag,
        "Cache-Control": f"public, max-age={cached.max_age_seconds}",
    }
    if cached.last_modified is not None:
        modified = cached.last_modified.astimezone(UTC)
        headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    if cached.vary:
        headers["Vary"] = cached.vary
    if _unchanged(asked, cached):
        return 304, headers, b""
    return 200, headers | {"Content-Type": cached.media_type}, cached.body


def _combined(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their small names; one sent on several lines is one list."""
    combined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        combined[key] = f"{combined[key]}, {value}" if key in combined else value
    return combined


def _unchanged(asked: Mapping[str, str], cached: Cached) -> bool:
    """Tell whether the asker has it; a tag decides alone, a date only without one (13.2.2)."""
    tags = asked.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or cached.etag in _ENTITY_TAG.findall(tags)
    since = _http_date(asked.get("if-modified-since", ""))
    if since is None or cached.last_modified is None:
        return False
    return cached.last_modified.replace(microsecond=0) <= since


def _http_date(written: str) -> datetime | None:
    """Read a date; None where it is none: the condition is then passed over (13.1.3)."""
    for form in _HTTP_DATES:
        try:
            return datetime.strptime(written.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
