"""One file taken into the register within one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import select

from water2.domain.contacts import masked
from water2.domain.importing import ImportRun
from water2.domain.organisation import Utility
from water2.services.duties import rederive
from water2.services.importing.cleanings import CleaningTaker
from water2.services.importing.facilities import FacilityTaker
from water2.services.importing.fields import Reading
from water2.services.importing.file_entries import record_entries
from water2.services.importing.households import HouseholdTaker
from water2.services.importing.inspections import InspectionTaker
from water2.services.importing.kinds import FieldError
from water2.services.importing.opening import OpenFile
from water2.services.importing.people import StaffTaker
from water2.services.importing.places import BuildingTaker, TankTaker
from water2.services.importing.report import Change, FileReport, Flag
from water2.services.importing.rows import Rejection, Row, RowReader
from water2.services.importing.sending_back import sealed_rejections
from water2.services.importing.shelf import as_json
from water2.services.importing.source import RawRow
from water2.services.importing.taking import Taken, Taker, Taking
from water2.services.importing.water import SampleTaker
from water2.services.order_closing import close_served_orders
from water2.services.rulebooks import book_of
from water2.work import Work

BATCH = 2000
Progress = Callable[[str, int], None]
"""Told the file's name and how many of its rows are done."""

TAKERS: dict[str, type[Taker]] = {
    taker.kind.name: taker
    for taker in (
        FacilityTaker,
        TankTaker,
        BuildingTaker,
        HouseholdTaker,
        StaffTaker,
        CleaningTaker,
        SampleTaker,
        InspectionTaker,
    )
}


class FileImport:
    """Takes one file's rows, batch by batch; writes nothing at all when nothing is new."""

    def __init__(self, taking: Taking, file: OpenFile) -> None:
        given = file.mapping.given
        reading = Reading(
            taking.today, taking.book.parameters, tuple(given.date_formats), given.values
        )
        self.taking, self.file = taking, file
        self.reader = RowReader(file.mapping, file.table.header, reading)
        self.taker = TAKERS[file.mapping.kind.name](taking)
        self.report = FileReport(
            file.source.name, kind=file.mapping.kind.name, header=file.table.header
        )
        self._said: dict[tuple[Any, ...], Row] = {}
        self._run: ImportRun | None = None

    async def take(self, progress: Progress) -> FileReport:
        """Take all rows; the transaction is the caller's."""
        done = 0
        for batch in batched_rows(self.file.table.rows):
            await self._take_batch(self._read(batch))
            done += len(batch)
            progress(self.file.source.name, done)
            await asyncio.sleep(0)  # a server goes on answering
        self.report.rejections.sort(key=lambda rejection: rejection.line)
        if self._run is not None:
            await self._close(self._run)
        return self.report

    def _read(self, batch: Iterable[RawRow]) -> list[Row]:
        rows: list[Row] = []
        for raw in batch:
            read = self.reader.read(raw)
            if isinstance(read, Rejection):
                self.report.rejections.append(read)
            else:
                rows.append(read)
        return rows

    async def _take_batch(self, rows: list[Row]) -> None:
        await self.taker.load(rows)
        for row in rows:
            try:
                self._take_row(row)
            except FieldError as error:
                refused = self.reader.refuse(row.raw, error.field, error.code, error.facts)
                self.report.rejections.append(refused)
        if self.report.accepted:
            await self._open()
            await self.taker.flush()

    def _take_row(self, row: Row) -> None:
        self.taker.check(row)
        identity = tuple(row.values.get(name) for name in self.taker.kind.identity)
        earlier = self._said.setdefault(identity, row)
        if earlier is row:
            self._count(row, self.taker.take(row))
        elif earlier.values == row.values:
            self.report.duplicate += 1
        else:
            raise self._repeated(earlier, row)

    def _repeated(self, earlier: Row, row: Row) -> FieldError:
        differs = [name for name, value in row.values.items() if earlier.values[name] != value]
        last = self.taker.kind.identity[-1]
        return FieldError(last, "identity_repeated", line=earlier.raw.line, differs=differs)

    def _count(self, row: Row, taken: Taken) -> None:
        report, taking = self.report, self.taking
        if not taken.created and not taken.after:
            report.duplicate += 1
            return
        report.accepted += 1
        report.updated += not taken.created
        taking.tallies[taken.ledger_id]["created" if taken.created else "updated"] += 1
        taking.tell(taken.ledger_id, taken.subject, taken, taken.personal)
        report.changes += _changes(row, taken)
        report.flags += [Flag(row.raw.line, flag) for flag in (*row.flags, *taken.flags)]

    async def _open(self) -> None:
        """Enter the run in the register before anything refers to it."""
        if self._run is not None:
            return
        work = self.taking.work
        self._run = ImportRun(
            id=self.taking.import_id,
            utility_id=self.taking.utility.id,
            kind=self.taker.kind.name,
            file_name=self.file.source.name[-300:],
            file_sha256=self.file.source.sha256,
            imported_at=work.now,
            imported_by=work.actor.user_id,
            accepted=0,
            updated=0,
            duplicate=0,
            rejected=0,
        )
        work.session.add(self._run)
        await work.session.flush()

    async def _close(self, run: ImportRun) -> None:
        """Settle what follows from the whole file: duties, counts, entries."""
        report, taking = self.report, self.taking
        await self.taker.finish()
        report.flags += taking.flags
        await rederive(
            taking.work,
            taking.utility,
            facility_ids=sorted(taking.facility_ids),
            staff_ids=sorted(taking.staff_ids),
        )
        await close_served_orders(taking.work, taking.utility, sorted(taking.facility_ids))
        report.import_id = run.id
        run.accepted, run.updated = report.accepted, report.updated
        run.duplicate, run.rejected = report.duplicate, report.rejected
        run.refused_rows_sealed = sealed_rejections(taking.work.contacts, report)
        record_entries(taking, self.file.source, report)


async def take_file(work: Work, utility: Utility, file: OpenFile, progress: Progress) -> FileReport:
    """Take one file into the register of a utility, one at a time.

    Two imports of one file side by side must not both find its rows new. The lock lets others
    write rows that refer to the utility.
    """
    lock = select(Utility.id).where(Utility.id == utility.id).with_for_update(key_share=True)
    await work.session.execute(lock)
    book = await book_of(work, utility)
    zone = ZoneInfo(file.mapping.given.timezone or utility.timezone)
    return await FileImport(Taking(work, utility, book, zone), file).take(progress)


def _changes(row: Row, taken: Taken) -> list[Change]:
    before, after = as_json(taken.before), as_json(taken.after)
    return [
        Change(
            row.raw.line,
            taken.subject,
            name,
            _shown(before[name], name in taken.personal),
            _shown(new, name in taken.personal),
        )
        for name, new in after.items()
    ]


def _shown(value: Any, personal: bool) -> str | None:
    if value is None:
        return None
    texts = [str(part) for part in value] if isinstance(value, list) else [str(value)]
    return "、".join(masked(text) if personal else text for text in texts)


def batched_rows(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    """Cut rows into batches that one statement's parameters can hold."""
    while batch := list(islice(rows, BATCH)):
        yield batch
