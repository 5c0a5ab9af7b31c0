"""How laboratories write results, and what each way of writing says for certain."""

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from water2.rules.parameters import Parameter
from water2.rules.units import is_unit_of

ReadingKind = Literal[
    "number", "below", "above", "not_detected", "detected", "text", "empty", "unreadable"
]

EMPTY = frozenset({"", "-", "--", "—", "——", "/"})
NOT_DETECTED = frozenset({"未检出", "nd", "n.d.", "absent", "negative", "阴性"})
DETECTED = frozenset({"检出", "present", "positive", "阳性"})
COMPARED: dict[str, tuple[ReadingKind, bool]] = {
    "<": ("below", False),
    "≤": ("below", True),
    ">": ("above", False),
    "≥": ("above", True),
}
IN_WORDS = (
    ("小于", "<"),
    ("低于", "<"),
    ("大于", ">"),
    ("高于", ">"),
    ("−", "-"),
    ("<=", "≤"),
    (">=", "≥"),
)
UNIT = re.compile(
    r"([mμun]?g/m?l|ntu|ftu|fnu|度|%|ppm|ppb|(?:cfu|mpn|个)?/100ml|(?:cfu|mpn|个)/m?l)(\)?)$",
    re.IGNORECASE,
)
NUMBER = re.compile(r"([<≤>≥]?)([+-]?\d+(?:\.\d+)?)(l?)", re.IGNORECASE)
NOT_DETECTED_BELOW = re.compile(r"(?:未检出|nd)\((<\d+(?:\.\d+)?)\)", re.IGNORECASE)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Reading:
    """A result as it came and as it was read.

    `below` and `above` are censored: the value is the bound, `inclusive` where the bound itself is
    possible. For `below` the bound is the detection limit. Without a number the value is None, but
    not detected counts as 0. `unit` is the unit written into the text, folded, where there is one.
    """

    raw: str
    kind: ReadingKind
    value: Decimal | None = None
    inclusive: bool = False
    unit: str | None = None

    @property
    def digits(self) -> str | None:
        """The value as text, to the last digit the laboratory wrote."""
        return None if self.value is None else format(self.value, "f")

    @property
    def censored(self) -> Literal["<", ">"] | None:
        """On which side the true value lies of the bound, where only a bound is known."""
        if self.kind == "below":
            return "<"
        return ">" if self.kind == "above" else None

    @property
    def detection_limit(self) -> Decimal | None:
        """The bound below which the laboratory could not see."""
        return self.value if self.kind == "below" else None


def fold(text: str) -> str:
    """Fold full-width characters and drop every white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def read_result(raw: str) -> Reading:
    """Read a result as written: `0.35`, `＜5`, `>80`, `未检出`, `无`, `0.05L`, `未检出/100mL`.

    A number with a trailing L is the usual notation for below that detection limit. What holds a
    digit and cannot be read as a number (`O.3O`) is unreadable; other words are text.
    """
    folded = fold(raw)
    if folded in EMPTY:
        return Reading(raw, "empty")
    for word, sign in IN_WORDS:
        folded = folded.replace(word, sign)
    bare, unit = UNIT.sub(r"\2", folded), UNIT.search(folded)
    read = _named(raw, bare.lower()) or _number(raw, bare)
    if read is None:
        return _words(raw, folded)
    return read if unit is None else replace(read, unit=unit.group(1).lower())


def _named(raw: str, word: str) -> Reading | None:
    if word in NOT_DETECTED:
        return Reading(raw, "not_detected", Decimal(0))
    return Reading(raw, "detected") if word in DETECTED else None


def _number(raw: str, bare: str) -> Reading | None:
    stated = NOT_DETECTED_BELOW.fullmatch(bare)
    match = NUMBER.fullmatch(stated.group(1) if stated else bare)
    if match is None:
        return None
    sign, digits, below = match.groups()
    if sign and below:
        return None
    kind, inclusive = COMPARED.get("<" if below else sign, ("number", False))
    return Reading(raw, kind, Decimal(digits), inclusive)


def _words(raw: str, folded: str) -> Reading:
    readable = CHINESE.search(folded) or not re.search(r"\d", folded)
    worded = readable and re.search(r"\w", folded)
    return Reading(raw, "text" if worded else "unreadable")


def plausible(parameter: Parameter, reading: Reading) -> str | None:
    """Say why a reading of a parameter cannot be true; None if it can.

    `unreadable`: neither number nor word where one is due, or 未检出 of what all water has.
    `wrong_unit`: the unit written is not the parameter's; nobody converts it. `impossible`: no true
    value fits: a negative, a pH outside 0-14, `<0`. An empty cell is no reading, and no fault.
    """
    if reading.kind == "empty":
        return None
    if reading.kind == "unreadable" or (reading.kind == "text" and parameter.kind != "text"):
        return "unreadable"
    if reading.kind in {"not_detected", "detected"} and parameter.always_present:
        return "unreadable"
    if reading.unit is not None and not is_unit_of(parameter, reading.unit):
        return "wrong_unit"
    if reading.value is None or parameter.kind == "text":
        return None
    return None if _possible(parameter, reading, reading.value) else "impossible"


def _possible(parameter: Parameter, reading: Reading, value: Decimal) -> bool:
    """Tell whether a value lies where the parameter's can; a bound outside leaves no true value."""
    low, high = parameter.possible_min, parameter.possible_max
    beyond = reading.censored is not None and not reading.inclusive
    if low is not None and (value < low or (beyond and reading.kind == "below" and value == low)):
        return False
    return high is None or not (
        value > high or (beyond and reading.kind == "above" and value == high)
    )
