"""Telephones and mail addresses of what a file tells of: sealed, compared by keyed index."""

from collections.abc import Hashable
from typing import Any, ClassVar

from water2.domain.organisation import Contact
from water2.services.importing.owned import OwnedShelf
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, Put
from water2.services.importing.taking import Taking

CHANNELS = {"phones": "phone", "mail": "mail"}


class ContactShelf(OwnedShelf):
    """Contacts of one type of owner."""

    FIELDS: ClassVar[frozenset[str]] = frozenset(CHANNELS)

    def __init__(self, taking: Taking, owner_type: str) -> None:
        super().__init__(taking, Contact, "owner_id")
        self._common = {"utility_id": taking.utility.id, "owner_type": owner_type}
        self._box = taking.work.contacts

    def mark(self, row: Columns) -> Hashable:
        """Return channel and keyed index: equal for equal text."""
        return row["channel"], row["index"]

    def settle(self, row: Row, owner_id: str) -> Put:
        """Make an owner's contacts those of the row; channels without a column stay."""
        before: Columns = {}
        after: Columns = {}
        for field, channel in CHANNELS.items():
            if field not in row.values:
                continue
            given = _texts(row.values[field])
            gone, new = self._make(owner_id, channel, given)
            if gone or new:
                before[field], after[field] = gone, list(given) or None
        return Put({"id": owner_id}, created=False, before=before, after=after)

    def _make(self, owner_id: str, channel: str, given: tuple[str, ...]) -> tuple[Any, bool]:
        stored = self.stored[owner_id]
        wanted = {(channel, self._box.index(text)): text for text in given}
        gone = [
            mark for mark, row in stored.items() if row["channel"] == channel and mark not in wanted
        ]
        removed = [self.remove(owner_id, mark) for mark in gone]
        new = {mark: text for mark, text in wanted.items() if mark not in stored}
        for (_, index), text in new.items():
            sealed = self._box.seal(text)
            self.add(
                owner_id, {**self._common, "channel": channel, "sealed": sealed, "index": index}
            )
        return [self._box.open(row["sealed"]) for row in removed] or None, bool(new)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
