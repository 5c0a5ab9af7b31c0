"""`import` and `take-back`: a utility's own files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from water2.cli.command import Place, Status
from water2.cli.refusals import file_problem
from water2.cli.terminal import Terminal
from water2.domain.access import SYSTEM
from water2.edge.problems import said
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.mapping import FileMapping, read_mapping
from water2.services.importing.report import FileReport, ImportReport
from water2.services.importing.sending_back import rejections_csv
from water2.services.importing.source import Source
from water2.services.importing.take_back import take_back_import
from water2.services.utilities import choose_utility

_SHOWN = 20  # refused rows and changes of one file; the rest in --json and --rejects


async def take_in(
    at: Place,
    paths: Annotated[list[Path], typer.Argument(help="paths")],
    mapping: Annotated[Path | None, typer.Option(help="mapping")] = None,
    kind: Annotated[str | None, typer.Option(help="kind")] = None,
    utility: Annotated[str | None, typer.Option(help="utility")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="dry_run")] = False,
    rejects: Annotated[Path | None, typer.Option(help="rejects")] = None,
) -> Status:
    """Take files in; a folder's are taken in the order they depend on each other."""
    sources = _sources(paths)
    given = _mapping(mapping)
    async with at.opened() as runtime:
        async with runtime.read() as work:
            chosen = await choose_utility(work, utility)
        command = ImportFiles(
            utility_id=chosen.id,
            sources=sources,
            kind=kind,
            dry_run=dry_run,
            mapping=given,
            pass_over=any(path.is_dir() for path in paths),
        )
        with at.terminal.progress("cli.import.reading") as steps:
            report = await import_files(
                runtime, SYSTEM, command, lambda name, rows: steps.to(rows, told=name)
            )
    _show(at.terminal, report)
    if rejects is not None:
        _write_rejects(at.terminal, report, rejects)
    return Status.done if report.complete else Status.done_but


async def take_back(
    at: Place, import_id: Annotated[str, typer.Argument(help="import_id")]
) -> Status:
    """Take an import back by compensating entries, while nothing has built on it."""
    async with at.opened() as runtime, runtime.work() as work:
        run = await take_back_import(work, import_id)
    at.terminal.answer({"id": run.id, "file": run.file_name, "taken_back_at": run.taken_back_at})
    at.terminal.say("cli.import.taken_back", id=run.id)
    return Status.done


def _sources(paths: Sequence[Path]) -> list[Source]:
    """Read the files given, and those of the folders given."""
    files = [file for path in paths for file in (_files_of(path) if path.is_dir() else [path])]
    return [Source(file.name, file.read_bytes()) for file in files]


def _files_of(folder: Path) -> list[Path]:
    found = sorted(folder.iterdir())
    return [file for file in found if file.is_file() and not file.name.startswith(".")]


def _mapping(path: Path | None) -> FileMapping | None:
    return None if path is None else read_mapping(path.read_text(encoding="utf-8"))


def _show(terminal: Terminal, report: ImportReport) -> None:
    terminal.answer(_as_data(report))
    for file in report.files:
        _show_file(terminal, file)
    if report.passed_over:
        terminal.say("cli.import.passed_over", names=", ".join(report.passed_over))
    terminal.say("cli.import.total", **_counts(report))
    if report.dry_run:
        terminal.say("cli.import.dry_run")


def _show_file(terminal: Terminal, file: FileReport) -> None:
    if file.problem:
        reason = file_problem(terminal.words, file.problem, file.facts)
        terminal.say("cli.import.problem", name=file.name, reason=reason)
        return
    terminal.say("cli.import.file", name=file.name, kind=file.kind, **_counts(file))
    for row in file.rejections[:_SHOWN]:
        reason = said(terminal.words, "field", row.reason, row.facts)
        terminal.say(
            "cli.import.row", line=row.line, column=row.column, value=row.value, reason=reason
        )
    for change in file.changes[:_SHOWN]:
        terminal.say(
            "cli.import.change",
            line=change.line,
            subject=change.subject,
            field=change.field,
            old=change.old,
            new=change.new,
        )
    more = sum(max(0, len(rows) - _SHOWN) for rows in (file.rejections, file.changes))
    if more:
        terminal.say("cli.import.more", count=more)
    for flag, rows in Counter(one.flag for one in file.flags).most_common():
        terminal.say("cli.import.flagged", told=terminal.words.text(f"flag.{flag}"), rows=rows)
    if file.import_id:
        terminal.say("cli.import.run", id=file.import_id)


def _counts(report: ImportReport | FileReport) -> dict[str, int]:
    return {
        "accepted": report.accepted,
        "updated": report.updated,
        "duplicate": report.duplicate,
        "rejected": report.rejected,
    }


def _as_data(report: ImportReport) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        **_counts(report),
        "rows": list(report.rows()),
        "passed_over": report.passed_over,
        "files": [
            {
                "name": file.name,
                "kind": file.kind,
                "import_id": file.import_id,
                "problem": file.problem,
                **_counts(file),
                "changes": file.changes,
                "flags": file.flags,
            }
            for file in report.files
        ],
    }


def _write_rejects(terminal: Terminal, report: ImportReport, folder: Path) -> None:
    """Write a CSV of refused rows for each file that has some."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in report.files:
        if file.rejections:
            path = folder / f"{Path(file.name).stem}-rejects.csv"
            content = rejections_csv(
                file, lambda code, facts: said(terminal.words, "field", code, facts)
            )
            path.write_bytes(content)
            terminal.say("cli.import.rejects", file=path)
