"""The results of samples over a span, in the order of time, a page at a time."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlmodel import col

from water2.domain.water import Sample, SampleResult
from water2.services.paging import Page, read_page
from water2.services.trends.spans import Span
from water2.work import Work

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TAKEN: Any = Sample.sampled_at
_INSTANT = func.coalesce(_TAKEN, literal(_LONG_AGO, _TAKEN.type)).label("instant")
"""A sample of which only the day is known comes first on it."""


async def read_points(work: Work, span: Span, limit: int, cursor: str | None) -> Page[object]:
    """Return results with their samples' days, purposes and ids.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    statement: Any = (
        select(
            col(Sample.id).label("id"),
            col(Sample.sampled_on),
            col(Sample.sampled_at),
            _INSTANT,
            col(Sample.tank_id),
            col(Sample.purpose),
            col(Sample.counts),
            col(SampleResult.raw),
            col(SampleResult.value),
            col(SampleResult.censored),
            col(SampleResult.unit),
            col(SampleResult.limit),
            col(SampleResult.verdict),
        )
        .join(SampleResult, col(SampleResult.sample_id) == Sample.id)
        .where(
            col(Sample.facility_id) == span.facility.id,
            col(Sample.sampled_on).between(span.first, span.last),
            col(Sample.point) == span.point,
            col(SampleResult.parameter) == span.parameter.key,
        )
    )
    if span.tank is not None:
        statement = statement.where(col(Sample.tank_id) == span.tank.id)
    keys = [col(Sample.sampled_on), _INSTANT, col(Sample.id)]
    return await read_page(work, statement, keys, limit, cursor, whole_rows=True)
