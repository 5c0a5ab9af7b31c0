"""XLSX workbooks; cells come as the text a person would have typed."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import openpyxl

from water2.services.importing.source import (
    FileError,
    HeaderTest,
    RawRow,
    RawTable,
    checked,
    find_header,
)

MAX_UNPACKED_BYTES = 1024 * 1024 * 1024  # against archives that unpack without end
ZIP_MARK = b"PK\x03\x04"
OLD_EXCEL_MARK = b"\xd0\xcf\x11\xe0"


def read_workbook(content: bytes, knows: HeaderTest) -> RawTable:
    """Read the first sheet whose column names a mapping knows; line = row number of the sheet.

    Raises:
        FileError: `not_a_workbook`, `too_large`, `empty_file`, `unknown_columns`.
    """
    problem: FileError | None = None
    # values as last calculated, and beside them the formulas they came from
    for sheet, formulas in zip(_sheets(content), _sheets(content, formulas=True), strict=True):
        try:
            table = find_header(_rows(sheet, formulas), knows)
        except FileError as error:
            problem = problem or error
            continue
        width = len(table.header)
        return RawTable(table.header, checked(_padded(table.rows, width), width))
    raise problem or FileError("empty_file")


def _sheets(content: bytes, *, formulas: bool = False) -> list[Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise FileError("too_large", bytes=unpacked)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=not formulas)
    except FileError:
        raise
    except Exception as error:  # openpyxl raises what its parsers raise: KeyError, ParseError, …
        raise FileError("not_a_workbook") from error
    return list(book.worksheets)


def _rows(sheet: Any, formulas: Any) -> Iterator[RawRow]:
    both = zip(_values(sheet), _values(formulas), strict=True)
    for number, (values, written) in enumerate(both, start=1):
        cells = [_text(value) for value in values]
        lost = [cell is None and it is not None for cell, it in zip(values, written, strict=True)]
        if any(lost):
            yield RawRow(number, cells, "formula_without_value")
        elif any(cell.strip() for cell in cells):
            yield RawRow(number, cells)


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    with suppress(AttributeError):
        sheet.reset_dimensions()  # written sizes are often wrong
    yield from sheet.iter_rows(values_only=True)


def _padded(rows: Iterator[RawRow], width: int) -> Iterator[RawRow]:
    """Fill up rows that end early: a sheet keeps no empty cells at a row's end."""
    for row in rows:
        missing = width - len(row.cells)
        yield replace(row, cells=[*row.cells, *[""] * missing]) if missing > 0 else row


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case datetime():
            midnight = value.time() == time()
            return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("minutes")
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    return str(value)
