"""What told of an anomaly, and what was done about it: rows in their order."""

from collections.abc import Sequence

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyAct, AnomalyCause
from water2.work import Work


async def causes_of(work: Work, anomaly: Anomaly) -> Sequence[AnomalyCause]:
    """Return what told of an anomaly, in the order it happened."""
    rows = await work.session.exec(
        select(AnomalyCause)
        .where(AnomalyCause.anomaly_id == anomaly.id)
        .order_by(col(AnomalyCause.found_at), AnomalyCause.id)
    )
    return rows.all()


async def acts_of(work: Work, anomaly: Anomaly) -> Sequence[AnomalyAct]:
    """Return what was done about an anomaly, in its order."""
    rows = await work.session.exec(
        select(AnomalyAct)
        .where(AnomalyAct.anomaly_id == anomaly.id)
        .order_by(col(AnomalyAct.ordinal))
    )
    return rows.all()
