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
    before, `apart_from` the list that may name nobody of this one. A value below `flag_below` or
    above `flag_above` can be true and is flagged. `source` says where a bound comes from; a bound
    is a target unless `basis` is law.
    `personal` fields may name people: the ledger's bytes hold the ids of staff they name and the
    number of the others. Who is named `on_register` worked: each should be known by 工号.
    """

    key: str
    title: str
    title_en: str
    kind: FieldKind
    required: bool
    unit: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    flag_below: Decimal | None = None
    flag_above: Decimal | None = None
    after: str | None = None
    apart_from: str | None = None
    basis: Basis = "target"
    source: str | None = None
    source_en: str | None = None
    personal: bool = False
    on_register: bool = False


@dataclass(frozen=True)
class Form:
    """A record's fields in the order they are filled in."""

    name: str
    title: str
    title_en: str
    fields: tuple[Field, ...]
