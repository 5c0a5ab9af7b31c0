"""What was measured where an anomaly was found: by a laboratory, on site, or by an instrument."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func
from sqlalchemy import select as select_columns
from sqlmodel import col

from water2.domain.anomaly import Anomaly, AnomalyCause
from water2.domain.facility import Tank
from water2.domain.instrument import Excursion, Instrument
from water2.domain.water import SampleResult
from water2.work import Work


@dataclass(frozen=True)
class ToldCause:
    """What told of an anomaly, with what was measured and its limit, where anything was.

    Of an instrument `raw` is the worst reading of its excursion, so far, and `instrument` its code;
    `last_at` is the last of the excursion's readings, `lasting` where no other has followed it.
    """

    cause: AnomalyCause
    raw: str | None
    unit: str | None
    limit: str | None
    tank_code: str | None
    instrument: str | None
    last_at: datetime | None
    lasting: bool


async def told_causes(work: Work, anomaly: Anomaly) -> Sequence[ToldCause]:
    """Return what told of an anomaly, in the order it happened, with what was measured."""
    measured = and_(
        col(SampleResult.sample_id) == AnomalyCause.sample_id,
        col(SampleResult.parameter) == AnomalyCause.parameter,
    )
    # the excursions of an instrument have no instant in common
    read = and_(
        col(Excursion.instrument_id) == AnomalyCause.instrument_id,
        col(Excursion.began_at) <= AnomalyCause.found_at,
        col(Excursion.last_at) >= AnomalyCause.found_at,
        col(Excursion.withdrawn_at).is_(None),
    )
    rows = await work.session.execute(
        select_columns(
            AnomalyCause,
            func.coalesce(SampleResult.raw, Excursion.peak),
            func.coalesce(SampleResult.unit, Instrument.unit),
            func.coalesce(SampleResult.limit, Excursion.limit),
            col(Tank.code),
            col(Instrument.code),
            col(Excursion.last_at),
            and_(col(Excursion.id).is_not(None), col(Excursion.ended_at).is_(None)),
        )
        .outerjoin(SampleResult, measured)
        .outerjoin(Tank, col(Tank.id) == AnomalyCause.tank_id)
        .outerjoin(Instrument, col(Instrument.id) == AnomalyCause.instrument_id)
        .outerjoin(Excursion, read)
        .where(col(AnomalyCause.anomaly_id) == anomaly.id)
        .order_by(col(AnomalyCause.found_at), col(AnomalyCause.id))
    )
    return [ToldCause(*row) for row in rows]
