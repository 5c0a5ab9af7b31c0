"""Cleanings that happened, each with its own after-cleaning sample."""

from collections.abc import Iterable, Sequence
from datetime import date

from water2.domain.cleaning import Cleaning
from water2.domain.ledger import PendingEntry
from water2.domain.telling import told
from water2.domain.water import Point, Purpose, SampleVerdict
from water2.rules import signs
from water2.rules.flags import FlagCode
from water2.rules.gates import is_credited
from water2.rules.obligation import Obligation
from water2.services.importing.cleaning_records import changed_fields, record_of, spans_of
from water2.services.importing.kinds import CLEANING
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, Put, Shelf
from water2.services.importing.taking import Taken, Taking, subject_of
from water2.services.importing.visits import IMPORTED, VisitTaker

ENTERED_LONG_AFTER = "entered_long_after_days"


class CleaningTaker(VisitTaker):
    """清洗消毒记录."""

    kind = CLEANING

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.cleanings = taking.shelf(Cleaning, ("code",), "code")

    async def load(self, rows: Sequence[Row]) -> None:
        """Read places, stored cleanings, samples and the people named."""
        await super().load(rows)
        await self.cleanings.load(row.values["code"] for row in rows)
        await self.crews.load(code for row in rows for code in row.values.get("people") or ())

    def check(self, row: Row) -> None:
        """Refuse a cleaning of nothing known."""
        self.tank_of(row, required=True)

    def take(self, row: Row) -> Taken:
        """Put the cleaning, and its own sample."""
        facility, tank = self.facilities.of(row), self.tank_of(row, required=True)
        on: date = row.values["cleaned_on"]
        put = self.cleanings.put(
            {
                "code": row.values["code"],
                "facility_id": facility["id"],
                "tank_id": tank["id"] if tank else None,
                "subject_id": (tank or facility)["id"],
                "cleaned_on": on,
                "record": record_of(row, self.taking.zone),
                "sampled_on": row.values.get("sampled_on"),
                "report_number": row.values.get("report_number"),
            },
            recorded_at=self.work.now,
            import_id=self.taking.import_id,
        )
        personal = frozenset({"remarks"})
        taken = Taken.of(facility["ledger_id"], f"cleaning:{put.id}", put, personal=personal)
        taken.before, taken.after = changed_fields(taken.before, taken.after)
        if put.changed:
            self.cleanings.change(put.row, self._judged(row, tank))
            self._own_sample(put.row, row.values.get("conclusion"))
            self.reports[put.row["report_number"]].append(row.raw.line)
            self.taking.facility_ids.add(facility["id"])
            self.taking.entries.append(self._entry(facility["ledger_id"], put))
            taken.flags = put.row["flags"]
        return taken

    def _judged(self, row: Row, tank: Columns | None) -> Columns:
        """Return what follows from the record: credit, violations, flags."""
        values, today = row.values, self.taking.today
        on, sampled = values["cleaned_on"], values.get("sampled_on")
        book, people = self.taking.book, values.get("people") or ()
        obligation = book.obligation("cleaning", on) or book.obligation("cleaning", today)
        verdict = values.get("conclusion")
        credited = obligation is not None and is_credited(
            obligation, done_on=on, sampled_on=sampled, verdict=verdict
        )
        late = signs.is_late_entry(book, self.taking.midnight(on), self.work.now, today)
        flags: list[FlagCode] = list(signs.sample_order_signs(on, sampled))
        if obligation is not None:
            flags += self._signs(row, tank, obligation)
        violations = self.crews.violations(people, on)
        flags += [FlagCode.person_unfit] if violations else []
        if any(not self.crews.knows(code) for code in people):
            flags.append(FlagCode.unknown_person)
        return {
            "credited_on": sampled if credited else None,
            "late_reason": IMPORTED if late else None,
            "violations": violations,
            "flags": flags,
        }

    def _signs(self, row: Row, tank: Columns | None, obligation: Obligation) -> Iterable[FlagCode]:
        values, on = row.values, row.values["cleaned_on"]
        yield from signs.batch_signs(on, obligation, batch=values.get("batch"), expires_on=None)
        yield from signs.contact_signs(values.get("contact_minutes"), obligation)
        ledger = self.taking.book.obligation("ledger", self.taking.today)
        if values.get("entered_on") and ledger and ENTERED_LONG_AFTER in ledger.values:
            yield from signs.entry_signs(on, values["entered_on"], ledger)
        if tank is not None:
            yield from signs.flow_signs(
                spans_of(row, self.taking.zone), tank["volume_m3"], obligation
            )
            number = values.get("outage_number")
            yield from signs.outage_signs(isolable=tank["isolable"], notice_number=number)

    def _own_sample(self, cleaning: Columns, conclusion: SampleVerdict | None) -> None:
        """Tie the cleaning to its own sample: the laboratory's where known, else a mere day."""
        own = self.samples.of_cleaning(cleaning["id"])
        if cleaning["sampled_on"] is None:
            return
        if own is None:
            found = self.samples.unclaimed(cleaning)
            if found is not None:
                tie = {"cleaning_id": cleaning["id"], "purpose": Purpose.after_cleaning}
                self.samples.change(found, tie)
                return
        told = {
            "facility_id": cleaning["facility_id"],
            "tank_id": cleaning["tank_id"],
            "cleaning_id": cleaning["id"],
            "point": Point.outlet,
            "purpose": Purpose.after_cleaning,
            "sampled_on": cleaning["sampled_on"],
            "report_number": cleaning["report_number"],
            "conclusion": conclusion,
            "verdict": conclusion or SampleVerdict.pending,
        }
        if own is None:
            self.samples.add(told)
        elif own["identity"] is None:  # no laboratory row has filled it in
            self.samples.change(own, told)

    def _entry(self, ledger_id: str, put: Put) -> PendingEntry:
        row = put.row
        form = self.taking.book.forms.get("cleaning")
        staff = self.crews.ids_of(row["record"].get("people") or ())
        return PendingEntry(
            ledger_id=ledger_id,
            type="cleaning.recorded" if put.created else "cleaning.updated",
            subject=subject_of(row),
            occurred_at=self.taking.midnight(row["cleaned_on"]),
            data={
                "cleaning": row["id"],
                "code": row["code"],
                "cleaned_on": row["cleaned_on"].isoformat(),
                "record": told(row["record"], form, staff) if form else {},
                "sampled_on": row["sampled_on"].isoformat() if row["sampled_on"] else None,
                "conclusion": row["record"].get("conclusion"),
                "credited_on": row["credited_on"].isoformat() if row["credited_on"] else None,
                "late_reason": row["late_reason"],
                "violations": row["violations"],
                "flags": row["flags"],
                "import": self.taking.import_id,
            },
        )

    def shelves(self) -> Iterable[Shelf]:
        """Return cleanings, then their samples."""
        return (self.cleanings, self.samples.shelf)
