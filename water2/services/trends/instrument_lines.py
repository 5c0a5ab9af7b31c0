"""The readings of online instruments, thinned out in SQL to what a plot can show."""

from collections import defaultdict
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Float, Numeric, and_, case, cast, extract, func, select
from sqlmodel import col
from sqlmodel import select as select_rows

from water2.domain.instrument import Instrument, Reading, ReadingVerdict
from water2.services.rows import on_postgresql
from water2.services.trends.readings import Bucket, Line, bucket_seconds
from water2.services.trends.spans import Span
from water2.work import Work


async def instrument_lines(work: Work, span: Span) -> list[Line]:
    """Return a line for each instrument of the parameter at the point that read anything.

    All readings are among them, those out of calibration too: what they showed is what they showed.
    """
    instruments = await _instruments(work, span)
    seconds = bucket_seconds(span)
    found: dict[str, list[Bucket]] = defaultdict(list)
    for row in await work.session.execute(_thinned(work, span, list(instruments), seconds)):
        begins = span.begins_at + timedelta(seconds=seconds * row.bucket)
        shown = (_exact(row.least), _exact(row.greatest), row.value)
        found[row.instrument_id].append(
            Bucket(begins.astimezone(UTC), row.count_, row.failed, *shown)
        )
    return [
        Line(one.id, one.code, one.tank_id, seconds, found[one.id])
        for one in instruments.values()
        if found[one.id]
    ]


async def _instruments(work: Work, span: Span) -> dict[str, Instrument]:
    statement = select_rows(Instrument).where(
        col(Instrument.facility_id) == span.facility.id,
        col(Instrument.parameter) == span.parameter.key,
        col(Instrument.point) == span.point,
    )
    if span.tank is not None:
        statement = statement.where(col(Instrument.tank_id) == span.tank.id)
    rows = await work.session.exec(statement.order_by(col(Instrument.code), Instrument.id))
    return {one.id: one for one in rows}


def _thinned(work: Work, span: Span, ids: list[str], seconds: int) -> Any:
    """Count and bound each stretch's readings, and look up the last of each by its key."""
    instrument, taken = col(Reading.instrument_id), col(Reading.taken_at)
    postgresql = on_postgresql(work)
    value = cast(Reading.value, Numeric if postgresql else Float)
    # PostgreSQL's cast would round the parts of a second, SQLite leaves them out by itself
    moment = func.date_trunc("second", taken) if postgresql else taken
    second = cast(extract("epoch", moment), BigInteger)
    bucket = (second - int(span.begins_at.timestamp())) // seconds
    grouped = (
        select(
            instrument.label("instrument_id"),
            bucket.label("bucket"),
            func.count().label("count_"),
            func.sum(case((col(Reading.verdict) == ReadingVerdict.failed, 1), else_=0)).label(
                "failed"
            ),
            func.min(value).label("least"),
            func.max(value).label("greatest"),
            func.max(taken).label("last_at"),
        )
        .where(instrument.in_(ids), taken >= span.begins_at, taken < span.ends_at)
        .group_by(instrument, bucket)
        .subquery()
    )
    last = and_(instrument == grouped.c.instrument_id, taken == grouped.c.last_at)
    return (
        select(grouped, col(Reading.value))
        .join(Reading, last)
        .order_by(grouped.c.instrument_id, grouped.c.bucket)
    )


def _exact(value: Decimal | float | None) -> str | None:
    """Return a bound as decimal text; SQLite's float gives back the 15 digits it was made from."""
    return None if value is None else format(Decimal(str(value)).normalize(), "f")
