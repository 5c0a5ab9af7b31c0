"""Whether a laboratory was accredited (CMA) on the day of a sample, and for which items."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from water2.rules.flags import FlagCode
from water2.rules.signs import accreditation_signs


@dataclass(frozen=True)
class Accreditation:
    """One on register; both days are included. Without items its scope is unknown."""

    number: str
    valid_from: date | None = None
    valid_to: date | None = None
    items: frozenset[str] = frozenset()

    def covers(self, day: date) -> bool:
        """Tell whether it held on a day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


@dataclass(frozen=True)
class Stated:
    """What a report says of its laboratory's accreditation."""

    number: str | None
    valid_to: date | None


@dataclass(frozen=True)
class Standing:
    """What an accreditation is worth on a day: flags of the sample, and its scope where known."""

    flags: tuple[FlagCode, ...] = ()
    scope: frozenset[str] | None = None

    def outside(self, parameters: Iterable[str]) -> frozenset[str]:
        """Give the items measured without accreditation for them."""
        return frozenset() if self.scope is None else frozenset(parameters) - self.scope


def judge_accreditation(day: date, stated: Stated, registered: Sequence[Accreditation]) -> Standing:
    """Judge a laboratory's accreditation on the day of a sample.

    Reading: where accreditations of the laboratory are on register, the register is believed and
    not the report; a report that names another number than those that held that day lacks one.
    Items outside the scope of an accreditation that held are measured without any.
    """
    if not registered:
        return Standing(accreditation_signs(stated.number, stated.valid_to, day))
    held = [each for each in registered if each.covers(day)]
    if stated.number is not None and any(each.number == stated.number for each in registered):
        held = [each for each in held if each.number == stated.number]
    elif stated.number is not None:
        held = []
    if held:
        return Standing(scope=_scope(held))
    before = [each for each in registered if stated.number in (None, each.number)]
    ended = any(each.valid_to is not None and each.valid_to < day for each in before)
    return Standing((FlagCode.accreditation_expired if ended else FlagCode.accreditation_lacking,))


def _scope(held: Collection[Accreditation]) -> frozenset[str] | None:
    """Give the items of several together; unknown as soon as that of one is."""
    if any(not each.items for each in held):
        return None
    return frozenset().union(*(each.items for each in held))
