"""Increments of a file's samples: inlet and outlet of one visit, in whichever order they come."""

from collections.abc import Iterable, Mapping, Sequence

from water2.domain.ledger import PendingEntry
from water2.domain.water import Point, SampleVerdict
from water2.rules.increments import PairedSample, inlet_of, judge_increments, pairs
from water2.rules.limits import ItemVerdict
from water2.services.importing.samples import ResultShelf, SampleShelf
from water2.services.importing.shelf import Columns
from water2.services.importing.taking import Taking


class PairedSamples:
    """The inlet and outlet samples a file brought or changed that may have risen in between."""

    def __init__(self, taking: Taking, samples: SampleShelf, results: ResultShelf) -> None:
        self.taking, self.samples, self.results = taking, samples, results
        self._touched: dict[str, Columns] = {}
        self._ledgers: dict[str, str] = {}

    def note(self, sample: Columns, raws: Mapping[str, str], ledger_id: str) -> None:
        """Note a sample that was put, and its facility's ledger."""
        rising = self.taking.book.increments_on(sample["sampled_on"])
        if sample["point"] is not Point.terminal and any(key in raws for key in rising):
            self._touched[sample["id"]] = sample
            self._ledgers[sample["facility_id"]] = ledger_id

    async def settle(self) -> None:
        """Judge the increments of each outlet sample concerned."""
        if not self._touched:
            return
        there = {row["facility_id"] for row in self._touched.values()}
        rows = [
            row
            for row in self.samples.shelf.all()
            if row["facility_id"] in there and row["point"] is not Point.terminal
        ]
        await self.results.load(row["id"] for row in rows)
        for facility_id in sorted(there):
            self._settle([row for row in rows if row["facility_id"] == facility_id])

    def _settle(self, rows: Iterable[Columns]) -> None:
        by_id = {row["id"]: row for row in rows}
        touched = [_paired(row) for id_, row in by_id.items() if id_ in self._touched]
        inlets = [_paired(row) for row in by_id.values() if row["point"] is Point.inlet]
        for id_, row in by_id.items():
            outlet = _paired(row)
            if row["point"] is not Point.outlet or not any(pairs(outlet, one) for one in touched):
                continue
            inlet = inlet_of(outlet, inlets)
            if inlet is not None:
                raws = self.results.given(id_), self.results.given(inlet.id)
                items = judge_increments(*raws, row["sampled_on"], self.taking.book)
                self._put(row, inlet.id, items)

    def _put(self, sample: Columns, inlet_id: str, items: Sequence[ItemVerdict]) -> None:
        if not self.results.replace_computed(sample["id"], items):
            return
        verdicts = {item.verdict for item in items}
        verdict: SampleVerdict = sample["verdict"]
        if "fail" in verdicts:
            verdict = SampleVerdict.failed
        elif "pending" in verdicts and verdict is SampleVerdict.passed:
            verdict = SampleVerdict.pending
        self.samples.change(sample, {"verdict": verdict})
        self.taking.facility_ids.add(sample["facility_id"])
        self.taking.entries.append(self._entry(sample, inlet_id))

    def _entry(self, sample: Columns, inlet_id: str) -> PendingEntry:
        return PendingEntry(
            ledger_id=self._ledgers[sample["facility_id"]],
            type="sample.judged_anew",
            subject=f"sample:{sample['id']}",
            occurred_at=self.taking.work.now,
            data={
                "inlet": inlet_id,
                "verdict": sample["verdict"].value,
                "flags": sample["flags"],
                "counts": sample["counts"],
                "import": self.taking.import_id,
            },
        )


def _paired(row: Columns) -> PairedSample:
    return PairedSample(
        row["id"], row["sampled_on"], row["sampled_at"], row["tank_id"], row["report_number"]
    )
