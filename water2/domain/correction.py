"""Corrections: entries that name the one they correct. Both stay; a view folds them together."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from water2.domain.ledger import CORRECTED

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected field. `field` is a path into the entry's data: `record.residual`, `rows.0`."""

    seq: int
    field: str
    old: object
    new: object
    reason: str
    recorded: str
    actor: str


@dataclass(frozen=True, slots=True)
class FoldedEntry:
    """An entry's data as corrected, with every correction that led to it, the first first."""

    data: Json
    corrections: Sequence[Correction]


class NoSuchField(LookupError):
    """A path that leads nowhere in an entry's data."""


def corrected_subject(seq: int) -> str:
    """Return the subject under which the corrections of an entry of the same ledger stand."""
    return f"entry:{seq}"


def read_correction(entry: Json) -> Correction:
    """Return what a parsed entry of type `entry.corrected` says."""
    data = entry["data"]
    return Correction(
        seq=entry["seq"],
        field=data["field"],
        old=data["old"],
        new=data["new"],
        reason=data["reason"],
        recorded=entry["recorded"],
        actor=entry["actor"],
    )


def fold(data: Json, corrections: Iterable[Correction]) -> FoldedEntry:
    """Apply corrections in their order to a copy of an entry's data."""
    folded = copy.deepcopy(dict(data))
    applied = sorted(corrections, key=lambda one: one.seq)
    for correction in applied:
        *way, last = correction.field.split(".")
        holder = value_at(folded, way)
        holder[_key(holder, last)] = correction.new
    return FoldedEntry(folded, applied)


def value_at(data: object, path: str | Sequence[str]) -> Any:
    """Return the value a path leads to; a number names a list's item from 0.

    Raises:
        NoSuchField: it leads nowhere.
    """
    value = data
    for step in path.split(".") if isinstance(path, str) else path:
        value = cast("Any", value)[_key(value, step)]
    return value


def is_correction(entry: Json) -> bool:
    """Tell whether a parsed entry corrects another."""
    return bool(entry["type"] == CORRECTED)


def _key(holder: object, step: str) -> str | int:
    if isinstance(holder, dict) and step in holder:
        return step
    if isinstance(holder, list) and step.isdecimal() and int(step) < len(holder):
        return int(step)
    raise NoSuchField(step)
