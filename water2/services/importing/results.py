"""A laboratory's result in a cell: taken as written, refused when unreadable or impossible."""

from water2.domain.folding import CellError
from water2.rules.readings import plausible, read_result
from water2.services.importing.fields import FieldReader, Reading, plain
from water2.services.importing.source import FileError

LONGEST_RAW = 100


def result(reading: Reading, key: str) -> FieldReader:
    """Return the reader of one parameter's results; a dash is an empty cell.

    Raises:
        FileError: the rulebook knows no such parameter.
    """
    parameter = reading.parameters.get(key)
    if parameter is None or parameter.increment_of is not None:  # a rise is computed
        raise FileError("mapping_invalid", detail=f"result.{key}")

    def read(cell: str) -> str | None:
        if len(cell) > LONGEST_RAW:
            raise CellError("too_long", longest=LONGEST_RAW)
        read = read_result(cell)
        if fault := plausible(parameter, read):
            raise CellError(f"result_{fault}")
        return None if read.kind == "empty" else cell

    return plain(read)
