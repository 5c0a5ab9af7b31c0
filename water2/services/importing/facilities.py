"""Facilities: new ones with their ledgers, and those that rows of every later kind refer to."""

from collections.abc import Iterable, Sequence

from sqlalchemy import insert

from water2.domain.facility import Facility, SupplyMode
from water2.domain.ledger import Ledger, LedgerKind, new_ledger
from water2.rules.flags import FlagCode
from water2.rules.scope import idle_flags, judge_scope
from water2.services.importing.contacts import ContactShelf
from water2.services.importing.kinds import FACILITY, FieldError
from water2.services.importing.managers import settle_managers
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, table_of
from water2.services.importing.taking import Taken, Taker, Taking, present
from water2.services.rows import chunks

_COLUMNS = tuple(field.name for field in FACILITY.fields if field.name != "phones")


class Facilities:
    """The facilities rows refer to, by code, with new ones and their ledgers."""

    def __init__(self, taking: Taking) -> None:
        self.taking = taking
        self.shelf = taking.shelf(Facility, ("code",), "code")
        self._ledgers: list[Columns] = []

    async def load(self, rows: Sequence[Row], field: str = "facility_code") -> None:
        """Read the facilities a batch names."""
        await self.shelf.load(row.values[field] for row in rows)

    def of(self, row: Row, field: str = "facility_code") -> Columns:
        """Return the facility a row names.

        Raises:
            FieldError: there is none, or its own row was refused.
        """
        found = self.shelf.get(row.values[field])
        if found is None:
            raise FieldError(field, "unknown_facility")
        return found

    def found_ledger(self, facility: Columns) -> None:
        """Give a new facility its ledger."""
        ledger = new_ledger(self.taking.utility.id, LedgerKind.facility, facility["id"])
        facility["ledger_id"] = ledger.id
        self._ledgers.append(ledger.model_dump())

    def judge(self, facility: Columns) -> Columns:
        """Return the columns that follow from the others."""
        scope = judge_scope(
            self.taking.book,
            kind=facility["kind"].value,
            accepted_on=facility["accepted_on"],
            handed_over_on=facility["handed_over_on"],
            inside_area=facility["inside_area"],
        )
        return {"in_scope": scope.in_scope, "scope_clause": scope.clause}

    async def flush(self) -> None:
        """Write new facilities after their ledgers."""
        for chunk in chunks(self._ledgers):
            await self.taking.work.session.execute(insert(table_of(Ledger)), list(chunk))
        self._ledgers = []
        await self.shelf.flush(self.taking.import_id)


class FacilityTaker(Taker):
    """泵房台账."""

    kind = FACILITY

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.contacts = ContactShelf(taking, "facility")

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the stored facilities and their telephones."""
        await self.facilities.load(rows, "code")
        await self.contacts.load([row["id"] for row in self.facilities.shelf.all()])

    def take(self, row: Row) -> Taken:
        """Put the facility, then what follows from its columns."""
        shelf = self.facilities.shelf
        columns = present(row, _COLUMNS)
        if columns.get("supply_mode") is not None:
            columns["tankless"] = columns["supply_mode"] is SupplyMode.direct_boost
        put = shelf.put(columns, ledger_id="")
        facility = put.row
        if put.created:
            self.facilities.found_ledger(facility)
        follows = shelf.change(facility, self.facilities.judge(facility))
        phones = self.contacts.settle(row, put.id)
        if put.changed or follows.changed:
            self.taking.facility_ids.add(put.id)
        return Taken.of(
            facility["ledger_id"],
            f"facility:{put.id}",
            put,
            follows,
            phones,
            personal=self.contacts.FIELDS | {"manager_name"},
            flags=list(self._idle(facility)),
        )

    def _idle(self, facility: Columns) -> Iterable[FlagCode]:
        if not facility["in_scope"]:
            return ()
        return idle_flags(
            self.taking.book,
            accepted_on=facility["accepted_on"],
            handed_over_on=facility["handed_over_on"],
            in_service_on=facility["in_service_on"],
            today=self.taking.today,
        )

    async def flush(self) -> None:
        """Write ledgers, facilities, telephones."""
        await self.facilities.flush()
        await self.contacts.flush()

    async def finish(self) -> None:
        """Name the people who are managers."""
        await settle_managers(self.taking)
