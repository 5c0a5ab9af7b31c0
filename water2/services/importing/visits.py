"""Rows that tell of a visit to a tank: what a cleaning's and a sample's have in common."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from water2.domain.facility import Tank
from water2.services.importing.crew import Crews
from water2.services.importing.facilities import Facilities
from water2.services.importing.failures import note_failures
from water2.services.importing.kinds import FieldError
from water2.services.importing.rows import Row
from water2.services.importing.samples import SampleShelf, flag_reused_reports
from water2.services.importing.shelf import Columns
from water2.services.importing.taking import Taker, Taking
from water2.services.register import out_of_use

IMPORTED = "import"
"""The reason of a late entry that came with old files."""


class VisitTaker(Taker):
    """Takes rows that name a place, people and a laboratory's report.

    `reports` are the lines of the file by the report number they name.
    """

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.tanks = taking.shelf(Tank, ("facility_id", "code"), "facility_id")
        self.samples = SampleShelf(taking)
        self.crews = Crews(taking)
        self.reports: dict[str | None, list[int]] = defaultdict(list)

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the places, and the samples stored of them."""
        await self.facilities.load(rows)
        ids = [row["id"] for row in self.facilities.shelf.all()]
        await self.tanks.load(ids)
        await self.samples.load(ids)

    def tank_of(self, row: Row, *, required: bool) -> Columns | None:
        """Return the tank a row names, None where it names none and need not.

        Raises:
            FieldError: no such facility, no such tank, a tank where there can be none, none where
                there must be one.
        """
        facility, code = self.facilities.of(row), row.values.get("tank_code")
        if code is None:
            if required and not facility["tankless"]:
                raise FieldError("tank_code", "empty")
            return None
        if facility["tankless"]:
            raise FieldError("tank_code", "facility_is_tankless")
        tank = self.tanks.get(facility["id"], code)
        if tank is None:
            raise FieldError("tank_code", "unknown_tank")
        return tank

    @staticmethod
    def require_in_use(tank: Columns, field: str, on: date) -> None:
        """Refuse what is said to have happened at a tank on a day when it was not in use.

        Raises:
            FieldError: names the field of the day.
        """
        fault = out_of_use(tank["in_use_on"], tank["out_of_use_on"], on)
        if fault is not None:
            raise FieldError(field, fault[0], **fault[1])

    async def finish(self) -> None:
        """Flag report numbers that stand for more than one visit; note the samples that failed."""
        await flag_reused_reports(self.taking, self.reports)
        await note_failures(self.taking, self.samples.touched)
