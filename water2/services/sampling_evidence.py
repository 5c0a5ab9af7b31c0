"""What satisfies the duties of sampling plans and cleanings: the samples on record."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlmodel import col

from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.sampling import SamplingPlan
from water2.domain.water import Sample, SampleResult
from water2.rules.book import load_book
from water2.rules.cadence import Cadence, Evidence, evidences_of
from water2.rules.flags import FlagCode
from water2.rules.obligation import Obligation
from water2.rules.sampling import serves_plan
from water2.services.rows import chunks
from water2.work import Work

_SAMPLED = and_(
    col(Sample.facility_id) == SamplingPlan.facility_id,
    col(Sample.point) == SamplingPlan.point,
    col(Sample.purpose) == SamplingPlan.purpose,
    col(Sample.counts),
    col(Sample.sampled_on) >= SamplingPlan.from_on,
    or_(col(SamplingPlan.ended_on).is_(None), col(Sample.sampled_on) <= col(SamplingPlan.ended_on)),
)
_COLUMNS: tuple[Any, ...] = (
    SamplingPlan.id,
    SamplingPlan.months,
    SamplingPlan.item_set,
    SamplingPlan.parameters,
    Facility.disinfectant,
    Utility.place,
    Sample.id.label("sample_id"),  # type: ignore[attr-defined]  # a column, of the class
    Sample.sampled_on,
    Sample.conclusion,
)


async def planned_samples(
    work: Work, _obligation: Obligation, ids: Sequence[str]
) -> dict[str, tuple[Evidence, ...]]:
    """Samples of a plan's facility, point and purpose in its time that hold all its items.

    An imported conclusion is a verdict that lacks nothing, as for a cleaning's own sample.
    """
    rows: list[Any] = []
    for chunk in chunks(ids):
        found = await work.session.execute(
            select(*_COLUMNS)
            .join(Facility, col(Facility.id) == SamplingPlan.facility_id)
            .join(Utility, col(Utility.id) == SamplingPlan.utility_id)
            .join(Sample, _SAMPLED)
            .where(col(SamplingPlan.id).in_(chunk))
        )
        rows += found.all()
    raw = await _raw_results(work, sorted({row.sample_id for row in rows}))
    done: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in rows:
        if row.conclusion is not None or _holds_all(row, raw[row.sample_id]):
            done[row.id, row.months].append((row.sample_id, row.sampled_on))
    return {
        plan: evidences_of(Cadence(months=months), acts) for (plan, months), acts in done.items()
    }


def _holds_all(row: Any, raw: dict[str, str]) -> bool:
    return serves_plan(
        load_book(row.place),
        row.sampled_on,
        row.disinfectant.value,
        raw,
        item_set=row.item_set,
        parameters=row.parameters,
    )


async def _raw_results(work: Work, sample_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for chunk in chunks(sample_ids):
        rows = await work.session.execute(
            select(
                col(SampleResult.sample_id), col(SampleResult.parameter), col(SampleResult.raw)
            ).where(col(SampleResult.sample_id).in_(chunk))
        )
        for sample_id, parameter, raw in rows:
            found[sample_id][parameter] = raw
    return found


async def own_samples(
    work: Work, obligation: Obligation, ids: Sequence[str]
) -> dict[str, tuple[Evidence, ...]]:
    """A cleaning's own samples, passed or not; none from before the tank was full again."""
    found: dict[str, list[Any]] = defaultdict(list)
    for chunk in chunks(ids):
        rows = await work.session.execute(
            select(
                col(Sample.cleaning_id), col(Sample.id), col(Sample.sampled_on), col(Sample.flags)
            ).where(col(Sample.cleaning_id).in_(chunk), col(Sample.counts))
        )
        for cleaning_id, id_, on, flags in rows:
            if FlagCode.sampled_before_cleaning_ended not in flags:
                found[str(cleaning_id)].append((id_, on))
    cadence = obligation.cadence or Cadence(once=True)
    return {cleaning: evidences_of(cadence, acts) for cleaning, acts in found.items()}
