"""Yearly inspections of rooftop tanks: each row tells of a building, a tank and a report."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from water2.domain.cleaning import Inspection
from water2.domain.facility import Tank
from water2.domain.ledger import PendingEntry
from water2.domain.telling import measured
from water2.domain.water import Point, Purpose, SampleVerdict
from water2.rules.flags import FlagCode
from water2.rules.limits import judge_sample
from water2.rules.scope import first_day_in_use
from water2.rules.signs import TOO_EARLY
from water2.services.importing.cleaning_records import changed_fields
from water2.services.importing.facilities import Facilities
from water2.services.importing.fields import RECORD
from water2.services.importing.kinds import INSPECTION
from water2.services.importing.rows import Row
from water2.services.importing.sample_signs import results_of, signs_of_items
from water2.services.importing.samples import ResultShelf, SampleShelf, identity_of
from water2.services.importing.shelf import Columns, Put, Shelf
from water2.services.importing.taking import Taken, Taker, Taking


class InspectionTaker(Taker):
    """One tank in one report; buildings and tanks are known by their reports alone."""

    kind = INSPECTION

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.facilities = Facilities(taking)
        self.tanks = taking.shelf(Tank, ("facility_id", "code"), "facility_id")
        self.inspections = taking.shelf(Inspection, ("code",), "code")
        self.samples = SampleShelf(taking)
        self.results = ResultShelf(taking)

    async def load(self, rows: Sequence[Row]) -> None:
        """Read stored buildings, tanks, reports and samples."""
        await self.facilities.load(rows)
        ids = [row["id"] for row in self.facilities.shelf.all()]
        await self.tanks.load(ids)
        await self.samples.load(ids)
        await self.inspections.load(_code(row) for row in rows)
        stored = self.samples.shelf.all()
        await self.results.load(row["id"] for row in stored if row["identity"])

    def take(self, row: Row) -> Taken:
        """Put building and tank where they are new, the inspection, and its sample."""
        facility = self._facility(row)
        tank = self._tank(row, facility)
        inspected_on = _inspected_on(row)
        put = self.inspections.put(
            {
                "code": _code(row),
                "facility_id": facility["id"],
                "tank_id": tank["id"],
                "inspected_on": inspected_on,
                "record": _record(row),
                "flags": list(_flags(row)),
            },
            recorded_at=self.work.now,
            import_id=self.taking.import_id,
        )
        results = self._sample(row, facility, tank, inspected_on)
        taken = Taken.of(facility["ledger_id"], f"inspection:{put.id}", put, results)
        taken.before, taken.after = changed_fields(taken.before, taken.after)
        if put.changed or results.changed:
            self.taking.facility_ids.add(facility["id"])
            self.taking.entries.append(self._entry(facility["ledger_id"], put))
            taken.flags = put.row["flags"]
        return taken

    def _facility(self, row: Row) -> Columns:
        """Return the building, founded by its first row; addresses vary by who typed them."""
        values, shelf = row.values, self.facilities.shelf
        facility = shelf.get(values["facility_code"])
        if facility is None:
            columns = {
                "code": values["facility_code"],
                "name": values.get("address") or values["facility_code"],
                "kind": values["facility_kind"],
                "address": values.get("address"),
                "district": values.get("district"),
            }
            facility = shelf.put(columns, ledger_id="").row
            self.facilities.found_ledger(facility)
            shelf.change(facility, self.facilities.judge(facility))
        self._use_from(shelf, facility, "in_service_on", row)
        return facility

    def _tank(self, row: Row, facility: Columns) -> Columns:
        key = {"facility_id": facility["id"], "code": row.values["tank_code"]}
        tank = self.tanks.get(*key.values()) or self.tanks.put(key).row
        self._use_from(self.tanks, tank, "in_use_on", row)
        return tank

    def _use_from(self, shelf: Shelf, thing: Columns, column: str, row: Row) -> None:
        """Move a first day in use ahead to the first year seen; years come in any order."""
        known: date | None = thing[column]
        first = first_day_in_use(self.taking.book, None, _first_seen(row))
        if first is not None and (known is None or first < known):
            shelf.change(thing, {column: first})
            if known is not None:
                self.taking.facility_ids.add(thing.get("facility_id") or thing["id"])

    def _sample(self, row: Row, facility: Columns, tank: Columns, inspected_on: date | None) -> Put:
        """Put the sample taken at the inspection; without a day there is none to judge."""
        raws = results_of(row)
        identity = identity_of(self.utility.id, "inspection", _code(row))
        stored = self.samples.of_identity(identity)
        if stored is None and (inspected_on is None or not raws):
            return Put({}, created=False)
        on: date = inspected_on or (stored or {})["sampled_on"]
        judged = judge_sample(raws, Point.outlet.value, on, self.taking.book)
        columns = {
            "facility_id": facility["id"],
            "tank_id": tank["id"],
            "point": Point.outlet,
            "purpose": Purpose.routine,
            "sampled_on": on,
            "report_number": row.values["report_number"],
            "laboratory": row.values.get("laboratory"),
            "verdict": SampleVerdict(judged.verdict),
            "identity": identity,
        }
        held = self.results.stored[stored["id"]] if stored else {}
        odd = signs_of_items({"sampled_at": None} | columns, raws, held, (), self.taking)
        flags = [flag for flag in (stored or {}).get("flags", ()) if flag not in TOO_EARLY]
        columns["flags"] = flags + sorted({flag for of_item in odd.values() for flag in of_item})
        put = self.samples.add(columns) if stored is None else self.samples.change(stored, columns)
        results = self.results.settle(put.id, judged.items, raws, odd)
        return Put(put.row, False, put.before | results.before, put.after | results.after)

    def _entry(self, ledger_id: str, put: Put) -> PendingEntry:
        row, on = put.row, put.row["inspected_on"]
        return PendingEntry(
            ledger_id=ledger_id,
            type="inspection.recorded" if put.created else "inspection.updated",
            subject=f"tank:{row['tank_id']}",
            occurred_at=self.taking.midnight(on) if on else self.work.now,
            data={
                "code": row["code"],
                "inspection": row["id"],
                "inspected_on": on.isoformat() if on else None,
                "record": measured(row["record"]),
                "flags": row["flags"],
                "import": self.taking.import_id,
            },
        )

    def shelves(self) -> Iterable[Shelf]:
        """Return tanks, inspections and samples."""
        return (self.tanks, self.inspections, self.samples.shelf)

    async def flush(self) -> None:
        """Write buildings first, results last."""
        await self.facilities.flush()
        await super().flush()
        await self.results.flush()


def _code(row: Row) -> str:
    return f"{row.values['report_number']}/{row.values['tank_code']}"


def _inspected_on(row: Row) -> date | None:
    """Return the day of an inspection that was performed; an empty answer with a day means yes."""
    performed, on = row.values.get("performed"), row.values.get("inspected_on")
    return None if performed is False else on


def _first_seen(row: Row) -> date:
    """Return a day of the first year a row tells of: its reporting year, or the one before.

    A day further back is a slip of the pen, and makes no tank older.
    """
    year, on = row.values.get("year"), _inspected_on(row)
    if year is None:
        return row.values["inspected_on"]  # type: ignore[no-any-return]  # one of them is there
    back = on is not None and on.year == year - 1
    return date(year - 1 if back else year, 1, 1)


def _record(row: Row) -> dict[str, Any]:
    values = row.values
    told = {
        name.removeprefix(RECORD): value
        for name, value in values.items()
        if name.startswith(RECORD) and value is not None
    }
    return told | {
        "reporting_year": values.get("year"),
        "performed": values.get("performed"),
        "inspected_by": values.get("inspected_by"),
    }


def _flags(row: Row) -> Iterable[FlagCode]:
    year, on = row.values.get("year"), row.values.get("inspected_on")
    if row.values.get("performed") and on is None:
        yield FlagCode.inspection_undated
    if on is not None and year is not None and on.year != year:
        yield FlagCode.inspected_in_another_year
