"""Facts as JSON values: what a verdict was judged on, ready to be sent."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def json_fact(value: object) -> object:
    """Return a fact as JSON holds it: days as YYYY-MM-DD, instants in UTC, decimals as text."""
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date | Decimal):
        return value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, Mapping):
        return {str(key): json_fact(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_fact(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_fact(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def instant_text(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_text(at: datetime) -> str:
    """Write an instant as a sentence tells it: by the clock of its zone, where it has one."""
    if not isinstance(at.tzinfo, ZoneInfo):
        return instant_text(at)
    # to the second where it matters: a start of 09:00:01 is not lawful at 09:00
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"


def local_fact(value: Any, zone: ZoneInfo) -> Any:
    """Return a fact with its instants moved to a zone, but for those that have one."""
    if isinstance(value, datetime):
        return value if isinstance(value.tzinfo, ZoneInfo) else value.astimezone(zone)
    if isinstance(value, Mapping):
        return {key: local_fact(item, zone) for key, item in value.items()}
    return value


def zone_named(name: str) -> ZoneInfo:
    """Return a zone by its name; UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
