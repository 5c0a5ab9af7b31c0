"""Inlet and outlet samples of one visit, in whichever order they arrive."""

from collections.abc import Collection, Mapping

from sqlalchemy import or_
from sqlmodel import col, select

from water2.domain.water import Point, Sample, SampleResult
from water2.rules.book import Rulebook
from water2.rules.increments import PairedSample, inlet_of, judge_increments
from water2.rules.limits import ItemVerdict
from water2.work import Work


async def increments_of(
    work: Work, book: Rulebook, sample: Sample, raw: Mapping[str, str]
) -> tuple[ItemVerdict, ...]:
    """Return the increments of an outlet sample against its inlet; none where it has no pair."""
    if sample.point is not Point.outlet or not _may_rise(book, sample, raw):
        return ()
    inlets = {one.id: one for one in await _of_the_visit(work, sample, Point.inlet)}
    chosen = inlet_of(_paired(sample), [_paired(one) for one in inlets.values()])
    if chosen is None:
        return ()
    rows = await work.session.exec(
        select(SampleResult.parameter, SampleResult.raw).where(SampleResult.sample_id == chosen.id)
    )
    return judge_increments(raw, dict(rows.all()), sample.sampled_on, book)


async def outlets_of(
    work: Work, book: Rulebook, sample: Sample, raw: Collection[str]
) -> list[Sample]:
    """Return the outlet samples whose increments stand on an inlet sample; none of another."""
    if sample.point is not Point.inlet or not _may_rise(book, sample, raw):
        return []
    return await _of_the_visit(work, sample, Point.outlet)


def _may_rise(book: Rulebook, sample: Sample, raw: Collection[str]) -> bool:
    return any(key in raw for key in book.increments_on(sample.sampled_on))


async def _of_the_visit(work: Work, sample: Sample, point: Point) -> list[Sample]:
    same = [col(Sample.sampled_on) == sample.sampled_on]
    if sample.report_number is not None:
        same.append(col(Sample.report_number) == sample.report_number)
    rows = await work.session.exec(
        select(Sample)
        .where(Sample.facility_id == sample.facility_id, Sample.point == point, or_(*same))
        .order_by(Sample.id)
    )
    return list(rows)


def _paired(sample: Sample) -> PairedSample:
    return PairedSample(
        sample.id, sample.sampled_on, sample.sampled_at, sample.tank_id, sample.report_number
    )
