"""第十六条: which limits of a parameter held over a span of days, edition after edition."""

from dataclasses import dataclass
from datetime import date, timedelta

from water2.rules.book import Rulebook
from water2.rules.parameters import Disinfectant, Limit


@dataclass(frozen=True)
class LimitStep:
    """A limit and the days of the span on which it held, both included."""

    first: date
    last: date
    limit: Limit


def limit_steps(
    book: Rulebook,
    parameter: str,
    first: date,
    last: date,
    disinfectant: Disinfectant = "chlorine",
) -> tuple[LimitStep, ...]:
    """Give the limits of a parameter from one day to another, in order; days without one are left.

    Of a residual only that of the disinfectant has limits.
    """
    begins = {first}
    for limit in book.limits:
        if limit.parameter.key == parameter:
            begins |= {limit.in_force_from or first}
            begins |= {limit.in_force_to + timedelta(days=1)} if limit.in_force_to else set()
    steps: list[LimitStep] = []
    days = sorted(day for day in begins if first <= day <= last)
    for day, following in zip(days, [*days[1:], last + timedelta(days=1)], strict=True):
        held = book.limits_on(day, disinfectant).get(parameter)
        until = following - timedelta(days=1)
        if steps and steps[-1].limit is held and steps[-1].last == day - timedelta(days=1):
            steps[-1] = LimitStep(steps[-1].first, until, held)
        elif held is not None:
            steps.append(LimitStep(day, until, held))
    return tuple(steps)
