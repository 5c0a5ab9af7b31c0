"""第十六条: whether water meets the standard in force on the day it was taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from water2.rules.book import Rulebook
from water2.rules.parameter_names import parameter_key
from water2.rules.parameters import Disinfectant, ItemSet, Limit, Parameter, Point
from water2.rules.readings import Reading, fold, plausible, read_result
from water2.rules.sums import sum_of_ratios

__all__ = [
    "ItemVerdict",
    "Limit",
    "Reading",
    "SampleVerdict",
    "add_up",
    "complete",
    "judge_item",
    "judge_sample",
    "parameter_key",
    "plausible",
    "read_result",
]

UNUSABLE = frozenset({"empty", "unreadable"})
Outcome = Literal["pass", "fail", "pending", "not_judged"]


@dataclass(frozen=True)
class ItemVerdict:
    """The verdict on one item and the limit it was judged by at that point.

    `shown` is the limit in figures (`≤ 1`, `6.5–8.5`), the code `absent`, or the standard's words.
    `reason` says why an item is pending (censored, empty, unreadable, impossible, no_number) or not
    judged (no_limit, reference_pass, reference_fail, reference_pending).
    """

    parameter: str
    verdict: Outcome
    reason: str | None = None
    limit: Limit | None = None
    shown: str | None = None
    reading: Reading | None = None


@dataclass(frozen=True)
class SampleVerdict:
    """What the items given add up to; `judged` is False where no limit was in force."""

    verdict: Literal["pass", "fail", "pending"]
    judged: bool
    items: tuple[ItemVerdict, ...]


def judge_item(reading: Reading, limit: Limit, point: Point) -> ItemVerdict:
    """Judge one reading by what is certain; both bounds of a limit are within it.

    `<0.05` fails against ≥ 0.05, `<0.1` against it is pending, `<5` passes ≤ 15. Not detected
    counts as zero. A reference value binds nobody: such an item is not judged.
    """
    parameter = limit.parameter
    verdict, reason = _outcome(reading, limit, point)
    if limit.reference:
        verdict, reason = "not_judged", f"reference_{verdict}"
    return ItemVerdict(parameter.key, verdict, reason, limit, limit.shown_at(point), reading)


def _outcome(reading: Reading, limit: Limit, point: Point) -> tuple[Outcome, str | None]:
    if reading.kind == "empty":
        return "pending", "empty"
    fault = plausible(limit.parameter, reading)
    if fault is not None:
        return "pending", fault
    match limit.parameter.kind:
        case "text":
            return _judge_text(reading, limit), None
        case "absent":
            return _settle([_absent(reading)])
        case "number":
            return _judge_number(reading, limit, point)


def _judge_text(reading: Reading, limit: Limit) -> Outcome:
    none = reading.kind == "not_detected" or (reading.kind == "number" and reading.value == 0)
    accepted = none or _letters(reading.raw) in {_letters(word) for word in limit.accepts}
    return "pass" if accepted else "fail"


def _letters(text: str) -> str:
    return "".join(char for char in fold(text).lower() if char.isalnum())


def _absent(reading: Reading) -> bool | None:
    """Counts are whole numbers: less than one is none; less than two may be one."""
    if reading.kind == "below" and reading.value == 1 and not reading.inclusive:
        return True
    return _at_most(reading, Decimal(0))


def _judge_number(reading: Reading, limit: Limit, point: Point) -> tuple[Outcome, str | None]:
    if reading.kind == "detected":
        return "pending", "no_number"
    lower = limit.lower_at(point)
    within = []
    if limit.upper is not None:
        within.append(_at_most(reading, limit.upper))
    if lower is not None:
        within.append(_at_least(reading, lower))
    return _settle(within)


def _settle(within: Iterable[bool | None]) -> tuple[Outcome, str | None]:
    answers = list(within)
    if False in answers:
        return "fail", None
    return ("pending", "censored") if None in answers else ("pass", None)


def _at_most(reading: Reading, bound: Decimal) -> bool | None:
    """Whether the true value is certainly at most a bound; None where that is not certain."""
    value = reading.value
    if value is None:  # detected, but how much was not said
        return False if bound == 0 else None
    if reading.kind == "below":
        return True if value <= bound else None
    if reading.kind == "above":
        exceeds = value > bound or (value == bound and not reading.inclusive)
        return False if exceeds else None
    return value <= bound


def _at_least(reading: Reading, bound: Decimal) -> bool | None:
    """Whether the true value is certainly at least a bound; None where that is not certain."""
    value = reading.value
    if value is None:
        return None
    if reading.kind == "below":
        falls_short = value < bound or (value == bound and not reading.inclusive)
        return False if falls_short else None
    if reading.kind == "above":
        return True if value >= bound else None
    return value >= bound


def judge_sample(
    results: Mapping[str, str],
    point: Point,
    day: date,
    book: Rulebook,
    disinfectant: Disinfectant = "chlorine",
) -> SampleVerdict:
    """Judge the items given (parameter key → raw text) by the limits in force on the day.

    A sum of ratios whose parts are all given is computed, whatever sum was reported.
    Whether the items suffice for a purpose is another question: see `complete`.
    """
    limits = book.limits_on(day, disinfectant)
    readings = {key: read_result(raw) for key, raw in results.items()}
    sums = [limit for limit in limits.values() if _given(limit.parameter, readings, limits)]
    computed = {limit.parameter.key for limit in sums}
    items = [
        _item(key, reading, limits, point)
        for key, reading in readings.items()
        if key not in computed
    ]
    items += [_judge_sum(limit, readings, limits) for limit in sums]
    return add_up(items, judged=bool(limits))


def add_up(items: Sequence[ItemVerdict], *, judged: bool) -> SampleVerdict:
    """Give what items add up to.

    One failed item fails the sample; one uncertain item, or none judged at all, leaves it pending.
    """
    outcomes = {item.verdict for item in items}
    if "fail" in outcomes:
        return SampleVerdict("fail", judged, tuple(items))
    passed = "pass" in outcomes and "pending" not in outcomes
    return SampleVerdict("pass" if passed else "pending", judged, tuple(items))


def _item(key: str, reading: Reading, limits: Mapping[str, Limit], point: Point) -> ItemVerdict:
    if key not in limits:
        return ItemVerdict(key, "not_judged", "no_limit", reading=reading)
    return judge_item(reading, limits[key], point)


def _given(
    parameter: Parameter, readings: Mapping[str, Reading], limits: Mapping[str, Limit]
) -> bool:
    """Whether a computed sum has every part it sums up, each with its limit."""
    parts = parameter.sum_of_ratios
    return bool(parts) and all(part in readings and part in limits for part in parts)


def _judge_sum(
    total: Limit, readings: Mapping[str, Reading], limits: Mapping[str, Limit]
) -> ItemVerdict:
    """Judge a sum of ratios by what is certain, from the least to the most each part can be."""
    upper = total.upper or Decimal(0)
    parts = total.parameter.sum_of_ratios
    found = sum_of_ratios({part: readings[part] for part in parts}, limits)
    verdict: Outcome = "fail" if found.exceeds(upper) else "pending"
    if found.is_within(upper):
        verdict = "pass"
    reason = (found.reason or "censored") if verdict == "pending" else None
    reading = found.reading(upper)
    return ItemVerdict(total.parameter.key, verdict, reason, total, f"≤ {upper}", reading)


def complete(item_set: ItemSet, results: Mapping[str, str]) -> tuple[str, ...]:
    """Give the items of a set that a sample lacks, in the set's order; empty cells lack too."""
    given = {key for key, raw in results.items() if read_result(raw).kind not in UNUSABLE}
    return tuple(key for key in item_set.keys if key not in given)
