"""Sums of measured/limit: what is certain of a sum whose parts are known, in part or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction

from water2.rules.parameters import Limit
from water2.rules.readings import Reading, plausible, read_result

DIGITS = 4


@dataclass(frozen=True)
class RatioSum:
    """The least and the most a sum can be; `most` None where a part may be anything.

    `beyond_least`: it is more than `least`, not that itself. `reason` says why `most` is unknown.
    """

    least: Fraction
    most: Fraction | None
    beyond_least: bool = False
    reason: str | None = None

    def exceeds(self, bound: Decimal) -> bool:
        """Whether the sum is certainly more than a bound."""
        return self.least > bound or (self.beyond_least and self.least == bound)

    def is_within(self, bound: Decimal) -> bool:
        """Whether the sum is certainly at most a bound."""
        return self.most is not None and self.most <= bound

    def reading(self, bound: Decimal) -> Reading | None:
        """Write the sum as a result: a figure, `<` the most or `>` the least it can be."""
        if self.least == self.most:
            return read_result(_figure(self.least, bound))
        if self.exceeds(bound):
            return read_result(f">{_figure(self.least, bound)}")
        return None if self.most is None else read_result(f"<{_figure(self.most, bound)}")


def sum_of_ratios(readings: Mapping[str, Reading], limits: Mapping[str, Limit]) -> RatioSum:
    """Sum up measured/limit of parts that each have a limit.

    A part below its detection limit is between nothing and that limit; one that is unreadable or
    only said to be there is at least nothing: the others alone may exceed the bound.
    """
    parts = [_ratio(reading, limits[key]) for key, reading in readings.items()]
    known = [part.most for part in parts if part.most is not None]
    return RatioSum(
        least=sum((part.least for part in parts), Fraction(0)),
        most=sum(known, Fraction(0)) if len(known) == len(parts) else None,
        beyond_least=any(part.beyond_least for part in parts),
        reason=next((part.reason for part in parts if part.reason), None),
    )


def _ratio(reading: Reading, limit: Limit) -> RatioSum:
    fault = plausible(limit.parameter, reading)
    if fault or reading.value is None or not limit.upper:
        detected = fault is None and reading.kind == "detected"
        return RatioSum(Fraction(0), None, detected, fault or "no_number")
    ratio = Fraction(reading.value) / Fraction(limit.upper)
    if reading.kind == "above":
        return RatioSum(ratio, None, not reading.inclusive, "censored")
    return RatioSum(Fraction(0) if reading.kind == "below" else ratio, ratio)


def _figure(ratio: Fraction, bound: Decimal) -> str:
    """Round for people, but never to the other side of the bound."""
    value = Decimal(ratio.numerator) / Decimal(ratio.denominator)
    rounded = round(value, DIGITS)
    if ratio > bound >= rounded:
        rounded = value.quantize(Decimal(1).scaleb(-DIGITS), ROUND_CEILING, Context(prec=40))
    return f"{rounded:f}"
