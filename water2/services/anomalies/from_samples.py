"""A result outside its limit opens an anomaly by itself (art. 16, 18.2)."""

from collections.abc import Collection, Sequence

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyCause, AnomalySource
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.water import Sample
from water2.rules.anomaly import ANOMALY
from water2.rules.limits import ItemVerdict
from water2.services.anomalies.opening import Cause, open_anomaly
from water2.services.instants import start_of_day
from water2.services.rows import among
from water2.services.rulebooks import book_of
from water2.work import Work


async def open_by_sample(
    work: Work, utility: Utility, facility: Facility, sample: Sample, items: Sequence[ItemVerdict]
) -> Anomaly | None:
    """Open an anomaly for the failed items of a sample, or link them to the open one; None: none.

    A report that credits nothing, of a laboratory without accreditation, opens one all the same.
    Where the rulebook knows no such duty none is opened.
    """
    failed = [item.parameter for item in items if item.verdict == "fail"]
    if not failed or not await knows_anomalies(work, utility):
        return None
    found_at = sample.sampled_at or start_of_day(sample.sampled_on, utility.timezone)
    causes = [
        Cause(
            AnomalySource.result,
            found_at,
            parameter=parameter,
            point=sample.point,
            tank_id=sample.tank_id,
            sample_id=sample.id,
        )
        for parameter in failed
    ]
    return await open_anomaly(work, utility, facility, causes)


async def knows_anomalies(work: Work, utility: Utility) -> bool:
    """Tell whether the utility's rulebook demands that anomalies be handled."""
    book = await book_of(work, utility)
    return book.obligation(ANOMALY, work.today(utility.timezone)) is not None


async def anomalies_of_samples(work: Work, sample_ids: Collection[str]) -> dict[str, str]:
    """Return the anomaly each of some samples told of, by the sample's id."""
    rows = await work.session.exec(
        select(AnomalyCause.sample_id, AnomalyCause.anomaly_id)
        .where(among(work, AnomalyCause.sample_id, sample_ids))
        .order_by(col(AnomalyCause.recorded_at).desc(), col(AnomalyCause.id).desc())
    )
    return {sample_id: anomaly_id for sample_id, anomaly_id in rows if sample_id is not None}
