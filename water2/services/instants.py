"""Instants as people give them: with an offset, or naive in the utility's zone."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from water2.domain.command import Moment
from water2.rules.provision import Refused

Instant = Annotated[
    Moment,
    Field(
        description="RFC 3339; without an offset it is read in the utility's zone",
        examples=["2026-11-23T09:30:00+08:00"],
    ),
]


def read_instant(given: datetime, timezone: str) -> datetime:
    """Return an instant in UTC; a naive one (from a form) is read in the utility's zone."""
    aware = given if given.tzinfo is not None else given.replace(tzinfo=ZoneInfo(timezone))
    return aware.astimezone(UTC)


def in_zone(refused: Refused, timezone: str) -> Refused:
    """Return a refusal whose instants are told by the clock of the utility's zone."""
    zone = ZoneInfo(timezone)
    local = {
        name: fact.astimezone(zone) if isinstance(fact, datetime) else fact
        for name, fact in refused.facts.items()
    }
    earliest = refused.earliest
    if isinstance(earliest, datetime):
        earliest = earliest.astimezone(zone)
    return replace(refused, facts=local, earliest=earliest)


def civil_day(instant: datetime, timezone: str) -> date:
    """Return the civil day of an instant in the utility's zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()


def start_of_day(day: date, timezone: str) -> datetime:
    """Return the instant a civil day begins: it stands for the day where only that is known."""
    return read_instant(datetime.combine(day, time()), timezone)
