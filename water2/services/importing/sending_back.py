"""Refused rows as a table to send back: the file's own columns, and why each row was refused."""

import csv
import io
import json
from collections.abc import Callable, Mapping

from water2.domain.contacts import ContactBox
from water2.services.importing.report import FileReport

ADDED = ("line", "column", "reason")
Words = Callable[[str, Mapping[str, object]], str]
"""Turns a reason code and its facts into words; made at the edge."""


def rejections_csv(report: FileReport, words: Words, added: tuple[str, ...] = ADDED) -> bytes:
    """Return a file's refused rows as CSV in UTF-8 with BOM, for Excel.

    `added` are the names of the three columns before the file's own.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*added, *report.header])
    for row in report.rejections:
        told = [str(row.line), row.column, words(row.reason, row.facts)]
        writer.writerow([_inert(cell) for cell in (*told, *row.cells)])
    return out.getvalue().encode("utf-8-sig")


def _inert(cell: str) -> str:
    """Keep a spreadsheet from taking a stranger's text for a formula."""
    risky = cell[:1] in ("=", "@", "\t", "\r") or (
        cell[:1] in ("+", "-") and not cell[1:].replace(".", "", 1).isdigit()
    )
    return f"'{cell}" if risky else cell


def sealed_rejections(box: ContactBox, report: FileReport) -> bytes | None:
    """Return a file's refused rows sealed: their cells are personal data."""
    if not report.rejections:
        return None
    rows = [
        {
            "line": row.line,
            "column": row.column,
            "value": row.value,
            "reason": row.reason,
            "facts": row.facts,
            "cells": list(row.cells),
        }
        for row in report.rejections
    ]
    told = {"header": list(report.header), "rows": rows}
    return box.seal(json.dumps(told, ensure_ascii=False, default=str))
