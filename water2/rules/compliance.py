"""第十六条: how much of what was tested met the standard, told with what it was counted from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

TOLD_APART = frozenset({"retest"})
"""Reading: re-tests are told apart: taken because something failed, they would blur the rate."""

SETTLED = frozenset({"pass", "fail"})
"""Reading: an item pending or without a binding limit is neither passed nor failed: not judged."""


@dataclass(frozen=True)
class Rate:
    """Reading: 合格率 is the items that passed among the items judged.

    CJ/T 206-2005† counts a single item so; its weighted overall rate (综合合格率) is not made here.
    """

    passed: int
    judged: int

    @property
    def percent(self) -> str | None:
        """The rate in per cent to two digits, rounded down: 100 says that all passed."""
        if not self.judged:
            return None
        exact = Decimal(100 * self.passed) / self.judged
        return format(exact.quantize(Decimal("0.01"), ROUND_DOWN), "f")


def mean_hours(spans: Iterable[tuple[datetime, datetime]]) -> str | None:
    """Give the mean length in hours to one digit; None of none."""
    seconds = [int((end - start).total_seconds()) for start, end in spans]
    if not seconds:
        return None
    mean = Decimal(sum(seconds)) / (3600 * len(seconds))
    return format(mean.quantize(Decimal("0.1"), ROUND_HALF_UP), "f")
