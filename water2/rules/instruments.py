"""Signs that an instrument does not measure: nothing comes, or always the same; its calibration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from water2.rules.book import Rulebook
from water2.rules.excursions import STANDARD
from water2.rules.parameters import Disinfectant


@dataclass(frozen=True)
class SignRule:
    """What is a sign: so many intervals without a reading; one value for so long, so often.

    `flat_for` is None where a flat line is no sign: many parameters stand still for good reason.
    """

    missing_after: timedelta
    flat_for: timedelta | None
    flat_readings: int


def sign_rule(
    book: Rulebook, day: date, parameter: str, disinfectant: Disinfectant, interval: timedelta
) -> SignRule | None:
    """Give the rule for an instrument; None where the book holds none.

    The item `residual` names the residual of the disinfectant in use.
    """
    standard = book.obligation(STANDARD, day)
    if standard is None or "missing_intervals" not in standard.values:
        return None
    words = str(standard.values["flat_items"].value).split()
    held = book.parameters.get(parameter)
    residual = held is not None and held.residual_of == disinfectant
    watched = parameter in words or (residual and "residual" in words)
    return SignRule(
        missing_after=int(standard.number("missing_intervals")) * interval,
        flat_for=timedelta(hours=float(standard.number("flat_hours"))) if watched else None,
        flat_readings=int(standard.number("flat_readings")),
    )


def missing_since(rule: SignRule, last: datetime, now: datetime) -> datetime | None:
    """Give since when readings are missing, `last` being that of the latest; None while they come.

    Exactly so many intervals are not yet too many.
    """
    return last if now - last > rule.missing_after else None


def flat_since(rule: SignRule, latest_first: Sequence[tuple[datetime, str]]) -> datetime | None:
    """Give since when the value stands still; readings come the latest first, as equal text.

    The readings need not reach further back than the line is long.
    """
    if rule.flat_for is None or not latest_first:
        return None
    last, value = latest_first[0]
    line = [at for at, _ in takewhile(lambda one: one[1] == value, latest_first)]
    long_enough = last - line[-1] >= rule.flat_for and len(line) >= rule.flat_readings
    return line[-1] if long_enough else None


def in_calibration(valid: Iterable[tuple[date, date]], day: date) -> bool:
    """Tell whether any calibration is valid on a day; first and last day are included.

    Reading: without a certificate an instrument is out of calibration.
    """
    return any(first <= day <= last for first, last in valid)
