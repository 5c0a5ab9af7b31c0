"""The re-tests of anomalies: what is demanded, and what is still outstanding."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.anomaly import UNRESOLVED, Anomaly, AnomalyCause
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.water import Purpose, Sample, SampleResult
from water2.rules.anomaly import (
    TERMINAL,
    Failure,
    Retest,
    RetestResult,
    retests_demanded,
    retests_outstanding,
)
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.parameters import Point
from water2.services.anomalies.standing import AnomalyStanding
from water2.services.instants import start_of_day
from water2.work import Work

UNMEASURED = "field"
"""The item set that is tested again where nobody measured what was wrong."""


async def outstanding_at(work: Work, standing: AnomalyStanding) -> tuple[Retest, ...]:
    """Return what is outstanding before supply may resume.

    Reading: water is fit again only when every anomaly of the facility that is not resolved has its
    passing re-tests: each of them stopped the same supply.
    """
    rows = await work.session.exec(
        select(Anomaly.id).where(
            Anomaly.facility_id == standing.facility.id, col(Anomaly.state).in_(UNRESOLVED)
        )
    )
    demanded = await _demanded(work, standing.facility, standing.book, standing.utility, rows.all())
    return await _outstanding(work, standing.facility, standing.utility, demanded)


async def retests_of(
    work: Work, standing: AnomalyStanding
) -> tuple[tuple[Retest, ...], tuple[Retest, ...]]:
    """Return what one anomaly demands to be tested again, and what of it is outstanding."""
    demanded = await _demanded(
        work, standing.facility, standing.book, standing.utility, [standing.anomaly.id]
    )
    return demanded, await _outstanding(work, standing.facility, standing.utility, demanded)


async def _demanded(
    work: Work, facility: Facility, book: Rulebook, utility: Utility, ids: Sequence[str]
) -> tuple[Retest, ...]:
    rows = await work.session.exec(
        select(AnomalyCause).where(col(AnomalyCause.anomaly_id).in_(ids))
    )
    causes = rows.all()
    today = work.today(utility.timezone)
    gone = await _out_of_use(work, {cause.tank_id for cause in causes if cause.tank_id}, today)
    failures = [_failure(cause, gone) for cause in causes]
    field_set = book.item_set(UNMEASURED, today, facility.disinfectant.value)
    return retests_demanded(failures, field_set.keys)


async def _out_of_use(work: Work, tank_ids: Collection[str], today: date) -> set[str]:
    rows = await work.session.exec(
        select(Tank.id).where(col(Tank.id).in_(tank_ids), col(Tank.out_of_use_on) < today)
    )
    return set(rows)


def _failure(cause: AnomalyCause, gone: Collection[str]) -> Failure:
    """Read a cause as the rules do; of a tank that is out of use the terminal alone is asked."""
    if cause.tank_id in gone:
        return Failure(cause.parameter, TERMINAL, None, cause.found_at)
    point: Point | None = cause.point.value if cause.point else None
    return Failure(cause.parameter, point, cause.tank_id, cause.found_at)


async def _outstanding(
    work: Work, facility: Facility, utility: Utility, demanded: Sequence[Retest]
) -> tuple[Retest, ...]:
    if not demanded:
        return ()
    rows = await work.session.execute(
        select_columns(
            col(SampleResult.parameter),
            col(SampleResult.verdict),
            col(SampleResult.flags),
            col(Sample.point),
            col(Sample.tank_id),
            col(Sample.sampled_at),
            col(Sample.sampled_on),
        )
        .join(Sample, col(Sample.id) == SampleResult.sample_id)
        .where(
            col(Sample.facility_id) == facility.id,
            col(Sample.purpose) == Purpose.retest,
            col(Sample.counts),
            col(SampleResult.parameter).in_({one.parameter for one in demanded}),
        )
    )
    results = [
        RetestResult(
            row.parameter,
            row.point.value,
            row.tank_id,
            row.sampled_at or start_of_day(row.sampled_on, utility.timezone),
            row.verdict == "pass" and FlagCode.item_not_accredited not in row.flags,
        )
        for row in rows
    ]
    return retests_outstanding(demanded, results)
