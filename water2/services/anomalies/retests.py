"""The re-tests of anomalies: what is demanded, and what is still outstanding."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.anomaly import UNRESOLVED, Anomaly, AnomalyCause
from water2.domain.facility import Facility, Tank
from water2.domain.instrument import Excursion, Instrument
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
    ids = await _unresolved_at(work, standing)
    demanded = await _demanded(work, standing.facility, standing.book, standing.utility, ids)
    return await _outstanding(work, standing.facility, standing.utility, demanded)


async def reading_bad_at(work: Work, standing: AnomalyStanding) -> Sequence[str]:
    """Return the codes of the instruments that read bad still, of all that keeps the supply off."""
    return await _reading_bad(work, await _unresolved_at(work, standing))


async def reading_bad_of(work: Work, standing: AnomalyStanding) -> Sequence[str]:
    """Return the codes of the instruments that told of one anomaly and read bad still."""
    return await _reading_bad(work, [standing.anomaly.id])


async def _reading_bad(work: Work, ids: Sequence[str]) -> Sequence[str]:
    """Return those of anomalies; one that fell silent showed nothing better until it is removed."""
    rows = await work.session.exec(
        select(Instrument.code)
        .join(Excursion, col(Excursion.instrument_id) == Instrument.id)
        .where(
            col(Excursion.anomaly_id).in_(ids),
            col(Excursion.ended_at).is_(None),
            col(Excursion.withdrawn_at).is_(None),
            col(Instrument.removed_on).is_(None),
        )
        .distinct()
        .order_by(Instrument.code)
    )
    return rows.all()


async def _unresolved_at(work: Work, standing: AnomalyStanding) -> Sequence[str]:
    rows = await work.session.exec(
        select(Anomaly.id).where(
            Anomaly.facility_id == standing.facility.id, col(Anomaly.state).in_(UNRESOLVED)
        )
    )
    return rows.all()


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
    failures = [_failure(cause) for cause in rows] + await _last_readings(work, ids)
    today = work.today(utility.timezone)
    gone = await _out_of_use(work, {one.tank_id for one in failures if one.tank_id}, today)
    field_set = book.item_set(UNMEASURED, today, facility.disinfectant.value)
    return retests_demanded([_to_test(one, gone) for one in failures], field_set.keys)


async def _last_readings(work: Work, ids: Sequence[str]) -> list[Failure]:
    """Return the last failing reading of each excursion that is linked to an anomaly.

    Reading: as long as an instrument reads bad the water fails, so that a re-test taken in between
    proves nothing; the excursion is one failure, which is not over before its last reading.
    """
    rows = await work.session.execute(
        select_columns(
            col(Instrument.parameter),
            col(Instrument.point),
            col(Instrument.tank_id),
            col(Excursion.last_at),
        )
        .join(Excursion, col(Excursion.instrument_id) == Instrument.id)
        .where(col(Excursion.anomaly_id).in_(ids), col(Excursion.withdrawn_at).is_(None))
    )
    return [Failure(row.parameter, row.point.value, row.tank_id, row.last_at) for row in rows]


async def _out_of_use(work: Work, tank_ids: Collection[str], today: date) -> set[str]:
    rows = await work.session.exec(
        select(Tank.id).where(col(Tank.id).in_(tank_ids), col(Tank.out_of_use_on) < today)
    )
    return set(rows)


def _failure(cause: AnomalyCause) -> Failure:
    point: Point | None = cause.point.value if cause.point else None
    return Failure(cause.parameter, point, cause.tank_id, cause.found_at)


def _to_test(failure: Failure, gone: Collection[str]) -> Failure:
    """Give a failure as it can be tested: for a tank that is out of use at the terminal alone."""
    if failure.tank_id in gone:
        return replace(failure, point=TERMINAL, tank_id=None)
    return failure


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
