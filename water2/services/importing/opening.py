"""From files to tables that a mapping knows, in the order they depend on each other."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from water2.services.importing.kinds import KINDS
from water2.services.importing.mapping import FileMapping, best_match, own_mappings
from water2.services.importing.reading import read_table
from water2.services.importing.source import FileError, RawTable, Source, column_name


@dataclass(frozen=True)
class OpenFile:
    """A file whose columns a mapping knows."""

    source: Source
    mapping: FileMapping
    table: RawTable


def open_file(
    source: Source, place: str, kind: str | None = None, own: FileMapping | None = None
) -> OpenFile:
    """Open a file by the mapping given, or the one of ours that knows most of its columns.

    Raises:
        FileError: see `read_table`; `wrong_kind`, `wrong_place`, `column_repeated`.
    """
    mappings = [own] if own else _for_place(own_mappings(), place)
    if own and kind not in (None, own.kind.name):
        raise FileError("wrong_kind", kind=own.kind.name)
    if own and own.given.place not in (None, place):
        raise FileError("wrong_place", place=own.given.place)
    found: list[FileMapping] = []

    def knows(header: Sequence[str]) -> bool:
        match = best_match(mappings, header, kind)
        found.extend([match] if match else [])
        return match is not None

    table = read_table(source, knows)
    _refuse_repeated(table.header, found[-1])
    return OpenFile(source, found[-1], table)


def _refuse_repeated(header: Sequence[str], mapping: FileMapping) -> None:
    """Refuse a column that is read and stands twice: nobody can tell which of the two is meant."""
    named = Counter(map(column_name, header))
    repeated = [
        cell.strip()
        for cell in header
        if (name := column_name(cell)) in mapping.columns and named.pop(name, 1) > 1
    ]
    if repeated:
        raise FileError("column_repeated", columns=repeated)


def _for_place(mappings: Iterable[FileMapping], place: str) -> list[FileMapping]:
    return [mapping for mapping in mappings if mapping.given.place in (None, place)]


def in_order(files: Iterable[OpenFile]) -> list[OpenFile]:
    """Sort files so that what is referred to comes first; of one kind as given."""
    return sorted(files, key=lambda file: KINDS.index(file.mapping.kind))
