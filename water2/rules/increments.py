"""What water may take up between inlet and outlet: paired samples, judged by what is certain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from water2.rules.book import Rulebook
from water2.rules.limits import ItemVerdict, Outcome
from water2.rules.parameters import Limit
from water2.rules.readings import Reading, plausible, read_result


@dataclass(frozen=True)
class PairedSample:
    """What tells whether two samples of a facility belong together."""

    id: str
    on: date
    at: datetime | None
    tank_id: str | None
    report_number: str | None


def pairs(one: PairedSample, other: PairedSample) -> bool:
    """Tell whether an inlet and an outlet sample of one facility belong together.

    Reading: they do when they are of the same day, or of the same report.
    """
    same_report = one.report_number is not None and one.report_number == other.report_number
    return one.on == other.on or same_report


def inlet_of(outlet: PairedSample, inlets: Iterable[PairedSample]) -> PairedSample | None:
    """Give the inlet sample an outlet is compared with.

    Of several the same report's is taken, then that of the same tank, then the nearest in time.
    """
    fitting = [inlet for inlet in inlets if pairs(outlet, inlet)]
    return min(fitting, key=lambda inlet: _distance(outlet, inlet), default=None)


def _distance(outlet: PairedSample, inlet: PairedSample) -> tuple[bool, bool, int, float, str]:
    apart = abs((outlet.at - inlet.at).total_seconds()) if outlet.at and inlet.at else 0.0
    return (
        outlet.report_number is None or outlet.report_number != inlet.report_number,
        outlet.tank_id != inlet.tank_id,
        abs((outlet.on - inlet.on).days),
        apart,
        inlet.id,
    )


def judge_increments(
    outlet: Mapping[str, str], inlet: Mapping[str, str], day: date, book: Rulebook
) -> tuple[ItemVerdict, ...]:
    """Judge the increments of a pair (parameter key → raw text of each) in force on a day.

    A parameter that one of the two lacks has no increment.
    """
    found = []
    for key, limit in book.increments_on(day).items():
        if key in outlet and key in inlet:
            item = _increment(read_result(outlet[key]), read_result(inlet[key]), limit, book)
            found += [item] if item is not None else []
    return tuple(found)


def _increment(after: Reading, before: Reading, limit: Limit, book: Rulebook) -> ItemVerdict | None:
    if "empty" in (after.kind, before.kind):
        return None
    key, upper = limit.parameter.key, limit.upper or Decimal(0)
    measured = book.parameters[limit.parameter.increment_of or ""]
    shown = f"≤ {upper}"
    fault = plausible(measured, after) or plausible(measured, before)
    if fault is not None:
        return ItemVerdict(key, "pending", fault, limit, shown)
    rise = _rise(_range(after), _range(before, not_detected_is_zero=False))
    verdict = _verdict(rise, upper)
    doubt = "censored" if verdict == "pending" else None
    return ItemVerdict(key, verdict, doubt, limit, shown, _told(rise, upper))


@dataclass(frozen=True)
class _Range:
    """Between what a true value certainly lies; None: no bound; `open`: it is not reached."""

    least: Decimal | None
    most: Decimal | None
    open_least: bool = False
    open_most: bool = False


def _range(reading: Reading, *, not_detected_is_zero: bool = True) -> _Range:
    """Give the range a reading leaves.

    Reading: not detected counts as zero, as everywhere, but for the inlet's: there a rise would
    be blamed on the tank that may have come in, below a bound that nobody wrote down.
    """
    zero = Decimal(0)
    if reading.kind == "not_detected":
        return _Range(zero, zero if not_detected_is_zero else None)
    if reading.value is None:
        return _Range(zero, None)
    if reading.kind == "below":
        return _Range(zero, reading.value, open_most=not reading.inclusive)
    if reading.kind == "above":
        return _Range(reading.value, None, open_least=not reading.inclusive)
    return _Range(reading.value, reading.value)


def _rise(after: _Range, before: _Range) -> _Range:
    return _Range(
        _less(after.least, before.most),
        _less(after.most, before.least),
        after.open_least or before.open_most,
        after.open_most or before.open_least,
    )


def _less(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def _verdict(rise: _Range, upper: Decimal) -> Outcome:
    least, most = rise.least, rise.most
    if least is not None and (least > upper or (least == upper and rise.open_least)):
        return "fail"
    return "pass" if most is not None and most <= upper else "pending"


def _told(rise: _Range, upper: Decimal) -> Reading | None:
    """Write what is known of an increment as laboratories write it: the bound that matters."""
    least, most = rise.least, rise.most
    if least is not None and least == most:
        return read_result(f"{least:f}")
    if least is not None and (most is None or least >= upper):
        return read_result(f"{'>' if rise.open_least else '≥'}{least:f}")
    if most is not None:
        return read_result(f"{'<' if rise.open_most else '≤'}{most:f}")
    return None
