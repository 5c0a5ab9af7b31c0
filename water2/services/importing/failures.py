"""Imported samples that failed: recent ones open anomalies, old ones are history."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlmodel import col

from water2.domain.anomaly import Anomaly, AnomalyCause, AnomalySource, AnomalyState
from water2.domain.facility import Facility
from water2.domain.ids import drawn_number, new_id
from water2.domain.ledger import PendingEntry
from water2.domain.water import Point, Sample, SampleResult, SampleVerdict
from water2.rules.anomaly import ANOMALY, is_history
from water2.services.anomalies.opening import PREFIX, Cause, open_anomaly
from water2.services.importing.shelf import Columns
from water2.services.importing.taking import Taking
from water2.services.rows import chunks, fetch


@dataclass(frozen=True)
class Failed:
    """A failed sample and its failed items; none where only the conclusion says so."""

    sample_id: str
    facility_id: str
    tank_id: str | None
    point: Point
    sampled_on: date
    sampled_at: datetime
    parameters: tuple[str | None, ...]

    def causes(self) -> list[Cause]:
        """Return what the sample tells of."""
        return [
            Cause(
                AnomalySource.result,
                self.sampled_at,
                parameter=parameter,
                point=self.point,
                tank_id=self.tank_id,
                sample_id=self.sample_id,
            )
            for parameter in self.parameters
        ]


async def note_failures(taking: Taking, sample_ids: Collection[str]) -> None:
    """Open anomalies for failed samples among some that were just written.

    What told of an anomaly before tells nothing new.
    """
    anomaly = taking.book.obligation(ANOMALY, taking.today)
    if anomaly is None:
        return
    failed = await _failed(taking, sample_ids)
    history: list[Failed] = []
    recent: dict[str, list[Cause]] = defaultdict(list)
    for one in failed:
        if is_history(anomaly, one.sampled_on, taking.today):
            history.append(one)
        else:
            recent[one.facility_id] += one.causes()
    await _keep_history(taking, history)
    for facility_id in sorted(recent):
        facility = await fetch(taking.work, Facility, facility_id, lock=True)
        await open_anomaly(taking.work, taking.utility, facility, recent[facility_id])


async def _failed(taking: Taking, sample_ids: Collection[str]) -> list[Failed]:
    found: dict[str, list[Any]] = defaultdict(list)
    for chunk in chunks(sorted(sample_ids)):
        rows = await taking.work.session.execute(
            select(
                col(Sample.id),
                col(Sample.facility_id),
                col(Sample.tank_id),
                col(Sample.point),
                col(Sample.sampled_on),
                col(Sample.sampled_at),
                col(SampleResult.parameter),
            )
            .outerjoin(
                SampleResult,
                and_(col(SampleResult.sample_id) == Sample.id, col(SampleResult.verdict) == "fail"),
            )
            .outerjoin(AnomalyCause, col(AnomalyCause.sample_id) == Sample.id)
            .where(
                col(Sample.id).in_(chunk),
                col(Sample.verdict) == SampleVerdict.failed,
                col(AnomalyCause.id).is_(None),
            )
            .order_by(col(Sample.sampled_on), col(Sample.id), col(SampleResult.parameter))
        )
        for row in rows:
            found[row.id].append(row)
    return [_read(taking, rows) for rows in found.values()]


def _read(taking: Taking, rows: list[Any]) -> Failed:
    first = rows[0]
    return Failed(
        first.id,
        first.facility_id,
        first.tank_id,
        first.point,
        first.sampled_on,
        first.sampled_at or taking.midnight(first.sampled_on),
        tuple(row.parameter for row in rows),
    )


async def _keep_history(taking: Taking, failed: list[Failed]) -> None:
    """Keep a historical anomaly for each sample; they go when the import is taken back."""
    anomalies = taking.shelf(Anomaly, ("id",), "id")
    causes = taking.shelf(AnomalyCause, ("id",), "id")
    ledgers = await _ledgers(taking, {one.facility_id for one in failed})
    for one in failed:
        kept = anomalies.put(_historical(taking, one)).row
        for cause in one.causes():
            told = {"recorded_at": taking.work.now, "recorded_by": taking.work.actor.user_id}
            causes.put({"id": new_id(), "anomaly_id": kept["id"], **vars(cause), **told})
        taking.entries.append(_entry(ledgers[one.facility_id], kept, one))
    await anomalies.flush(taking.import_id)
    await causes.flush(taking.import_id)


def _historical(taking: Taking, one: Failed) -> Columns:
    return {
        "id": new_id(),
        "facility_id": one.facility_id,
        "number": drawn_number(PREFIX, taking.today),
        "state": AnomalyState.historical,
        "source": AnomalySource.result,
        "found_at": one.sampled_at,
        "opened_at": taking.work.now,
    }


async def _ledgers(taking: Taking, facility_ids: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for chunk in chunks(sorted(facility_ids)):
        rows = await taking.work.session.execute(
            select(col(Facility.id), col(Facility.ledger_id)).where(col(Facility.id).in_(chunk))
        )
        found |= {row.id: row.ledger_id for row in rows}
    return found


def _entry(ledger_id: str, anomaly: Columns, one: Failed) -> PendingEntry:
    return PendingEntry(
        ledger_id=ledger_id,
        type="anomaly.found_in_files",
        subject=f"anomaly:{anomaly['id']}",
        occurred_at=one.sampled_at,
        data={
            "number": anomaly["number"],
            "sample": one.sample_id,
            "parameters": [parameter for parameter in one.parameters if parameter],
        },
    )
