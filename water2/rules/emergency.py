"""第十八条 应急预案: by when a plan is reviewed, and which days of plans and drills can be true."""

from collections.abc import Iterable
from datetime import date

from water2.rules.cadence import Evidence, next_due
from water2.rules.obligation import Obligation

PLAN = "emergency.plan"
DRILL = "emergency.plan.drill"


def review_due(issued_on: date, review_on: date | None, obligation: Obligation) -> date | None:
    """Give the day by which a version is reviewed; None where the rulebook sets no interval.

    Reading: the earlier of the version's own day and the interval of the rulebook; a version says
    less often than that in vain, as a certificate does that is printed to last too long.
    """
    latest = next_due(obligation.cadence, issued_on) if obligation.cadence else None
    days = [day for day in (review_on, latest) if day is not None]
    return min(days, default=None)


def plan_evidences(
    versions: Iterable[tuple[str, date, date | None]], obligation: Obligation
) -> tuple[Evidence, ...]:
    """Make evidence of (id, issued on, own review day) versions, in order of day and id."""
    ordered = sorted(versions, key=lambda version: (version[1], version[0]))
    return tuple(
        Evidence(id_, issued_on, review_due(issued_on, review_on, obligation))
        for id_, issued_on, review_on in ordered
    )
