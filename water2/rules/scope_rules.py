"""What a place says of its scope: data shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True)
class ScopeKind:
    """What a kind of facility means for scope, by which clause.

    `needs_estate`: only inside a residential estate.
    """

    kind: str
    inside: bool
    clause: str
    needs_estate: bool = False


@dataclass(frozen=True)
class ScopeRules:
    """A place's scope as data.

    `new_from` is the first day of acceptance that counts as new, None where age does not matter.
    `unlisted_clause` is the clause that takes in every kind not listed, None where it is out.
    `handover_required`: duties wait for the handover to the utility. `first_use` is stated by the
    register, or read off the first record: 1 January of that year.
    """

    kinds: Mapping[str, ScopeKind]
    new_from: date | None
    new_clause: str
    unlisted_clause: str | None
    area_clause: str
    handover_required: bool
    first_use: Literal["stated", "year_first_seen"]
