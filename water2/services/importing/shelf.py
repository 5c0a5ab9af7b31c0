"""One table as an import sees it: what is stored, what the file adds, what it changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlmodel import SQLModel

from water2.domain.ids import new_id
from water2.domain.importing import ImportChanged, ImportCreated
from water2.services.rows import chunks
from water2.work import Work

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Put:
    """What putting a row did: `before` and `after` hold the columns that changed of `row`."""

    row: Columns
    created: bool
    before: Columns = field(default_factory=dict)
    after: Columns = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the row's id."""
        return str(self.row["id"])

    @property
    def changed(self) -> bool:
        """Tell whether anything was written."""
        return self.created or bool(self.after)


class Shelf:
    """Rows of one table by their natural key. Nothing reaches the database before `flush`."""

    def __init__(
        self, work: Work, model: type[SQLModel], key: tuple[str, ...], by: str, utility_id: str
    ) -> None:
        """Look rows up by the column `by`, within one utility; `key` names one row."""
        self.table = table_of(model)
        self._work, self._key, self._by, self._utility_id = work, key, by, utility_id
        self._defaults = _defaults(self.table) | {"utility_id": utility_id}
        self._rows: dict[tuple[Any, ...], Columns] = {}
        self._asked: set[Any] = set()
        self._new: list[Columns] = []
        self._new_ids: set[str] = set()
        self._before: dict[str, Columns] = {}
        self._after: dict[str, Columns] = {}

    async def load(self, values: Iterable[Any]) -> None:
        """Read the stored rows whose `by` column is among the values, once each."""
        wanted = sorted({value for value in values if value is not None} - self._asked)
        self._asked.update(wanted)
        table = self.table
        for chunk in chunks(wanted):
            statement = select(table).where(
                table.c.utility_id == self._utility_id, table.c[self._by].in_(chunk)
            )
            for row in (await self._work.session.execute(statement)).mappings():
                self._rows[tuple(row[name] for name in self._key)] = dict(row)

    def get(self, *key: Any) -> Columns | None:
        """Return a loaded or newly put row."""
        return self._rows.get(key)

    def all(self) -> Iterable[Columns]:
        """Return every row loaded or put so far."""
        return self._rows.values()

    def put(self, columns: Mapping[str, Any], **only_new: Any) -> Put:
        """Add a row, or change the columns in which it differs; `only_new` is for a new row."""
        key = tuple(columns[name] for name in self._key)
        row = self._rows.get(key)
        if row is None:
            row = {**self._defaults, "id": new_id(), **only_new, **columns}
            self._rows[key] = row
            self._new.append(row)
            self._new_ids.add(row["id"])
            return Put(row, created=True)
        return self.change(row, columns)

    def change(self, row: Columns, columns: Mapping[str, Any]) -> Put:
        """Change a row's columns where they differ."""
        after = {name: value for name, value in columns.items() if row[name] != value}
        before = {name: row[name] for name in after}
        if after and row["id"] not in self._new_ids:
            kept = self._before.setdefault(row["id"], {})
            kept |= {name: value for name, value in before.items() if name not in kept}
            self._after.setdefault(row["id"], {}).update(after)
            if "version" in row and "version" not in kept:
                kept["version"], self._after[row["id"]]["version"] = (
                    row["version"],
                    row["version"] + 1,
                )
        row.update(after)
        return Put(row, created=False, before=before, after=after)

    async def flush(self, import_id: str) -> None:
        """Write what was put since the last flush, and note it for taking it back."""
        execute = self._work.session.execute
        for chunk in chunks(self._new):
            await execute(insert(self.table), list(chunk))
            ids = [row["id"] for row in chunk]
            await execute(
                insert(table_of(ImportCreated)).values(**_created(import_id, self.table.name, ids))
            )
        by_columns: dict[tuple[str, ...], list[Columns]] = {}
        for row_id, after in self._after.items():
            by_columns.setdefault(tuple(sorted(after)), []).append({"row_id": row_id, **after})
        for names, rows in by_columns.items():
            values: Columns = {name: bindparam(name) for name in names}
            await execute(
                update(self.table).where(self.table.c.id == bindparam("row_id")).values(values),
                rows,
            )
        changed = [
            {
                "id": new_id(),
                "import_id": import_id,
                "table_name": self.table.name,
                "row_id": row_id,
                "before": as_json(self._before[row_id]),
                "after": as_json(after),
            }
            for row_id, after in self._after.items()
        ]
        if changed:
            await execute(insert(table_of(ImportChanged)), changed)
        self._new, self._before, self._after = [], {}, {}
        self._new_ids.clear()


def table_of(model: type[SQLModel]) -> Table:
    """Return a model's table: statements over it know no objects, and insert rows in one go."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel's own


def _defaults(table: Table) -> Columns:
    """Return what a new row holds where nothing else is said."""
    found: Columns = {}
    for column in table.columns:
        default = column.default
        if default is None:
            found[column.name] = None
        elif default.is_scalar:
            found[column.name] = default.arg  # type: ignore[attr-defined]  # told by is_scalar
        else:
            found[column.name] = default.arg({})  # type: ignore[attr-defined]  # a factory
    return found


def _created(import_id: str, table: str, ids: list[str]) -> Columns:
    return {"id": new_id(), "import_id": import_id, "table_name": table, "ids": ids}


def as_json(columns: Mapping[str, Any]) -> Columns:
    """Return columns as JSON values: dates and decimals as text, bytes in hex."""
    return {name: _json_value(value) for name, value in columns.items()}


def _json_value(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
        case bytes():
            return value.hex()
        case StrEnum():
            return value.value
    return value
