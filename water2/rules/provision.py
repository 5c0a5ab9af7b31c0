"""The values the law speaks in: instruments, provisions, and verdicts that cite them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

NO_FACTS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Instrument:
    """A law, rule or standard; both days of force are included, None is open or not known.

    `text` is the path of the full text beside this package's modules, None where we do not hold it:
    then its provisions are cited by fact, without a quote. `verified` is False where what we say of
    it was not read in its own words.
    """

    key: str
    title: str
    title_en: str
    number: str | None
    issuer: str
    in_force_from: date | None
    in_force_to: date | None
    text: str | None
    verified: bool

    def in_force_on(self, day: date) -> bool:
        """Whether the instrument holds on a day."""
        return in_force(self.in_force_from, self.in_force_to, day)


def in_force(first: date | None, last: date | None, day: date) -> bool:
    """Whether a day lies within two days of force, both included; None is open."""
    return (first is None or first <= day) and (last is None or day <= last)


@dataclass(frozen=True)
class Provision:
    """Where a demand stands: instrument, article as cited (`17(4)`), its words, the obligation."""

    instrument: Instrument
    article: str
    quote: str | None
    obligation: str


@dataclass(frozen=True)
class Allowed:
    """The act may be done."""


@dataclass(frozen=True)
class Refused:
    """The act may not be done: by which provision, a reason code, the facts it was judged on.

    `earliest` is when it would be lawful, where that can be said.
    """

    provision: Provision
    reason: str
    facts: Mapping[str, object] = field(default_factory=lambda: NO_FACTS)
    earliest: date | datetime | None = None


Verdict = Allowed | Refused
