"""Samples on record, found by the row they came from or by the cleaning they belong to."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from water2.domain.ids import new_id
from water2.domain.water import Point, Purpose, Sample, SampleResult
from water2.rules.flags import FlagCode
from water2.rules.limits import ItemVerdict
from water2.services.importing.kinds import FieldError
from water2.services.importing.owned import OwnedShelf
from water2.services.importing.report import Flag
from water2.services.importing.shelf import Columns, Put
from water2.services.importing.taking import Taking
from water2.services.sample_results import detection_limit


class SampleShelf:
    """Samples of the facilities a batch is about.

    A cleaning's own sample is known from the cleaning record first, as a mere day and conclusion;
    the laboratory's row about it fills that in, and is not stored a second time.
    """

    def __init__(self, taking: Taking) -> None:
        self.taking = taking
        self.shelf = taking.shelf(Sample, ("id",), "facility_id")
        self._by_identity: dict[str, Columns] = {}
        self._by_cleaning: dict[str, Columns] = {}
        self._at_outlet: dict[tuple[str, str | None, date], list[Columns]] = defaultdict(list)
        self._known: set[str] = set()
        self.touched: set[str] = set()
        """The samples this file added or changed."""

    async def load(self, facility_ids: Iterable[str]) -> None:
        """Read the samples of facilities, once each."""
        await self.shelf.load(facility_ids)
        for row in self.shelf.all():
            self._learn(row)

    def _learn(self, row: Columns) -> None:
        if row["id"] not in self._known:
            self._known.add(row["id"])
            if row["point"] is Point.outlet:
                self._at_outlet[row["facility_id"], row["tank_id"], row["sampled_on"]].append(row)
        if row["identity"] is not None:
            self._by_identity[row["identity"]] = row
        if row["cleaning_id"] is not None:
            self._by_cleaning[row["cleaning_id"]] = row

    def add(self, columns: Columns) -> Put:
        """Add a sample."""
        common = {"recorded_at": self.taking.work.now, "import_id": self.taking.import_id}
        put = self.shelf.put({"id": new_id(), **columns}, **common)
        self._learn(put.row)
        self.touched.add(put.id)
        return put

    def change(self, row: Columns, columns: Columns) -> Put:
        """Change a sample where it differs."""
        put = self.shelf.change(row, columns)
        self._learn(row)
        self.touched.add(put.id)
        return put

    def of_identity(self, identity: str) -> Columns | None:
        """Return the sample that came from a row of this identity."""
        return self._by_identity.get(identity)

    def of_cleaning(self, cleaning_id: str) -> Columns | None:
        """Return a cleaning's own sample."""
        return self._by_cleaning.get(cleaning_id)

    def unclaimed(self, cleaning: Columns) -> Columns | None:
        """Return the laboratory's sample that a cleaning record names as its own."""
        if cleaning["report_number"] is None:
            return None
        key = (cleaning["facility_id"], cleaning["tank_id"], cleaning["sampled_on"])
        return next(
            (
                row
                for row in self._at_outlet.get(key, ())
                if row["cleaning_id"] is None and row["report_number"] == cleaning["report_number"]
            ),
            None,
        )

    def unfilled(self, place: tuple[str, str | None, date], report: str | None) -> Columns | None:
        """Return a cleaning's own sample that no laboratory row has filled in yet."""
        waiting = [
            row
            for row in self._at_outlet.get(place, ())
            if row["purpose"] is Purpose.after_cleaning
            and row["identity"] is None
            and row["lab_report_id"] is None  # a report that was entered is not overwritten
        ]
        same = [row for row in waiting if row["report_number"] == report]
        unnamed = [row for row in waiting if row["report_number"] is None]
        return next(iter(same or unnamed), None)


class ResultShelf(OwnedShelf):
    """The results of samples, item by item."""

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking, SampleResult, "sample_id")

    def mark(self, row: Columns) -> Hashable:
        """Return the item's parameter: a sample has one result for each."""
        return str(row["parameter"])

    def given(self, sample_id: str) -> dict[str, str]:
        """Return what was given of a sample; sums and rises from inlet to outlet are computed."""
        held = {str(mark): str(row["raw"]) for mark, row in self.stored[sample_id].items()}
        return self._but_sums({key: held[key] for key in held if not self._is_increment(key)})

    def _but_sums(self, raws: dict[str, str]) -> dict[str, str]:
        """Leave out a sum whose parts are all there: it is computed, whatever was reported."""
        return {key: raw for key, raw in raws.items() if not self._sums(key) <= raws.keys()}

    def _sums(self, key: str) -> set[str]:
        """Return the parts of a sum; of any other item a part that no sample has."""
        parameter = self.taking.book.parameters.get(key)
        return {*parameter.sum_of_ratios} if parameter and parameter.sum_of_ratios else {""}

    def _is_increment(self, key: str) -> bool:
        parameter = self.taking.book.parameters.get(key)
        return parameter is not None and parameter.increment_of is not None

    def replace_computed(self, sample_id: str, items: Sequence[ItemVerdict]) -> bool:
        """Make a sample's increments these; tell whether any changed."""
        stored = {k: v for k, v in self.stored[sample_id].items() if self._is_increment(str(k))}
        wanted = {
            item.parameter: self._columns(item, item.reading.raw if item.reading else "")
            for item in items
        }
        if {k: (v["raw"], v["verdict"]) for k, v in stored.items()} == {
            k: (v["raw"], v["verdict"]) for k, v in wanted.items()
        }:
            return False
        for mark in stored:
            self.remove(sample_id, mark)
        for columns in wanted.values():
            self.add(sample_id, columns)
        return True

    def refuse_reported(self, sample: Columns | None, raws: dict[str, str]) -> None:
        """Refuse a row that would write over what a laboratory reported of its sample since.

        Raises:
            FieldError: `reported_since`.
        """
        if sample is None or sample["lab_report_id"] is None:
            return
        held = {str(mark): row["raw"] for mark, row in self.stored[sample["id"]].items()}
        if any(held.get(key) != raw for key, raw in raws.items()):
            raise FieldError("report_number", "reported_since")

    def settle(
        self,
        sample_id: str,
        items: Sequence[ItemVerdict],
        raws: dict[str, str],
        flags: Mapping[str, list[FlagCode]] | None = None,
    ) -> Put:
        """Make a sample's results those of a row; `flags` are those of each item."""
        old, new = self.given(sample_id), self._but_sums(raws)
        if old == new:
            return Put({"id": sample_id}, created=False)
        for mark in list(self.stored[sample_id]):
            self.remove(sample_id, mark)
        for item in items:
            raw = new.get(item.parameter)
            if raw is None and item.reading is not None and self._sums(item.parameter) != {""}:
                raw = item.reading.raw
            if raw is not None:
                odd = {"flags": (flags or {}).get(item.parameter, [])}
                self.add(sample_id, self._columns(item, raw) | odd)
        names = [name for name in (old | new) if old.get(name) != new.get(name)]
        before = {name: old.get(name) for name in names}
        return Put({"id": sample_id}, False, before, {name: new.get(name) for name in names})

    def _columns(self, item: ItemVerdict, raw: str) -> Columns:
        reading = item.reading
        return {
            "parameter": item.parameter,
            "raw": raw,
            "value": reading.digits if reading else None,
            "censored": reading.censored if reading else None,
            "unit": self.taking.book.parameters[item.parameter].unit,
            "detection_limit": detection_limit(item),
            "method": None,
            "limit": item.shown,
            "printed_limit": None,
            "verdict": item.verdict,
            "flags": [],
            "lab_report_id": None,
        }


def identity_of(*parts: Any) -> str:
    """Return one column's worth of an identity made of several values."""
    told = json.dumps([None if part is None else str(part) for part in parts])
    return hashlib.sha256(told.encode()).hexdigest()


async def flag_reused_reports(taking: Taking, lines: Mapping[str | None, Sequence[int]]) -> None:
    """Flag samples whose report number stands for several places or days.

    One report may cover several samples of one visit: one facility on one day. `lines` are the
    file's, by report number.
    """
    shelf = taking.shelf(Sample, ("id",), "report_number")
    await shelf.load(lines)
    visits: dict[str, set[tuple[str, date]]] = defaultdict(set)
    for row in shelf.all():
        visits[row["report_number"]].add((row["facility_id"], row["sampled_on"]))
    reused = {number for number, found in visits.items() if len(found) > 1}
    for row in shelf.all():
        if row["report_number"] in reused and FlagCode.report_number_reused not in row["flags"]:
            shelf.change(row, {"flags": [*row["flags"], FlagCode.report_number_reused]})
    taking.flags += [
        Flag(line, FlagCode.report_number_reused)
        for number in sorted(reused)
        for line in lines[number]
    ]
    await shelf.flush(taking.import_id)
