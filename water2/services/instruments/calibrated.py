"""A certificate that comes late: what was flagged for want of it is judged anew."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import update
from sqlmodel import col, select

from water2.domain.instrument import Excursion, Instrument, InstrumentCalibration, Reading
from water2.rules.flags import FlagCode
from water2.services.instants import start_of_day
from water2.services.instruments.excursions import judge_again
from water2.services.instruments.known import meters_of
from water2.work import Work

_READING = cast("Any", Reading).__table__
_UNCALIBRATED = [FlagCode.out_of_calibration]


async def judge_by_calibration(
    work: Work, instrument: Instrument, calibration: InstrumentCalibration
) -> None:
    """Take the flag from the readings of the days it covers, and judge their excursions anew."""
    await work.session.flush()
    meter = (await meters_of(work, [instrument.id]))[instrument.id]
    timezone = meter.site.utility.timezone
    begin = start_of_day(calibration.calibrated_on, timezone)
    end = start_of_day(calibration.valid_to + timedelta(days=1), timezone)
    await work.session.execute(
        update(_READING)
        .where(
            _READING.c.instrument_id == instrument.id,
            _READING.c.taken_at >= begin,
            _READING.c.taken_at < end,
            _READING.c.flags == _UNCALIBRATED,
        )
        .values(flags=[])
    )
    rows = await work.session.exec(
        select(Excursion)
        .where(
            Excursion.instrument_id == instrument.id,
            col(Excursion.last_at) >= begin,
            col(Excursion.began_at) < end,
            col(Excursion.anomaly_id).is_(None),
            col(Excursion.withdrawn_at).is_(None),
        )
        .order_by(col(Excursion.began_at))
    )
    await judge_again(work, meter, list(rows))
