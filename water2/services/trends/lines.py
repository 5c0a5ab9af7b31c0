"""The lines of readings beside the points of samples: one source for each kind of machine."""

from collections.abc import Awaitable, Callable, Sequence

from water2.services.trends.instrument_lines import instrument_lines
from water2.services.trends.readings import Line
from water2.services.trends.spans import Span
from water2.work import Work

Source = Callable[[Work, Span], Awaitable[Sequence[Line]]]
"""Gives the lines of a span; at most `MOST_BUCKETS` buckets each: see `bucket_seconds`."""

SOURCES: tuple[Source, ...] = (instrument_lines,)


async def lines_of(work: Work, span: Span) -> list[Line]:
    """Return the lines of every source."""
    return [line for source in SOURCES for line in await source(work, span)]
