"""Taking one file's rows into the register: what every kind of row has in common."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel

from water2.domain.ids import new_id
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.services.importing.kinds import Kind
from water2.services.importing.report import Flag
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, Put, Shelf, as_json
from water2.work import Work


@dataclass
class Taking:
    """One file on its way in: where it goes, and what it has done so far.

    `tallies` counts new and changed rows per ledger, `told` lists the changed values per ledger
    without personal ones. `entries` are those an act of its own deserves (cleanings, samples,
    certificates), `flags` those that show only when the whole file has been read.
    """

    work: Work
    utility: Utility
    book: Rulebook
    zone: ZoneInfo
    import_id: str = field(default_factory=new_id)
    facility_ids: set[str] = field(default_factory=set)
    staff_ids: set[str] = field(default_factory=set)
    tallies: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    told: dict[str, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    entries: list[PendingEntry] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    @property
    def today(self) -> date:
        """Return the civil day in the utility's zone."""
        return self.work.today(self.utility.timezone)

    def midnight(self, day: date) -> datetime:
        """Return the instant a civil day begins in the utility's zone."""
        return datetime.combine(day, time(), self.zone)

    def shelf(self, model: type[SQLModel], key: tuple[str, ...], by: str) -> Shelf:
        """Return a shelf of the utility's rows of one table."""
        return Shelf(self.work, model, key, by, self.utility.id)

    def tell(
        self, ledger_id: str, subject: str, change: "Put | Taken", hidden: Collection[str] = ()
    ) -> None:
        """Note changed columns for the ledger; of hidden ones only that they changed."""
        before, after = as_json(change.before), as_json(change.after)
        for name, new in after.items():
            note: dict[str, object] = {"subject": subject, "field": name}
            if name not in hidden:
                note |= {"old": before[name], "new": new}
            self.told[ledger_id].append(note)


@dataclass
class Taken:
    """What one row did: to which ledger it belongs, its subject, and the columns it changed.

    The values of `personal` columns are shown to people masked and never enter a ledger.
    """

    ledger_id: str
    subject: str
    created: bool
    before: Columns = field(default_factory=dict)
    after: Columns = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    flags: list[FlagCode] = field(default_factory=list)

    @classmethod
    def of(cls, ledger_id: str, subject: str, *puts: Put, **more: Any) -> "Taken":
        """Sum up what putting a row's parts did; the row is new when its first part is."""
        taken = cls(ledger_id, subject, puts[0].created, **more)
        for put in puts if not taken.created else ():
            taken.before |= put.before
            taken.after |= put.after
        return taken


class Taker:
    """Takes rows of one kind. Subclasses fill in the steps, in the order they are called here."""

    kind: Kind

    def __init__(self, taking: Taking) -> None:
        self.taking = taking
        self.work = taking.work
        self.utility = taking.utility

    async def load(self, rows: Sequence[Row]) -> None:
        """Read from the database what a batch refers to, and what is stored of it."""
        raise NotImplementedError

    def check(self, row: Row) -> None:
        """Refuse a row that refers to nothing.

        Raises:
            FieldError: names the field and the reason.
        """

    def take(self, row: Row) -> Taken:
        """Put a row on the shelves."""
        raise NotImplementedError

    def shelves(self) -> Iterable[Shelf]:
        """Return the shelves to be written, in the order their rows refer to each other."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Write what the batch put on the shelves."""
        for shelf in self.shelves():
            await shelf.flush(self.taking.import_id)

    async def finish(self) -> None:
        """Settle what can be known only when the whole file has been read."""


def present(row: Row, names: Iterable[str]) -> Columns:
    """Return the columns of the same name a row has a cell for."""
    return {name: row.values[name] for name in names if name in row.values}


def subject_of(row: Columns) -> str:
    """Return the subject of an entry about a tank, or about a facility where no tank is named."""
    tank = row["tank_id"]
    return f"tank:{tank}" if tank else f"facility:{row['facility_id']}"
