"""Where lines of many readings come from, thinned out so that a plot can show them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from water2.services.trends.spans import Span
from water2.work import Work

MOST_BUCKETS = 1000
"""A year of readings each minute is half a million; a screen shows no more than this."""


@dataclass(frozen=True)
class Bucket:
    """The readings of one stretch of time: their least, greatest and last as decimal text."""

    begins_at: datetime
    count: int
    failed: int
    least: str
    greatest: str
    last: str


@dataclass(frozen=True)
class Line:
    """One instrument's readings over a span, in stretches of equal length."""

    instrument_id: str
    code: str
    tank_id: str | None
    bucket_seconds: int
    buckets: Sequence[Bucket]


Source = Callable[[Work, Span], Awaitable[Sequence[Line]]]
"""Gives the lines of a span; at most `MOST_BUCKETS` buckets each: see `bucket_seconds`."""

SOURCES: tuple[Source, ...] = ()


def bucket_seconds(span: Span) -> int:
    """Return the length of a stretch: the least whole minutes that keep a line within bounds."""
    seconds = int((span.ends_at - span.begins_at).total_seconds())
    return 60 * -(-seconds // (60 * MOST_BUCKETS))


async def lines_of(work: Work, span: Span) -> list[Line]:
    """Return the lines of every source."""
    return [line for source in SOURCES for line in await source(work, span)]
