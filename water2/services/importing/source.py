"""What comes in: a file's name and bytes, what is wrong with one, and the rows read from it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from water2.domain.folding import CellError, fold_name

MAX_FILE_BYTES = 128 * 1024 * 1024
HEADER_WITHIN_ROWS = 10  # titles may stand above the column names


class FileError(Exception):
    """A file cannot be taken at all; `code` says why. Nothing of it was written."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Source:
    """One file as it came, by path or by upload."""

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Return the file's SHA-256 in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record: the physical line it begins on, its cells, and why it cannot be read if so."""

    line: int
    cells: Sequence[str]
    problem: str | None = None


@dataclass(frozen=True)
class RawTable:
    """A table's column names as written, and its rows in order, without the blank ones."""

    header: Sequence[str]
    rows: Iterator[RawRow]


HeaderTest = Callable[[Sequence[str]], bool]


def find_header(rows: Iterator[RawRow], knows: HeaderTest) -> RawTable:
    """Take the first of the leading rows that a mapping knows as the column names.

    Raises:
        FileError: `empty_file`, or `unknown_columns` with what was found instead.
    """
    first: Sequence[str] | None = None
    for _ in range(HEADER_WITHIN_ROWS):
        row = next(rows, None)
        if row is None:
            break
        if knows(row.cells):
            return RawTable(row.cells, rows)
        first = first or row.cells
    if first is None:
        raise FileError("empty_file")
    raise FileError("unknown_columns", columns=[column_name(cell) for cell in first[:60]])


def column_name(cell: str) -> str:
    """Fold a column's name, underscores too; what cannot be folded is no name."""
    try:
        return fold_name(cell).replace("_", "")
    except CellError:
        return ""


def checked(rows: Iterator[RawRow], width: int) -> Iterator[RawRow]:
    """Pass rows on, those with too few or too many cells marked; empty ones at the end are none."""
    for row in rows:
        if row.problem is None and len(row.cells) != width:
            yield _fitted(row, width)
        else:
            yield row


def _fitted(row: RawRow, width: int) -> RawRow:
    if len(row.cells) < width:
        return RawRow(row.line, row.cells, "row_too_short")
    if any(cell.strip() for cell in row.cells[width:]):
        return RawRow(row.line, row.cells, "row_too_long")
    return RawRow(row.line, row.cells[:width])
