"""What a use-case refuses, as values the edges turn into words and statuses."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from water2.rules.provision import Refused


class DomainError(Exception):
    """The root of all errors a caller can mend."""


@dataclass
class NotFound(DomainError):
    """The named thing does not exist, or not for this actor."""

    kind: str
    id: str


@dataclass
class NotPermitted(DomainError):
    """The actor's role does not allow the action."""

    action: str


@dataclass(frozen=True)
class FieldProblem:
    """One field that cannot be taken; `code` is a key of the edges' word lists."""

    field: str
    code: str
    value: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass
class Invalid(DomainError):
    """The request cannot be understood or cannot be true; names every field at fault."""

    problems: list[FieldProblem]

    @classmethod
    def one(cls, name: str, code: str, value: object = None, **facts: Any) -> "Invalid":
        """Return the error for a single field."""
        return cls([FieldProblem(name, code, None if value is None else str(value), facts)])


@dataclass
class Conflict(DomainError):
    """The request does not fit the present state, without any rule of law being at stake."""

    code: str
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass
class RuleViolation(DomainError):
    """A rule of the book refuses the act."""

    refused: Refused
