"""Tanks and buildings of facilities."""

from collections.abc import Iterable, Sequence

from water2.domain.facility import Building, Tank, Zone
from water2.services.importing.facilities import Facilities
from water2.services.importing.kinds import BUILDING, TANK, FieldError
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Shelf
from water2.services.importing.taking import Taken, Taker, Taking, present


class TankTaker(Taker):
    """水箱台账."""

    kind = TANK

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.tanks = taking.shelf(Tank, ("facility_id", "code"), "facility_id")

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the facilities named and all their tanks."""
        await self.facilities.load(rows)
        await self.tanks.load(row["id"] for row in self.facilities.shelf.all())

    def check(self, row: Row) -> None:
        """Refuse a tank of no facility, or of one whose supply mode has none."""
        if self.facilities.of(row)["tankless"]:
            raise FieldError("facility_code", "facility_is_tankless")

    def take(self, row: Row) -> Taken:
        """Put the tank."""
        facility = self.facilities.of(row)
        columns = present(row, ("code", "material", "volume_m3", "in_use_on"))
        if row.values.get("isolable") is not None:
            columns["isolable"] = row.values["isolable"]
        put = self.tanks.put({**columns, "facility_id": facility["id"]})
        if put.changed:
            self.taking.facility_ids.add(facility["id"])
        return Taken.of(facility["ledger_id"], f"tank:{put.id}", put)

    def shelves(self) -> Iterable[Shelf]:
        """Return the tanks."""
        return (self.tanks,)


class BuildingTaker(Taker):
    """楼栋, with the zones that serve it."""

    kind = BUILDING

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.buildings = taking.shelf(Building, ("facility_id", "code"), "facility_id")
        self.zones = taking.shelf(Zone, ("facility_id", "name"), "facility_id")

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the facilities named, their buildings and zones."""
        await self.facilities.load(rows)
        ids = [row["id"] for row in self.facilities.shelf.all()]
        await self.buildings.load(ids)
        await self.zones.load(ids)

    def check(self, row: Row) -> None:
        """Refuse a building of no facility."""
        self.facilities.of(row)

    def take(self, row: Row) -> Taken:
        """Put the building and the zones that are new."""
        facility = self.facilities.of(row)
        columns = present(row, ("code", "units", "floors"))
        if "zones" in row.values:
            columns["zones"] = list(row.values["zones"] or ())
        put = self.buildings.put({**columns, "facility_id": facility["id"]})
        for name in columns.get("zones", ()):
            self.zones.put({"facility_id": facility["id"], "name": name})
        return Taken.of(facility["ledger_id"], f"building:{put.id}", put)

    def shelves(self) -> Iterable[Shelf]:
        """Return zones and buildings."""
        return (self.zones, self.buildings)
