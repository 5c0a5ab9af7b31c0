"""Delimited text: UTF-8 with or without BOM, GB18030; commas, tabs or semicolons."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress

from water2.services.importing.source import (
    FileError,
    HeaderTest,
    RawRow,
    RawTable,
    checked,
    find_header,
)

ENCODINGS = ("utf-8", "gb18030")
DELIMITERS = ",\t;"
MAX_LINES_PER_RECORD = 100  # more, and a quotation mark was never closed
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decodings(content: bytes) -> Iterator[str]:
    """Give the ways to read bytes as text, the likeliest first: by BOM, as UTF-8, as GB18030.

    Where neither fits, bytes that do not become U+FFFD: the rows that hold them are refused, and
    the others are not lost.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            yield content.decode(encoding, errors="replace")
            return
    for encoding in ENCODINGS:
        with suppress(UnicodeDecodeError):
            yield content.decode(encoding)
    for encoding in ENCODINGS:
        yield content.decode(encoding, errors="replace")


def read_delimited(content: bytes, knows: HeaderTest) -> RawTable:
    """Read delimited text whose column names a mapping knows.

    Raises:
        FileError: `empty_file`, `unknown_columns`.
    """
    problem: FileError | None = None
    for text in decodings(content):
        lines = list(io.StringIO(text, newline=""))  # broken at CR, LF or both, and nowhere else
        for delimiter in DELIMITERS:
            try:
                table = find_header(_records(lines, delimiter), knows)
            except FileError as error:
                problem = problem or error
                continue
            return RawTable(table.header, checked(table.rows, len(table.header)))
    raise problem or FileError("empty_file")


class _Feed:
    """Gives lines to the CSV reader, at most so many for one record, and can be set back."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.at, self.stop = lines, 0, 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self.at >= self.stop:
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


def _records(lines: list[str], delimiter: str) -> Iterator[RawRow]:
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter)
    width = 0
    while feed.at < len(lines):
        begun, problem = feed.at, None
        feed.stop = min(len(lines), begun + MAX_LINES_PER_RECORD)
        try:
            cells = next(reader, [])
        except csv.Error:  # one cell longer than the module's limit
            cells, problem = [], "too_long"
        if feed.at - begun > 1 and _ran_away(feed, begun, len(cells), width):
            feed.at = begun + 1  # the mark swallowed good rows: read them again without it
            problem = "quote_unclosed"
        if problem:
            reader = csv.reader(feed, delimiter=delimiter)
            cells = lines[begun].rstrip("\r\n").split(delimiter)
        row = RawRow(begun + 1, cells, problem)
        if problem or any(cell.strip() for cell in cells):
            width = width or len(row.cells)
            yield row


def _ran_away(feed: _Feed, begun: int, cells: int, width: int) -> bool:
    """Tell whether a record of several lines is really a quotation mark nobody closed."""
    return cells != width if width else feed.at - begun == MAX_LINES_PER_RECORD
