"""Instruments and what they show, for tests."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.instrument import Excursion, Instrument, Reading
from water2.services.instruments.given import RecordReadings
from water2.services.instruments.recording import Recorded, record_readings
from water2.services.instruments.register import (
    AddCalibration,
    RegisterInstrument,
    add_calibration,
    register_instrument,
)

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Lishui
MINUTE = timedelta(minutes=1)
CALIBRATED = AddCalibration(
    calibrated_on=date(2026, 6, 1), valid_to=date(2027, 5, 31), certificate_number="JD-2026-01"
)


async def an_instrument(
    lishui, facility: Facility, code: str = "ZD-1", *, calibrated: bool = True, **changes: Any
) -> Instrument:
    """A turbidity meter at the outlet, read every minute since 2026-01-01."""
    given = {
        "facility_id": facility.id,
        "code": code,
        "parameter": "turbidity",
        "point": "outlet",
        "interval_seconds": 60,
        "installed_on": date(2026, 1, 1),
    }
    async with lishui.runtime.work(lishui.manager) as work:
        instrument = await register_instrument(
            work, RegisterInstrument.model_validate(given | changes)
        )
        if calibrated:
            await work.session.flush()
            await add_calibration(work, instrument.id, CALIBRATED)
    return instrument


def rows(instrument: Instrument, begin: datetime, values: list[Any], step=MINUTE) -> list[Any]:
    """Readings of one instrument, one a step; None leaves one out."""
    return [
        {"instrument": instrument.id, "taken_at": (begin + n * step).isoformat(), "raw": value}
        for n, value in enumerate(values)
        if value is not None
    ]


async def sent(lishui, readings: list[Any], actor=None) -> Recorded:
    async with lishui.runtime.work(actor or lishui.crew) as work:
        return await record_readings(work, RecordReadings(readings=readings))


@dataclass(frozen=True)
class Seen:
    """An excursion without what differs from one database to the next."""

    began_at: datetime
    last_at: datetime
    ended_at: datetime | None
    peak: str | None
    anomalous: bool
    flags: tuple[str, ...] = ()


async def excursions_of(lishui, instrument: Instrument) -> list[Excursion]:
    async with lishui.runtime.read() as work:
        found = await work.session.exec(
            select(Excursion)
            .where(Excursion.instrument_id == instrument.id, col(Excursion.withdrawn_at).is_(None))
            .order_by(col(Excursion.began_at))
        )
        return list(found)


async def seen(lishui, instrument: Instrument) -> list[Seen]:
    return [
        Seen(
            one.began_at,
            one.last_at,
            one.ended_at,
            one.peak,
            one.anomaly_id is not None,
            tuple(one.flags),
        )
        for one in await excursions_of(lishui, instrument)
    ]


async def readings_of(lishui, instrument: Instrument) -> list[Reading]:
    async with lishui.runtime.read() as work:
        found = await work.session.exec(
            select(Reading)
            .where(Reading.instrument_id == instrument.id)
            .order_by(col(Reading.taken_at))
        )
        return list(found)
