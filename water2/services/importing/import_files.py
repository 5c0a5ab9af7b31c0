"""The import as a use-case: files in, a report out."""

from collections.abc import Sequence
from dataclasses import dataclass

from water2.domain.access import Action, Actor
from water2.domain.organisation import Utility
from water2.services.importing.mapping import FileMapping
from water2.services.importing.one_file import Progress, take_file
from water2.services.importing.opening import OpenFile, in_order, open_file
from water2.services.importing.report import FileReport, ImportReport
from water2.services.importing.source import FileError, Source
from water2.services.rows import fetch
from water2.work import Runtime, Work

UNKNOWN = frozenset({"unknown_columns", "not_text", "empty_file"})
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls")


@dataclass(frozen=True)
class ImportFiles:
    """What to take in, and where.

    `kind` admits files of that kind alone. `pass_over`: files that nobody knows are no problem (a
    whole folder was given). `mapping` comes in the place of our own ones.
    """

    utility_id: str
    sources: Sequence[Source]
    kind: str | None = None
    dry_run: bool = False
    mapping: FileMapping | None = None
    pass_over: bool = False


class _DryRunEnds(Exception):
    """No error: it rolls back what was only tried."""


def _silent(_file: str, _rows: int) -> None:
    """Tell nobody."""


async def import_files(
    runtime: Runtime, actor: Actor, command: ImportFiles, progress: Progress = _silent
) -> ImportReport:
    """Take files into the register, each in a transaction of its own, in the order they depend.

    A dry run takes all of them in one transaction and rolls it back. A file that cannot be read
    is a problem in the report and costs the others nothing.

    Raises:
        NotPermitted, NotFound: the actor may not import, or not for this utility.
    """
    report = ImportReport(dry_run=command.dry_run)
    async with runtime.read(actor) as work:
        work.require(Action.import_files)
        utility = await fetch(work, Utility, command.utility_id)
    files = _open(command, utility.place, report)
    if command.dry_run:
        await _try(runtime, actor, utility, files, report, progress)
        return report
    for file in files:
        async with runtime.work(actor) as work:
            report.files.append(await take_file(work, utility, file, progress))
    return report


async def import_within(work: Work, command: ImportFiles) -> ImportReport:
    """Take files into the register within a unit that is open: all of a request, or nothing.

    Raises:
        NotPermitted, NotFound: the actor may not import, or not for this utility.
    """
    work.require(Action.import_files)
    utility = await fetch(work, Utility, command.utility_id)
    report = ImportReport(dry_run=False)
    for file in _open(command, utility.place, report):
        report.files.append(await take_file(work, utility, file, _silent))
    return report


async def _try(
    runtime: Runtime,
    actor: Actor,
    utility: Utility,
    files: Sequence[OpenFile],
    report: ImportReport,
    progress: Progress,
) -> None:
    try:
        async with runtime.work(actor) as work:
            for file in files:
                tried = await take_file(work, utility, file, progress)
                tried.import_id = None
                report.files.append(tried)
            raise _DryRunEnds
    except _DryRunEnds:
        return


def _open(command: ImportFiles, place: str, report: ImportReport) -> list[OpenFile]:
    opened: list[OpenFile] = []
    for source in command.sources:
        try:
            opened.append(open_file(source, place, command.kind, command.mapping))
        except FileError as error:
            other = not source.name.lower().endswith(TABLE_SUFFIXES)
            if command.pass_over and (other or error.code in UNKNOWN):
                report.passed_over.append(source.name)
                continue
            problem = FileReport(source.name, problem=error.code, facts=error.facts)
            report.files.append(problem)
    return in_order(opened)
