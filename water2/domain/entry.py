"""The exact bytes of an entry: what is stored is what is hashed.

A JSON object of strings, booleans, null, integers below 2⁵³, lists and objects with ASCII keys;
keys sorted, no spaces, UTF-8. Within this model the standard library writes what RFC 8785 demands.

An entry is written in two parts, because its number is known only under the ledger's lock:
head ‖ seq in decimal ‖ tail.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from water2.domain.errors import Invalid
from water2.domain.ledger import PendingEntry

ENTRY_VERSION = 1
MAX_ENTRY_BYTES = 65_535
MAX_INTEGER = 2**53 - 1
_SEQ_DIGITS = 16  # room for the largest number the model holds

FIELDS = frozenset(
    {
        "version",
        "ledger",
        "seq",
        "type",
        "schema",
        "subject",
        "occurred",
        "recorded",
        "actor",
        "data",
        "commitments",
        "files",
        "ref",
        "idempotency_key",
    }
)

_write = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


@dataclass(frozen=True, slots=True)
class EntryParts:
    """An entry's bytes before and after its number."""

    head: bytes
    tail: bytes

    def numbered(self, seq: int) -> bytes:
        """Return the whole entry."""
        return b"%b%d%b" % (self.head, seq, self.tail)


def canonical(value: object) -> bytes:
    """Write a value of the entry model.

    Raises:
        Invalid: the value is outside the model; the field names where.
    """
    _check(value, "")
    return _utf8(_write(value))


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, always with microseconds.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("an entry's instants are aware")
    return _utc_text(instant.astimezone(UTC))


# The entries of one act share their instants. In UTC alone: elsewhere two instants may be equal
# that are not the same, the hour before a clock goes back and the hour after.
@lru_cache(maxsize=256)
def _utc_text(instant: datetime) -> str:
    return f"{instant.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def encode_entry(
    entry: PendingEntry, *, recorded_at: datetime, actor_id: str, idempotency_key: str | None
) -> EntryParts:
    """Write an entry but for its number.

    Raises:
        Invalid: a value is outside the model, or the entry exceeds 65,535 bytes.
    """
    data = dict(entry.data)
    _check(data, "data")
    before = {
        "actor": actor_id,
        "commitments": [],
        "data": data,
        "files": list(entry.files),
        "idempotency_key": idempotency_key,
        "ledger": entry.ledger_id,
        "occurred": instant_text(entry.occurred_at),
        "recorded": instant_text(recorded_at),
        "ref": entry.ref,
        "schema": entry.schema,
    }
    # every key of the second half sorts after "seq", every key of the first before it
    after = f'"subject":{_write(entry.subject)},"type":{_write(entry.type)}'
    head = _utf8(f'{_write(before)[:-1]},"seq":')
    tail = _utf8(f',{after},"version":{ENTRY_VERSION}}}')
    if len(head) + _SEQ_DIGITS + len(tail) > MAX_ENTRY_BYTES:
        raise Invalid.one("data", "entry_too_long", len(head) + len(tail), limit=MAX_ENTRY_BYTES)
    return EntryParts(head, tail)


def parse_entry(body: bytes) -> dict[str, object]:
    """Read an entry's bytes back.

    Raises:
        ValueError: the bytes are no JSON object, or not the one way of writing it.
    """
    try:
        parsed = json.loads(body)
        if not isinstance(parsed, dict) or canonical(parsed) != body:
            raise ValueError("not in canonical form")
    except Invalid as refused:
        problem = refused.problems[0]
        raise ValueError(f"{problem.field}: {problem.code}") from refused
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return cast("dict[str, object]", parsed)


def _check(value: object, path: str) -> None:
    """Refuse what the model does not hold, naming where it stands."""
    if isinstance(value, str | bool) or value is None:
        return
    if type(value) is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise Invalid.one(path, "integer_too_large", value)
    elif isinstance(value, dict):
        _check_object(value, path)
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            _check(item, f"{path}.{at}")
    else:
        raise Invalid.one(path, "not_an_entry_value", type(value).__name__)


def _check_object(value: dict[object, object], path: str) -> None:
    for key, item in value.items():
        if not isinstance(key, str) or not key.isascii():
            raise Invalid.one(path, "key_not_ascii", key)
        _check(item, f"{path}.{key}" if path else key)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Invalid.one("data", "lone_surrogate", ascii(text[error.start])) from error
