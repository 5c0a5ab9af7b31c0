"""What has built on an import since: why it cannot be taken back any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, not_, select
from sqlmodel import SQLModel

from water2.domain.importing import ImportChanged, ImportRun
from water2.domain.work_order import Origin, WorkOrder, WorkOrderState, WorkOrderTask
from water2.services.importing.outages_on import outages_on
from water2.services.importing.shelf import Columns, as_json, table_of
from water2.services.rows import chunks
from water2.work import Work

DERIVED = frozenset({"duty"})
"""Tables that follow from the facts, and fall away with them."""
CHANGED, RUN = table_of(ImportChanged), table_of(ImportRun)
ORDER, TASK = table_of(WorkOrder), table_of(WorkOrderTask)
FIRST_VERSION = 1
Created = Mapping[str, Sequence[str]]


async def built_on(
    work: Work, run: ImportRun, created: Created, changed: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Return what stands on an import's rows now, as table → how many rows.

    An order that the sweep opened and nobody has touched stands for a duty and is no hindrance.
    """
    found: dict[str, int] = {}
    for table, column, ids in _references(created):
        if count := await _count(work, table, column.in_(ids), created.get(table.name, ())):
            found[table.name] = found.get(table.name, 0) + count
    found |= await outages_on(work, created)
    ids = [row_id for ids in created.values() for row_id in ids]
    ids += [row["row_id"] for row in changed]
    if later := await _changed_by_later_imports(work, run, ids):
        found["import"] = later
    if edited := await _edited(work, run, created, changed):
        found["edited"] = edited
    return found


def _references(created: Created) -> Iterable[tuple[Table, ColumnElement[Any], Sequence[str]]]:
    """Give every column of every table that refers to rows the import created."""
    for table in SQLModel.metadata.tables.values():
        if table.name in DERIVED:
            continue
        for key in table.foreign_keys:
            for ids in chunks(list(created.get(key.column.table.name, ()))):
                yield table, key.parent, ids


async def _count(
    work: Work, table: Table, condition: ColumnElement[bool], own: Sequence[str]
) -> int:
    if table.name == ORDER.name:
        condition = and_(condition, not_(untouched()))
    if table.name == TASK.name:
        orders = select(ORDER.c.id).where(untouched())
        condition = and_(condition, TASK.c.work_order_id.not_in(orders))
    rows = await work.session.execute(select(table.c.id).where(condition))
    return len(set(rows.scalars()) - set(own))


def untouched() -> ColumnElement[bool]:
    """Return what holds of an order that the sweep opened and nobody has planned."""
    return and_(ORDER.c.origin == Origin.sweep, ORDER.c.state == WorkOrderState.open)


async def _changed_by_later_imports(work: Work, run: ImportRun, ids: Sequence[str]) -> int:
    total = 0
    for chunk in chunks(ids):
        statement = (
            select(func.count())
            .select_from(CHANGED.join(RUN, CHANGED.c.import_id == RUN.c.id))
            .where(
                CHANGED.c.row_id.in_(chunk),
                CHANGED.c.import_id != run.id,
                RUN.c.taken_back_at.is_(None),
                RUN.c.imported_at > run.imported_at,
            )
        )
        total += (await work.session.execute(statement)).scalar_one()
    return total


async def _edited(
    work: Work, run: ImportRun, created: Created, changed: Sequence[Mapping[str, Any]]
) -> int:
    """Count rows that no longer say what the import made them say."""
    total = 0
    for name, rows in _said(created, changed).items():
        table = SQLModel.metadata.tables[name]
        for chunk in chunks(list(rows)):
            back = await _taken_back_since(work, run, chunk) if "version" in table.c else {}
            stored = await work.session.execute(select(table).where(table.c.id.in_(chunk)))
            for row in stored.mappings():
                said = rows[row["id"]]
                if "version" in said:
                    said["version"] += back.get(row["id"], 0)
                total += as_json({key: row[key] for key in said}) != said
    return total


async def _taken_back_since(work: Work, run: ImportRun, ids: Sequence[str]) -> dict[str, int]:
    """Return by how much later imports, taken back since, have moved rows' versions on."""
    statement = (
        select(CHANGED.c.row_id, CHANGED.c.import_id, func.count())
        .select_from(CHANGED.join(RUN, CHANGED.c.import_id == RUN.c.id))
        .where(
            CHANGED.c.row_id.in_(ids),
            CHANGED.c.import_id != run.id,
            RUN.c.taken_back_at.is_not(None),
            RUN.c.imported_at >= run.imported_at,
        )
        .group_by(CHANGED.c.row_id, CHANGED.c.import_id)
    )
    moved: dict[str, int] = defaultdict(int)
    for row_id, _, changes in await work.session.execute(statement):
        moved[row_id] += changes + 1  # each change, and the taking back
    return moved


def _said(created: Created, changed: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Columns]]:
    """Return table → row → what the import left in the row's changed columns and its version."""
    said: dict[str, dict[str, Columns]] = defaultdict(lambda: defaultdict(dict))
    for change in changed:
        if change["after"]:
            said[change["table_name"]][change["row_id"]] |= change["after"]
    for name, ids in created.items():
        if "version" in SQLModel.metadata.tables[name].c:
            for row_id in ids:
                said[name][row_id].setdefault("version", FIRST_VERSION)
    return said
