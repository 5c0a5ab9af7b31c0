"""Rows that belong to another row and come and go with it: contacts, results of a sample."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import SQLModel

from water2.domain.ids import new_id
from water2.domain.importing import ImportChanged, ImportCreated
from water2.services.importing.shelf import Columns, as_json, table_of
from water2.services.importing.taking import Taking
from water2.services.rows import chunks


class OwnedShelf:
    """Rows of one table by their owner and, under it, by a mark that equal ones share.

    A row is never changed: it is added or removed.
    """

    def __init__(self, taking: Taking, model: type[SQLModel], owner: str) -> None:
        self.taking, self._owner = taking, owner
        self.table = table_of(model)
        self.stored: dict[str, dict[Hashable, Columns]] = defaultdict(dict)
        self._asked: set[str] = set()
        self._new: list[Columns] = []
        self._gone: list[Columns] = []

    def mark(self, row: Columns) -> Hashable:
        """Return what tells a row from its owner's others."""
        raise NotImplementedError

    async def load(self, owner_ids: Iterable[str]) -> None:
        """Read what stored owners have, once each."""
        wanted = sorted(set(owner_ids) - self._asked)
        self._asked.update(wanted)
        for chunk in chunks(wanted):
            statement = select(self.table).where(self.table.c[self._owner].in_(chunk))
            for row in (await self.taking.work.session.execute(statement)).mappings():
                self.stored[row[self._owner]][self.mark(dict(row))] = dict(row)

    def add(self, owner_id: str, columns: Columns) -> None:
        """Add a row to an owner."""
        row = {"id": new_id(), self._owner: owner_id, **columns}
        self.stored[owner_id][self.mark(row)] = row
        self._new.append(row)

    def remove(self, owner_id: str, mark: Hashable) -> Columns:
        """Remove an owner's row."""
        row = self.stored[owner_id].pop(mark)
        self._gone.append(row)
        return row

    async def flush(self) -> None:
        """Write what was removed and added, and note it for taking it back."""
        execute, note = self.taking.work.session.execute, self._note
        for chunk in chunks(self._gone):
            ids = [row["id"] for row in chunk]
            await execute(delete(self.table).where(self.table.c.id.in_(ids)))
            removed = [note(row_id=row["id"], before=as_json(row), after={}) for row in chunk]
            await execute(insert(table_of(ImportChanged)), removed)
        for chunk in chunks(self._new):
            await execute(insert(self.table), list(chunk))
            await execute(insert(table_of(ImportCreated)), [note(ids=[row["id"] for row in chunk])])
        self._new, self._gone = [], []

    def _note(self, **columns: Any) -> Columns:
        own = {"import_id": self.taking.import_id, "table_name": self.table.name}
        return {"id": new_id(), **own, **columns}
