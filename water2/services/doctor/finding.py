"""The answer of one check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """Whether something has to be done: nothing, something to know, something to mend."""

    well = "well"
    note = "note"
    wrong = "wrong"


@dataclass(frozen=True)
class Finding:
    """`check` and `code` are keys of the edges' word lists, which also say what to do."""

    check: str
    level: Level
    code: str = "well"
    facts: Mapping[str, Any] = field(default_factory=dict)


def well(check: str, **facts: Any) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, Level.well, facts=facts)


def note(check: str, code: str, **facts: Any) -> Finding:
    """Return something to know."""
    return Finding(check, Level.note, code, facts)


def wrong(check: str, code: str, **facts: Any) -> Finding:
    """Return something to mend."""
    return Finding(check, Level.wrong, code, facts)
