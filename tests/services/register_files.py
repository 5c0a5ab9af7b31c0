"""The small dirty register, in every shape in which files come."""

import csv
import io
from pathlib import Path

import openpyxl

from water2.domain.access import SYSTEM
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.source import Source

FOLDER = Path(__file__).parent.parent / "data" / "register"
LISHUI = ("泵房台账", "水箱台账", "楼栋", "用户", "人员台账", "清洗消毒记录", "水质检测")


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.csv").read_text("utf-8")


def as_utf8(name: str, text: str | None = None) -> Source:
    return Source(f"{name}.csv", (text or text_of(name)).encode())


def as_utf8_with_bom(name: str) -> Source:
    return Source(f"{name}.csv", text_of(name).encode("utf-8-sig"))


def as_gb18030(name: str) -> Source:
    return Source(f"{name}.csv", text_of(name).replace("\n", "\r\n").encode("gb18030"))


def as_xlsx(name: str) -> Source:
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(text_of(name))):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return Source(f"{name}.xlsx", out.getvalue())


def register(shape=as_utf8) -> list[Source]:
    """The seven files, in an order in which they cannot be taken."""
    return [shape(name) for name in reversed(LISHUI)]


async def take(installation, *sources, actor=SYSTEM, **changes):
    """Import files into the installation's utility."""
    command = ImportFiles(installation.utility.id, sources, **changes)
    return await import_files(installation.runtime, actor, command)


def refused(report) -> dict[str, list[tuple[int, str, str]]]:
    """Return file → (line, column, reason) of the refused rows."""
    return {
        file.name.partition(".")[0]: [(r.line, r.column, r.reason) for r in file.rejections]
        for file in report.files
        if file.rejections
    }
