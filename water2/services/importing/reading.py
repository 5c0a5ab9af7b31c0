"""Any file to a table: what it is shows in its first bytes."""

from water2.services.importing.delimited import read_delimited
from water2.services.importing.source import (
    MAX_FILE_BYTES,
    FileError,
    HeaderTest,
    RawTable,
    Source,
)
from water2.services.importing.workbook import OLD_EXCEL_MARK, ZIP_MARK, read_workbook


def read_table(source: Source, knows: HeaderTest) -> RawTable:
    """Read a file whose column names pass the test.

    Raises:
        FileError: `too_large`, `old_excel`, `not_a_workbook`, `not_text`, `empty_file`,
            `unknown_columns`.
    """
    content = source.content
    if len(content) > MAX_FILE_BYTES:
        raise FileError("too_large", bytes=len(content))
    if content.startswith(ZIP_MARK):
        return read_workbook(content, knows)
    if content.startswith(OLD_EXCEL_MARK):
        raise FileError("old_excel")
    if _binary(content):
        raise FileError("not_text")
    return read_delimited(content, knows)


def _binary(content: bytes) -> bool:
    """Tell whether NUL bytes show that this is no text (UTF-16 is told by its BOM)."""
    head = content[:4096]
    return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(0) * 20 > len(head)
