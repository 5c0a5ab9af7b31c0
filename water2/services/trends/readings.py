"""Lines of many readings, thinned out so that a plot can show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from water2.services.trends.spans import Span

MOST_BUCKETS = 1000
"""A year of readings each minute is half a million; a screen shows no more than this."""


@dataclass(frozen=True)
class Bucket:
    """The readings of one stretch of time: their least, greatest and last as decimal text."""

    begins_at: datetime
    count: int
    failed: int
    least: str | None
    greatest: str | None
    last: str | None


@dataclass(frozen=True)
class Line:
    """One instrument's readings over a span, in stretches of equal length."""

    instrument_id: str
    code: str
    tank_id: str | None
    bucket_seconds: int
    buckets: Sequence[Bucket]


def bucket_seconds(span: Span) -> int:
    """Return the length of a stretch: the least whole minutes that keep a line within bounds."""
    seconds = int((span.ends_at - span.begins_at).total_seconds())
    return 60 * -(-seconds // (60 * MOST_BUCKETS))
