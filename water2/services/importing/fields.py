"""The fields of a kind of row: how each cell is read, and what one file adds to the reading."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum

from water2.domain import folding
from water2.domain.folding import CellError, fold_name
from water2.rules.parameters import Parameter

RESULT, RECORD = "result.", "record."
"""Prefixes of fields that are not fixed: a water parameter's result, a remark of the record."""

EARLIEST_YEAR = 1900
LONGEST_CODE = 60


@dataclass(frozen=True)
class Reading:
    """What the reading of one file stands on.

    `values` holds, per field, what stands for a written value; `formats` are the file's own date
    formats (strptime). `parameters` are the rulebook's.
    """

    today: date
    parameters: Mapping[str, Parameter]
    formats: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] | None = None


CellReader = Callable[[str], object]
FieldReader = Callable[[Reading], CellReader]


@dataclass(frozen=True)
class Field:
    """One field. `required`: an empty cell refuses the row. `personal`: never shown unmasked."""

    name: str
    read: FieldReader
    required: bool = False
    identity: bool = False
    personal: bool = False


def plain(read: CellReader) -> FieldReader:
    """Read without regard to the file."""
    return lambda _reading: read


def text(longest: int) -> FieldReader:
    """Read text of at most so many characters."""

    def read(cell: str) -> str:
        if len(cell) > longest:
            raise CellError("too_long", longest=longest)
        return cell

    return plain(read)


def past_day(reading: Reading) -> CellReader:
    """Read a day that is not in the future."""

    def read(cell: str) -> date:
        day = folding.read_date(cell, reading.formats)
        if day > reading.today:
            raise CellError("in_future", today=reading.today.isoformat())
        return day

    return read


def any_day(reading: Reading) -> CellReader:
    """Read a day that may lie ahead."""
    return lambda cell: folding.read_date(cell, reading.formats)


def past_moment(reading: Reading) -> CellReader:
    """Read a day, with its time where given, that is not in the future."""

    def read(cell: str) -> tuple[date, time | None]:
        moment = folding.read_moment(cell, reading.formats)
        if moment[0] > reading.today:
            raise CellError("in_future", today=reading.today.isoformat())
        return moment

    return read


def choice(members: type[StrEnum]) -> FieldReader:
    """Read one of an enumeration's values."""

    def read(cell: str) -> StrEnum:
        try:
            return members(cell)
        except ValueError:
            raise CellError("unknown_value", known=[member.value for member in members]) from None

    return plain(read)


def _to_the_stored_scale(cell: str) -> Decimal:
    """Read a number as the database will give it back: six decimal places."""
    return round(folding.read_decimal(cell), 6)


def positive(highest: int) -> FieldReader:
    """Read a number above zero."""
    return plain(folding.bounded(_to_the_stored_scale, highest=Decimal(highest), above=Decimal(0)))


def between(lowest: int, highest: int) -> FieldReader:
    """Read a number within bounds, both included."""
    return plain(folding.bounded(_to_the_stored_scale, Decimal(lowest), Decimal(highest)))


def past_year(reading: Reading) -> CellReader:
    """Read a calendar year that has begun."""

    def read(cell: str) -> int:
        year = folding.read_whole(cell)
        if not EARLIEST_YEAR <= year <= reading.today.year:
            raise CellError("in_future" if year > reading.today.year else "out_of_range")
        return year

    return read


def number_or_text(cell: str) -> str:
    """Read a number used as a name: 01, 1 and 1.0 are one."""
    if len(cell) > LONGEST_CODE:
        raise CellError("too_long", longest=LONGEST_CODE)
    try:
        return str(folding.read_whole(cell))
    except CellError:
        return cell


def count(highest: int) -> FieldReader:
    """Read a whole number above zero."""

    def read(cell: str) -> int:
        number = folding.read_whole(cell)
        if number <= 0:
            raise CellError("not_positive")
        if number > highest:
            raise CellError("out_of_range", highest=highest)
        return number

    return plain(read)


def valued(field: Field, reading: Reading) -> CellReader:
    """Return the field's reader behind the file's own values for it.

    A laboratory's words that the file does not translate are read as they are.
    """
    read = field.read(reading)
    own = (reading.values or {}).get(field.name)
    if own is None:
        return read
    known = {fold_name(written): meant for written, meant in own.items()}

    def translated(cell: str) -> object:
        meant = known.get(fold_name(cell))
        if meant is None and field.name.startswith(RESULT):
            return read(cell)
        if meant is None:
            raise CellError("unknown_value", known=list(own))
        return read(meant)

    return translated
