"""第十六条: what an online instrument shows, judged as the standard judges a laboratory's result.

Readings come by the million and nearly all are plain decimals, so a gauge is set once for an
instrument's limit and asked for each reading of a batch; whatever is no plain decimal goes the long
way.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from water2.rules.limits import Outcome, judge_item
from water2.rules.parameters import Limit, Parameter, Point
from water2.rules.readings import Reading, fold, plausible, read_result

MOST_REMEMBERED = 10_000  # a gauge may be asked all day
_PLAIN = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_NOTATIONS = {"": "", "ph": "", "phunits": "", "ph单位": "", "无量纲": "", "度": "度", "cu": "度"}


class Judged(NamedTuple):
    """A reading as it was read and judged; `fault` is set where it cannot be taken."""

    value: str | None
    censored: Literal["<", ">"] | None
    verdict: Outcome
    fault: str | None = None


@dataclass(frozen=True)
class Gauge:
    """A parameter at a point, and the limit in force there; without one nothing is judged."""

    parameter: Parameter
    point: Point
    limit: Limit | None
    shown: str | None
    lower: Decimal | None
    upper: Decimal | None
    _judged: dict[str, Judged] = field(default_factory=dict, repr=False, compare=False)

    def judge(self, raw: str) -> Judged:
        """Judge a reading as `judge_item` would; what was judged before is not judged again."""
        judged = self._judged.get(raw)
        if judged is None:
            if len(self._judged) == MOST_REMEMBERED:
                self._judged.clear()
            judged = self._judged[raw] = self._judge(raw)
        return judged

    def _judge(self, raw: str) -> Judged:
        if _PLAIN.fullmatch(raw) is None:
            return self._judge_words(raw)
        number = Decimal(raw)
        highest = self.parameter.possible_max
        if highest is not None and number > highest:  # no plain decimal is negative
            return Judged(None, None, "pending", "impossible")
        return Judged(_bare(raw), None, self._outcome(number))

    def _outcome(self, number: Decimal) -> Outcome:
        if self.limit is None or self.limit.reference:
            return "not_judged"
        if self.upper is not None and number > self.upper:
            return "fail"
        return "fail" if self.lower is not None and number < self.lower else "pass"

    def _judge_words(self, raw: str) -> Judged:
        reading = read_result(raw)
        if reading.kind == "empty":
            return Judged(None, None, "pending", "missing")
        fault = plausible(self.parameter, reading)
        if fault is not None:
            return Judged(None, None, "pending", fault)
        verdict: Outcome = "not_judged"
        if self.limit is not None:
            verdict = judge_item(reading, self.limit, self.point).verdict
        return Judged(_digits(reading), reading.censored, verdict)


def _digits(reading: Reading) -> str | None:
    return None if reading.digits is None else _bare(reading.digits)


def _bare(digits: str) -> str:
    """Drop idle zeros, so that equal values are equal as text."""
    whole, point, rest = digits.partition(".")
    kept = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (point + kept if kept else "")


def gauge(parameter: Parameter, limit: Limit | None, point: Point) -> Gauge:
    """Set a gauge by the limit in force on a day; None where there is none."""
    if limit is None:
        return Gauge(parameter, point, None, None, None, None)
    upper = Decimal(0) if parameter.kind == "absent" else limit.upper
    return Gauge(parameter, point, limit, limit.shown_at(point), limit.lower_at(point), upper)


def unit_fits(wanted: str | None, given: str | None) -> bool:
    """Tell whether a unit is the one wanted, however it is written; nothing is converted.

    Reading: pH has no unit, and `pH` or nothing says so.
    """
    return _unit(wanted) == _unit(given)


def _unit(text: str | None) -> str:
    folded = fold(text or "").lower()
    return _NOTATIONS.get(folded, folded)


def measurable(parameter: Parameter) -> bool:
    """Tell whether an instrument can show it: a number that is measured, not computed."""
    return parameter.kind == "number" and not parameter.sum_of_ratios
