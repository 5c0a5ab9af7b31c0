"""A parameter at a point over time: results, readings, the limits that held, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

from water2.domain.access import Action
from water2.rules.limit_steps import LimitStep, limit_steps
from water2.services.paging import Page
from water2.services.trends.events import Event, events_of
from water2.services.trends.lines import lines_of
from water2.services.trends.points import read_points
from water2.services.trends.readings import Line
from water2.services.trends.spans import AskSpan, Span, read_span
from water2.work import Work


@dataclass(frozen=True)
class Series:
    """What a plot shows; `points` are a page, all else is of the whole span."""

    span: Span
    points: Page[object]
    lines: Sequence[Line]
    limits: Sequence[LimitStep]
    events: Sequence[Event]


async def read_series(
    work: Work, facility_id: str, asked: AskSpan, *, limit: int, cursor: str | None = None
) -> Series:
    """Read what was measured of a parameter at a point, with all that explains it.

    The limits are those of the disinfectant the facility uses today: of another's residual there
    are none.

    Raises:
        NotFound: no such facility or tank, or another utility's.
        Invalid: see `read_span`; or the cursor is not one of ours.
    """
    work.require(Action.read)
    span = await read_span(work, facility_id, asked)
    steps = limit_steps(
        span.book,
        span.parameter.key,
        span.first,
        span.last,
        span.facility.disinfectant.value,
    )
    return Series(
        span=span,
        points=await read_points(work, span, limit, cursor),
        lines=await lines_of(work, span),
        limits=steps,
        events=await events_of(work, span),
    )
