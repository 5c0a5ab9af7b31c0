"""Mapping files: which column is which field, which value stands for which, how dates look."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from water2.services.importing.kinds import KINDS, Kind
from water2.services.importing.source import FileError, column_name


class MappingFile(BaseModel):
    """What a mapping file holds; anything else in it is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(description="facility, tank, building, household, staff, …")
    title: str = ""
    place: str | None = Field(None, description="only for utilities of this rulebook")
    timezone: str | None = Field(None, description="zone of the file's times, else the utility's")
    date_formats: tuple[str, ...] = Field((), description="strptime forms beside the usual ones")
    columns: dict[str, str] = Field(description="column as written = field; several may join up")
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="per field: value as written = value meant"
    )
    constants: dict[str, str] = Field(
        default_factory=dict, description="field = value of every row, for what has no column"
    )


@dataclass(frozen=True)
class FileMapping:
    """A mapping ready for use: its columns under folded names."""

    kind: Kind
    given: MappingFile
    columns: Mapping[str, str]

    def matches(self, header: Sequence[str]) -> int:
        """Return how many columns of a header are known; 0 where a required one is lacking."""
        names = {column_name(cell) for cell in header}
        found = {field for column, field in self.columns.items() if column in names}
        needed = {field.name for field in self.kind.fields if field.required or field.identity}
        if needed - found - set(self.given.constants):
            return 0
        return sum(column in names for column in self.columns)


def read_mapping(text: str) -> FileMapping:
    """Read a mapping file.

    Raises:
        FileError: `mapping_invalid`, with what is wrong in it.
    """
    try:
        given = MappingFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FileError("mapping_invalid", detail=str(error)) from error
    except ValidationError as error:
        at = [".".join(map(str, each["loc"])) for each in error.errors()]
        raise FileError("mapping_invalid", detail=", ".join(at)) from error
    kind = next((kind for kind in KINDS if kind.name == given.kind), None)
    if kind is None:
        raise FileError("mapping_invalid", detail=f"kind = {given.kind!r}")
    named = {*given.columns.values(), *given.constants, *given.values}
    unknown = sorted(name for name in named if not _takes(kind, name))
    if unknown:
        raise FileError("mapping_invalid", detail=f"{given.kind}: {', '.join(unknown)}")
    columns = {column_name(column): field for column, field in given.columns.items()}
    return FileMapping(kind, given, columns)


def _takes(kind: Kind, name: str) -> bool:
    return kind.field(name) is not None or name.startswith(kind.extras or ("\0",))


@cache
def own_mappings() -> tuple[FileMapping, ...]:
    """Return the mappings that travel with the program, in the order files depend on each other."""
    folder = files("water2.services.importing") / "mappings"
    read = [read_mapping(path.read_text("utf-8")) for path in folder.iterdir()]
    return tuple(sorted(read, key=lambda mapping: (KINDS.index(mapping.kind), mapping.given.title)))


def best_match(
    mappings: Sequence[FileMapping], header: Sequence[str], kind: str | None = None
) -> FileMapping | None:
    """Return the mapping that knows most of a header's columns, of one kind where it is named."""
    wanted = [mapping for mapping in mappings if kind in (None, mapping.kind.name)]
    best = max(wanted, key=lambda mapping: mapping.matches(header), default=None)
    return best if best is not None and best.matches(header) else None
