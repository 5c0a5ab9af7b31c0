"""One file's rows, cell by cell: values, or why the row is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from water2.domain.folding import CellError, fold
from water2.rules.flags import FlagCode
from water2.services.importing.fields import (
    RESULT,
    CellReader,
    Field,
    Reading,
    text,
    valued,
)
from water2.services.importing.kinds import FieldError, Kind
from water2.services.importing.mapping import FileMapping
from water2.services.importing.results import result
from water2.services.importing.source import RawRow, column_name


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read. `values` has an empty cell as None, a field without column not."""

    raw: RawRow
    values: dict[str, Any]
    flags: list[FlagCode]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused row: where, the cell at fault, the reason code and what it was judged on."""

    line: int
    column: str
    value: str
    reason: str
    facts: dict[str, object] = field(default_factory=dict)
    cells: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Bound:
    """A field tied to its columns; `cells` is empty for a constant."""

    field: Field
    read: CellReader
    cells: tuple[int, ...]


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, mapping: FileMapping, header: Sequence[str], reading: Reading) -> None:
        self.kind: Kind = mapping.kind
        self.header = header
        self._positions = _positions(mapping, header)
        self._bound = [
            _Bound(one, valued(one, reading), tuple(self._positions[one.name]))
            for one in _fields(mapping.kind, self._positions, reading)
        ]
        self._constants = {
            name: valued(one, reading)(fold(given))
            for name, given in mapping.given.constants.items()
            if (one := mapping.kind.field(name)) is not None and name not in self._positions
        }

    def read(self, raw: RawRow) -> Row | Rejection:
        """Read one row; its first cell at fault refuses it."""
        if raw.problem is not None:
            return Rejection(raw.line, "", "", raw.problem, cells=raw.cells)
        values: dict[str, Any] = dict(self._constants)
        for bound in self._bound:
            try:
                values[bound.field.name] = self._value(bound, raw.cells)
            except CellError as error:
                return self.refuse(raw, bound.field.name, error.code, error.facts)
        try:
            flags = [flag for check in self.kind.checks for flag in check(values)]
        except FieldError as error:
            return self.refuse(raw, error.field, error.code, error.facts)
        return Row(raw, values, flags)

    def _value(self, bound: _Bound, cells: Sequence[str]) -> Any:
        if len(bound.cells) == 1:
            folded = fold(cells[bound.cells[0]])
        else:
            folded = " ".join(filter(None, (fold(cells[at]) for at in bound.cells)))
        if folded:
            return bound.read(folded)
        if bound.field.required:
            raise CellError("empty")
        return None

    def refuse(
        self, raw: RawRow, name: str, reason: str, facts: dict[str, object] | None = None
    ) -> Rejection:
        """Return the rejection of a row for one of its fields."""
        at = self._positions.get(name, [])
        column = " + ".join(self.header[i].strip() for i in at) or name
        value = " ".join(raw.cells[i] for i in at).strip()
        return Rejection(raw.line, column, value, reason, facts or {}, raw.cells)


def _positions(mapping: FileMapping, header: Sequence[str]) -> dict[str, list[int]]:
    """Return field → the indexes of its columns, in the order the mapping names them."""
    at: dict[str, int] = {}
    for index, cell in enumerate(header):
        at.setdefault(column_name(cell), index)
    found: dict[str, list[int]] = {}
    for column, name in mapping.columns.items():
        if column in at:
            found.setdefault(name, []).append(at[column])
    return found


def _fields(kind: Kind, positions: dict[str, list[int]], reading: Reading) -> list[Field]:
    """Return the fields that have a column: the kind's own, then results and remarks."""
    own = [one for one in kind.fields if one.name in positions]
    extra = [_extra(name, reading) for name in positions if kind.field(name) is None]
    return own + extra


def _extra(name: str, reading: Reading) -> Field:
    if name.startswith(RESULT):
        return Field(name, result(reading, name.removeprefix(RESULT)))
    return Field(name, text(300))
