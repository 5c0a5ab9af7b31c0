"""What a report prints as an item's limit, held against the limit in force."""

import re
from collections.abc import Mapping
from decimal import Decimal

from water2.rules.flags import FlagCode
from water2.rules.parameters import Limit
from water2.rules.readings import NOT_DETECTED, fold

NUMBERS = re.compile(r"\d+(?:\.\d+)?")
UNITS = re.compile(r"\(?(mg/l|ntu|度|(cfu|mpn|个)?/(100)?ml)\)?")
ABSENT = NOT_DETECTED | {"不应检出", "不得检出", "0"}
NOTHING = frozenset({"", "-", "--", "—", "——", "/"})


def printed_limit_signs(
    printed: str, limit: Limit, increments: Mapping[str, Limit]
) -> tuple[FlagCode, ...]:
    """Flag a printed limit that is not the one in force, or that is it with the increment added.

    `increments` are those allowed from inlet to outlet, by the parameter that may rise: a rise is
    judged by itself, and adding what is allowed to the limit lets water pass that may not.
    """
    text = _without_unit(fold(printed).lower())
    if text in NOTHING:
        return ()
    if limit.parameter.kind != "number":
        return _of_words(text, limit)
    numbers = {Decimal(found) for found in NUMBERS.findall(text)}
    bounds = {bound for bound in (limit.lower, limit.upper) if bound is not None}
    allowed = increments.get(limit.parameter.key)
    rise = allowed.upper if allowed is not None else None
    if rise is not None and limit.upper is not None and limit.upper + rise in numbers - bounds:
        return (FlagCode.limit_plus_increment,)
    return () if numbers and numbers <= bounds else (FlagCode.printed_limit_differs,)


def _of_words(text: str, limit: Limit) -> tuple[FlagCode, ...]:
    if limit.parameter.kind == "absent":
        known: frozenset[str] | set[str] = ABSENT
    else:
        known = {_letters(word) for word in limit.accepts}
        text = _letters(text)
    return () if text in known else (FlagCode.printed_limit_differs,)


def _letters(text: str) -> str:
    return "".join(char for char in fold(text).lower() if char.isalnum())


def _without_unit(text: str) -> str:
    return UNITS.sub("", text)
