"""Records that an act must leave: their fields as data, and what makes a value impossible."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from water2.rules.obligation import Basis

FieldKind = Literal["text", "decimal", "whole", "instant", "day", "list", "yes"]


@dataclass(frozen=True)
class Field:
    """One field of a record. `minimum` and `maximum` are included; for a list they count entries.

    `yes` fields are statements that must be true. `after` names the field an instant may not lie
    before. `source` says where a bound comes from; a bound is a target unless `basis` is law.
    `personal` fields may name people: they never enter the ledger's bytes.
    """

    key: str
    title: str
    title_en: str
    kind: FieldKind
    required: bool
    unit: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    after: str | None = None
    basis: Basis = "target"
    source: str | None = None
    personal: bool = False


@dataclass(frozen=True)
class Form:
    """A record's fields in the order they are filled in."""

    name: str
    title: str
    title_en: str
    fields: tuple[Field, ...]
