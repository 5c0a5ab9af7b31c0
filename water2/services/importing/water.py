"""Water samples: laboratory rows, judged item by item."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import chain

from water2.domain.cleaning import Cleaning
from water2.domain.ledger import PendingEntry
from water2.domain.water import Point, Purpose, SampleVerdict
from water2.rules import signs
from water2.rules.accreditation import Accreditation, Standing
from water2.rules.flags import FlagCode
from water2.rules.gates import is_credited
from water2.rules.limits import SampleVerdict as Judgement
from water2.rules.limits import complete, judge_sample
from water2.services.accreditations import all_registered
from water2.services.importing.kinds import SAMPLE
from water2.services.importing.paired import PairedSamples
from water2.services.importing.rows import Row
from water2.services.importing.sample_signs import (
    accreditation_of,
    results_of,
    said_of,
    signs_of,
    signs_of_items,
)
from water2.services.importing.samples import (
    ResultShelf,
    identity_of,
)
from water2.services.importing.shelf import Columns, Put, Shelf
from water2.services.importing.taking import Taken, Taking, present, subject_of
from water2.services.importing.visits import IMPORTED, VisitTaker

_COLUMNS = (
    "report_number",
    "sampled_by",
    "laboratory",
    "accreditation_number",
    "accreditation_valid_to",
    "issued_on",
    "conclusion",
)


_PERSONAL = frozenset({"sampled_by"})


class SampleTaker(VisitTaker):
    """水质检测."""

    kind = SAMPLE

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.cleanings = taking.shelf(Cleaning, ("id",), "id")
        self.results = ResultShelf(taking)
        self.paired = PairedSamples(taking, self.samples, self.results)
        self.register: dict[str, list[Accreditation]] | None = None

    async def load(self, rows: Sequence[Row]) -> None:
        """Read places, samplers, stored samples with results, and the cleanings they belong to."""
        await super().load(rows)
        if self.register is None:
            self.register = await all_registered(self.work, self.utility.id)
        await self.crews.load(filter(None, (row.values.get("sampled_by") for row in rows)))
        stored = list(self.samples.shelf.all())
        await self.results.load(row["id"] for row in stored if row["identity"])
        await self.cleanings.load(row["cleaning_id"] for row in stored)

    def check(self, row: Row) -> None:
        """Refuse a sample of nothing known, or of a tank that was not in use on its day."""
        tank = self.tank_of(row, required=False)
        if tank is not None:
            self.require_in_use(tank, "sampled_at", row.values["sampled_at"][0])

    def take(self, row: Row) -> Taken:
        """Put the sample where its cleaning waits for it, or as a routine one, with its results."""
        facility = self.facilities.of(row)
        tank = self.tank_of(row, required=False)
        day, clock = row.values["sampled_at"]
        columns = present(row, _COLUMNS) | {
            "facility_id": facility["id"],
            "tank_id": tank["id"] if tank else None,
            "point": row.values["point"],
            "sampled_on": day,
            "sampled_at": clock and self._instant(day, clock),
        }
        columns["identity"] = identity_of(
            self.utility.id,
            columns.get("report_number"),
            facility["id"],
            columns["tank_id"],
            columns["point"],
            *row.values["sampled_at"],
        )
        raws = results_of(row)
        self.results.refuse_reported(self.samples.of_identity(columns["identity"]), raws)
        judged = self._judge(facility, columns, raws)
        put, fresh = self._put(columns)
        standing = self._standing(row, put.row)
        odd = self._odd(put.row, raws, standing)
        results = self.results.settle(put.id, judged.items, raws, odd)
        ledger_id, subject = facility["ledger_id"], f"sample:{put.id}"
        taken = Taken.of(ledger_id, subject, put, results, personal=_PERSONAL)
        if fresh:
            taken = Taken(ledger_id, subject, created=True)
        if fresh or put.changed or results.changed:
            self._settle(put.row, judged, raws, standing, odd)
            self.taking.facility_ids.add(facility["id"])
            self.taking.entries.append(self._entry(facility["ledger_id"], put.row, raws, fresh))
            taken.flags = put.row["flags"]
            self.reports[put.row["report_number"]].append(row.raw.line)
            self.paired.note(put.row, raws, facility["ledger_id"])
        return taken

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.taking.zone).astimezone(UTC)

    def _judge(self, facility: Columns, columns: Columns, raws: dict[str, str]) -> Judgement:
        return judge_sample(
            raws,
            columns["point"].value,
            columns["sampled_on"],
            self.taking.book,
            facility["disinfectant"].value,
        )

    def _standing(self, row: Row, sample: Columns) -> Standing:
        registered = (self.register or {}).get(sample["laboratory"], ())
        return accreditation_of(row, registered)

    def _odd(
        self, sample: Columns, raws: dict[str, str], standing: Standing
    ) -> dict[str, list[FlagCode]]:
        held, outside = self.results.stored[sample["id"]], standing.outside(raws)
        return signs_of_items(sample, raws, held, outside, self.taking)

    def _put(self, columns: Columns) -> tuple[Put, bool]:
        """Put the sample; tell whether the row is new, be it as the filling of a cleaning's own."""
        stored = self.samples.of_identity(columns["identity"])
        if stored is not None:
            return self.samples.change(stored, columns), False
        own = None
        if columns["point"] is Point.outlet:
            place = (columns["facility_id"], columns["tank_id"], columns["sampled_on"])
            own = self.samples.unfilled(place, columns.get("report_number"))
        if own is not None:
            return self.samples.change(own, columns), True
        pending = {"purpose": Purpose.routine, "verdict": SampleVerdict.pending}
        return self.samples.add(columns | pending), True

    def _settle(
        self,
        sample: Columns,
        judged: Judgement,
        raws: dict[str, str],
        standing: Standing,
        odd: Mapping[str, Sequence[FlagCode]],
    ) -> None:
        """Set what follows: verdict, flags, whether it counts, a waiting cleaning."""
        conclusion: SampleVerdict | None = sample["conclusion"]
        of_items = judged.judged and bool(judged.items)
        # Where no limits were in force, or no item is given, the laboratory's word is the verdict.
        verdict = SampleVerdict(judged.verdict) if of_items else conclusion or SampleVerdict.pending
        cleaning = self.cleanings.get(sample["cleaning_id"])
        said = {conclusion, said_of(cleaning)} - {None}
        outside = standing.outside(raws)
        found = chain(standing.flags, *odd.values(), signs_of(sample, raws, cleaning, self.taking))
        flags = list(dict.fromkeys(found))
        if sample["sampled_by"] and not self.crews.knows(sample["sampled_by"]):
            flags.append(FlagCode.unknown_person)
        if verdict is not SampleVerdict.pending and said - {verdict}:
            flags.append(FlagCode.conclusion_disagrees)
        late = signs.is_late_entry(
            self.taking.book,
            sample["sampled_at"] or self.taking.midnight(sample["sampled_on"]),
            self.work.now,
            self.taking.today,
        )
        self.samples.change(
            sample,
            {
                "verdict": verdict,
                "flags": flags,
                "counts": not standing.flags,
                "late_reason": IMPORTED if late else None,
            },
        )
        if cleaning is not None and said_of(cleaning) is None:
            helping = {key: raw for key, raw in raws.items() if key not in outside}
            self._credit(cleaning, sample, helping)

    def _credit(self, cleaning: Columns, sample: Columns, raws: dict[str, str]) -> None:
        """Credit a cleaning whose own record waited for the laboratory."""
        on, sampled, book = cleaning["cleaned_on"], sample["sampled_on"], self.taking.book
        obligation = book.obligation("cleaning", on)
        credited = (
            obligation is not None
            and sample["counts"]
            and is_credited(
                obligation,
                done_on=on,
                sampled_on=sampled,
                verdict=sample["verdict"].value,
                lacking=complete(book.item_set("after_cleaning", sampled), raws),
            )
        )
        on_record = {"credited_on": sample["sampled_on"] if credited else None}
        self.cleanings.change(cleaning, on_record)

    def _entry(
        self, ledger_id: str, sample: Columns, raws: dict[str, str], fresh: bool
    ) -> PendingEntry:
        return PendingEntry(
            ledger_id=ledger_id,
            type="sample.recorded" if fresh else "sample.updated",
            subject=subject_of(sample),
            occurred_at=sample["sampled_at"] or self.taking.midnight(sample["sampled_on"]),
            data={
                "sample": sample["id"],
                "sampled_on": sample["sampled_on"].isoformat(),
                "cleaning": sample["cleaning_id"],
                "point": sample["point"].value,
                "purpose": sample["purpose"].value,
                "report_number": sample["report_number"],
                "results": [{"parameter": key, "raw": raw} for key, raw in raws.items()],
                "conclusion": sample["conclusion"].value if sample["conclusion"] else None,
                "verdict": sample["verdict"].value,
                "counts": sample["counts"],
                "flags": sample["flags"],
                "import": self.taking.import_id,
            },
        )

    def shelves(self) -> Iterable[Shelf]:
        """Return samples, and the cleanings they credit."""
        return (self.samples.shelf, self.cleanings)

    async def finish(self) -> None:
        """Judge what rose from inlet to outlet once both are there."""
        await self.paired.settle()
        await self.flush()
        await super().finish()

    async def flush(self) -> None:
        """Write samples, then their results."""
        await super().flush()
        await self.results.flush()
