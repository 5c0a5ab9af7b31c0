"""The demonstration's instruments: one reads bad, one well, one stands still, one fell silent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from water2.domain.access import SYSTEM
from water2.domain.organisation import Utility
from water2.domain.water import Point
from water2.services.demo.invention import SEED
from water2.services.demo.outages import supplied
from water2.services.instruments.given import RecordReadings
from water2.services.instruments.recording import record_readings
from water2.services.instruments.register import (
    AddCalibration,
    RegisterInstrument,
    add_calibration,
    register_instrument,
)
from water2.services.instruments.signs import watch_instruments
from water2.work import Runtime, Work

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YEAR = 365 * DAY
INSTRUMENTED = 6  # facilities for outages, and the one that has instruments
_INTERVAL = 5 * MINUTE
_BAD_FOR = 30 * MINUTE
_Row = tuple[datetime, dict[str, str]]


@dataclass(frozen=True)
class _Line:
    """An instrument, and between which hundredths it reads: usually, and since it reads bad.

    `silent` is how long ago it sent its last reading.
    """

    code: str
    parameter: str
    usual: tuple[int, int]
    bad: tuple[int, int] | None = None
    calibrated: timedelta = 120 * DAY  # ago, for a year
    silent: timedelta = timedelta()


_LINES = (
    _Line("ZD-01", "turbidity", (21, 44), bad=(118, 165)),
    _Line("YL-01", "free_chlorine", (38, 62)),
    _Line("PH-01", "ph", (732, 732)),
    _Line("ZD-02", "turbidity", (18, 35), calibrated=400 * DAY, silent=9 * 60 * MINUTE),
)


async def seed_instruments(runtime: Runtime, utility: Utility) -> None:
    """Let instruments of one facility measure for a day; what one reads bad opens an anomaly."""
    random = Random(SEED)  # noqa: S311 - invents readings, protects nothing
    rows: list[_Row] = []
    async with runtime.work(SYSTEM) as work:
        now, today = work.now, work.today(utility.timezone)
        *_, facility = (await supplied(work, utility))[:INSTRUMENTED]
        for line in _LINES:
            id_ = await _register(work, facility.id, line, today)
            rows += _read(random, line, id_, now)
    sent = now - DAY
    for at in (now - 15 * MINUTE, now - 10 * MINUTE, now):
        await _send(runtime, at, [row for taken_at, row in rows if sent < taken_at <= at])
        sent = at
    await watch_instruments(runtime)


async def _register(work: Work, facility_id: str, line: _Line, today: date) -> str:
    instrument = await register_instrument(
        work,
        RegisterInstrument(
            facility_id=facility_id,
            code=line.code,
            parameter=line.parameter,
            point=Point.outlet,
            interval_seconds=int(_INTERVAL.total_seconds()),
            installed_on=today - 2 * YEAR,
        ),
    )
    await work.session.flush()
    calibrated_on = today - line.calibrated
    certificate = AddCalibration(
        calibrated_on=calibrated_on,
        valid_to=calibrated_on + YEAR,
        certificate_number=f"演示检字-{line.code}",
        calibrated_by="计量检定所（演示）",
    )
    await add_calibration(work, instrument.id, certificate)
    return instrument.id


def _read(random: Random, line: _Line, id_: str, now: datetime) -> Iterator[_Row]:
    """Yield a day's readings, the last of them at now."""
    for n in reversed(range(DAY // _INTERVAL)):
        ago = n * _INTERVAL
        if ago >= line.silent:
            low, high = line.bad if line.bad and ago <= _BAD_FOR else line.usual
            raw = f"{random.randint(low, high) / 100:.2f}"
            taken_at = now - ago
            yield taken_at, {"instrument": id_, "taken_at": taken_at.isoformat(), "raw": raw}


async def _send(runtime: Runtime, at: datetime, rows: Sequence[dict[str, str]]) -> None:
    """Send readings at an instant of the demonstration's past."""
    async with replace(runtime, clock=lambda: at).work(SYSTEM) as work:
        done = await record_readings(work, RecordReadings(readings=list(rows)))
    if done.refused:
        raise ValueError(f"{done.refused[:3]}")  # the invention is at fault
