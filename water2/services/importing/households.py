"""Households with their holders and contacts."""

from collections.abc import Iterable, Sequence

from water2.domain.facility import Building
from water2.domain.household import Household
from water2.services.importing.contacts import ContactShelf
from water2.services.importing.facilities import Facilities
from water2.services.importing.kinds import HOUSEHOLD, FieldError
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, Put, Shelf
from water2.services.importing.taking import Taken, Taker, Taking, present


class HouseholdTaker(Taker):
    """用户."""

    kind = HOUSEHOLD

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.buildings = taking.shelf(Building, ("facility_id", "code"), "facility_id")
        self.households = taking.shelf(Household, ("code",), "code")
        self.contacts = ContactShelf(taking, "household")

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the places named, the stored households and their contacts."""
        await self.facilities.load(rows)
        await self.buildings.load(row["id"] for row in self.facilities.shelf.all())
        codes = [row.values["code"] for row in rows]
        await self.households.load(codes)
        stored = (self.households.get(code) for code in codes)
        await self.contacts.load([household["id"] for household in stored if household])

    def check(self, row: Row) -> None:
        """Refuse a household of no facility or no building."""
        self._building(row)

    def _building(self, row: Row) -> Columns:
        facility = self.facilities.of(row)
        building = self.buildings.get(facility["id"], row.values["building_code"])
        if building is None:
            raise FieldError("building_code", "unknown_building")
        return building

    def take(self, row: Row) -> Taken:
        """Put the household, its holder's name sealed, and its contacts."""
        building = self._building(row)
        columns = present(row, ("code", "unit", "room"))
        columns |= {"facility_id": building["facility_id"], "building_id": building["id"]}
        if "needs_care" in row.values:
            columns["needs_care"] = bool(row.values["needs_care"])
        put = self.households.put(columns)
        return Taken.of(
            self.facilities.of(row)["ledger_id"],
            f"household:{put.id}",
            put,
            self._holder(row, put.row),
            self.contacts.settle(row, put.id),
            personal=self.contacts.FIELDS | {"holder", "room", "unit"},
        )

    def _holder(self, row: Row, household: Columns) -> Put:
        """Seal the holder's name where it differs; equal names never seal to equal bytes."""
        box, sealed = self.work.contacts, household["holder_sealed"]
        old = None if sealed is None else box.open(sealed)
        new = row.values.get("holder", old)
        if new == old:
            return Put(household, created=False)
        self.households.change(household, {"holder_sealed": None if new is None else box.seal(new)})
        return Put(household, created=False, before={"holder": old}, after={"holder": new})

    def shelves(self) -> Iterable[Shelf]:
        """Return the households."""
        return (self.households,)

    async def flush(self) -> None:
        """Write households, then their contacts."""
        await super().flush()
        await self.contacts.flush()
