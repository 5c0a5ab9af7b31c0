"""Taking an import back, by compensating entries, while nothing has built on it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Table, delete, insert, select, update
from sqlmodel import SQLModel

from water2.domain.access import Action
from water2.domain.duty import Duty
from water2.domain.errors import Conflict
from water2.domain.facility import Facility
from water2.domain.importing import ImportChanged, ImportCreated, ImportRun
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.work_order import WorkOrder, WorkOrderTask
from water2.services.duties import rederive
from water2.services.importing.built_on import built_on, untouched
from water2.services.importing.shelf import Columns, table_of
from water2.services.rows import chunks, fetch
from water2.work import Work


async def take_back_import(work: Work, import_id: str) -> ImportRun:
    """Undo an import: what it created goes, what it changed says again what it said before.

    The ledgers keep every entry and get one more that says so.

    Raises:
        Conflict: `import_taken_back` already; `import_built_on`, with table → how many rows.
    """
    work.require(Action.import_files)
    run = await fetch(work, ImportRun, import_id, lock=True)
    if run.taken_back_at is not None:
        raise Conflict("import_taken_back", {"taken_back_at": run.taken_back_at.isoformat()})
    created, changed = await _created(work, run), await _changed(work, run)
    if found := await built_on(work, run, created, changed):
        raise Conflict("import_built_on", {"by": found})
    utility = await fetch(work, Utility, run.utility_id)
    touched = await _touched(work, created, changed)
    ledgers = await _ledgers(work, utility, touched["facility"])
    await _restore(work, changed)
    await _delete(work, created)
    await rederive(
        work,
        utility,
        facility_ids=sorted(touched["facility"] - set(created.get("facility", ()))),
        staff_ids=sorted(touched["staff"] - set(created.get("staff", ()))),
    )
    run.taken_back_at, run.taken_back_by = work.now, work.actor.user_id
    work.session.add(run)
    _record(work, run, ledgers, created, len(changed))
    return run


async def _created(work: Work, run: ImportRun) -> dict[str, list[str]]:
    table = table_of(ImportCreated)
    found: dict[str, list[str]] = defaultdict(list)
    rows = await work.session.execute(select(table).where(table.c.import_id == run.id))
    for row in rows.mappings():
        found[row["table_name"]] += row["ids"]
    return found


async def _changed(work: Work, run: ImportRun) -> Sequence[Columns]:
    """Return what the import changed; a row changed in several batches stands several times."""
    table = table_of(ImportChanged)
    rows = await work.session.execute(select(table).where(table.c.import_id == run.id))
    return [dict(row) for row in rows.mappings()]


async def _touched(
    work: Work, created: dict[str, list[str]], changed: Sequence[Columns]
) -> dict[str, set[str]]:
    """Return the facilities and people whose duties may change, whatever row told of them."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for name, ids in created.items():
        by_table[name] += ids
    for change in changed:
        by_table[change["table_name"]].append(change["row_id"])
    touched: dict[str, set[str]] = {"facility": set(), "staff": set()}
    for name, ids in by_table.items():
        table = SQLModel.metadata.tables[name]
        for kind, found in touched.items():
            column = table.c.id if name == kind else table.c.get(f"{kind}_id")
            if column is None:
                continue
            for chunk in chunks(ids):
                rows = await work.session.execute(select(column).where(table.c.id.in_(chunk)))
                found.update(row for row in rows.scalars() if row is not None)
    return touched


async def _ledgers(work: Work, utility: Utility, facility_ids: set[str]) -> list[str]:
    table = table_of(Facility)
    ledgers = {utility.ledger_id}
    for chunk in chunks(sorted(facility_ids)):
        rows = await work.session.execute(select(table.c.ledger_id).where(table.c.id.in_(chunk)))
        ledgers.update(rows.scalars())
    return sorted(ledgers)


async def _restore(work: Work, changed: Sequence[Columns]) -> None:
    """Put back what rows said before; of a row changed twice the first time counts."""
    before: dict[tuple[str, str], Columns] = {}
    removed: dict[str, list[Columns]] = defaultdict(list)
    for change in changed:
        table = SQLModel.metadata.tables[change["table_name"]]
        columns = from_json(table, change["before"])
        if change["after"]:
            key = (change["table_name"], change["row_id"])
            before[key] = _earlier(before.get(key), columns)
        else:
            removed[change["table_name"]].append(columns)
    for (name, row_id), columns in before.items():
        table = SQLModel.metadata.tables[name]
        values = {key: value for key, value in columns.items() if key != "version"}
        if "version" in table.c:
            values["version"] = table.c.version + 1
        await work.session.execute(update(table).where(table.c.id == row_id).values(**values))
    for name, rows in removed.items():
        await work.session.execute(insert(SQLModel.metadata.tables[name]), rows)


def _earlier(one: Columns | None, other: Columns) -> Columns:
    """Join two notes of one row's columns before; the one with the lower version is the first."""
    if one is None:
        return other
    first, second = sorted((one, other), key=lambda columns: columns.get("version", 0))
    return second | first


async def _delete(work: Work, created: dict[str, list[str]]) -> None:
    """Delete what the import created, last what others refer to, with the duties of it."""
    duty = table_of(Duty)
    subjects = [
        row_id
        for kind in ("tank", "facility", "staff", "cleaning")
        for row_id in created.get(kind, ())
    ]
    for chunk in chunks(subjects):
        await _delete_opened_orders(work, chunk)
        await work.session.execute(delete(duty).where(duty.c.subject_id.in_(chunk)))
    for table in reversed(SQLModel.metadata.sorted_tables):
        for chunk in chunks(created.get(table.name, [])):
            await work.session.execute(delete(table).where(table.c.id.in_(chunk)))


async def _delete_opened_orders(work: Work, subject_ids: Sequence[str]) -> None:
    """Delete what the sweep opened for subjects and nobody touched, and orders left empty by it."""
    order, task = table_of(WorkOrder), table_of(WorkOrderTask)
    of_subjects = task.c.subject_id.in_(subject_ids)
    opened = select(order.c.id).where(
        untouched(), order.c.id.in_(select(task.c.work_order_id).where(of_subjects))
    )
    ids = list((await work.session.execute(opened)).scalars())
    for chunk in chunks(ids):
        here = task.c.work_order_id.in_(chunk)
        await work.session.execute(delete(task).where(of_subjects, here))
        left = select(task.c.work_order_id).where(here)
        empty = sa.and_(order.c.id.in_(chunk), order.c.id.not_in(left))
        await work.session.execute(delete(order).where(empty))


def _record(
    work: Work, run: ImportRun, ledgers: list[str], created: dict[str, list[str]], changed: int
) -> None:
    removed = dict(Counter({name: len(ids) for name, ids in sorted(created.items())}))
    for ledger_id in ledgers:
        work.record(
            PendingEntry(
                ledger_id=ledger_id,
                type="import.taken_back",
                subject=f"import:{run.id}",
                occurred_at=work.now,
                data={"kind": run.kind, "removed": removed, "restored": changed},
                files=[run.file_sha256],
            )
        )


def from_json(table: Table, columns: Columns) -> Columns:
    """Return columns as the table holds them, from the JSON they were noted in."""
    return {name: _typed(table.c[name].type, value) for name, value in columns.items()}


def _typed(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is None or isinstance(kind, sa.JSON):
        return value
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    if isinstance(kind, sa.LargeBinary):
        return bytes.fromhex(value)
    python: type[Any] = getattr(kind, "impl_instance", kind).python_type
    if issubclass(python, datetime):
        return datetime.fromisoformat(value)
    if issubclass(python, date):
        return date.fromisoformat(value)
    return Decimal(value) if issubclass(python, Decimal) else value
