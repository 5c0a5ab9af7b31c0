"""What an operator may set: stricter than the rulebook, never looser."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeVar

from water2.rules.book import Rulebook
from water2.rules.obligation import Obligation, Setting, SettingValue
from water2.rules.parameters import Limit
from water2.rules.provision import Allowed, Refused, Verdict

WATER = "water.standard"
Number = TypeVar("Number", int, Decimal)
OPERATOR, OPERATOR_EN = "由供水企业设定", "set by the operator"


class UnknownSetting(LookupError):
    """The rulebook in force holds no such value, or it is not one to set."""


class UnreadableSetting(ValueError):
    """The value is not of the setting's kind, or is nothing that could be meant."""


def judge_setting(
    book: Rulebook, obligation_id: str, key: str, value: object, day: date
) -> Verdict:
    """Judge a value the operator wants: as strict as the rulebook's or stricter.

    A limit of the water standard is set as `water.standard`, `turbidity.upper` (lower is stricter)
    or `free_chlorine.lower` (higher is stricter). The refusal's facts hold `key`, `held`, `wanted`
    and `stricter`, the lawful direction.

    Raises:
        UnknownSetting: there is nothing of that name to set.
        UnreadableSetting: the value is not of its kind.
    """
    setting = settable(book, obligation_id, key, day)
    wanted = _read(value, setting)
    if _is_as_strict(wanted, setting):
        return Allowed()
    facts = {"key": key, "held": setting.value, "wanted": wanted, "stricter": setting.stricter}
    return Refused(book.provision(obligation_id, day), "looser_than_the_rulebook", facts)


def settable(book: Rulebook, obligation_id: str, key: str, day: date) -> Setting:
    """Give the value in force that an operator may set.

    Raises:
        UnknownSetting: there is none of that name.
    """
    obligation = book.obligation(obligation_id, day)
    if obligation is None:
        raise UnknownSetting(obligation_id)
    setting = obligation.values.get(key) or _bound(book, obligation_id, key, day)
    if setting is None or setting.stricter is None:
        raise UnknownSetting(f"{obligation_id}.{key}")
    return setting


def _bound(book: Rulebook, obligation_id: str, key: str, day: date) -> Setting | None:
    name, _, side = key.rpartition(".")
    held = (limit for limit in book.limits if limit.parameter.key == name)
    current = [limit for limit in held if _in_force(limit, day)]
    if obligation_id != WATER or side not in ("upper", "lower") or not current:
        return None
    return _as_setting(current[-1], "upper" if side == "upper" else "lower")


def _in_force(limit: Limit, day: date) -> bool:
    first, last = limit.in_force_from or date.min, limit.in_force_to or date.max
    return first <= day <= last


def _as_setting(limit: Limit, side: Literal["upper", "lower"]) -> Setting | None:
    value = limit.upper if side == "upper" else limit.lower
    if value is None:
        return None
    return Setting(
        key=f"{limit.parameter.key}.{side}",
        value=value,
        unit=limit.parameter.unit,
        basis="law",
        stricter="smaller" if side == "upper" else "larger",
        verified=side not in limit.unverified,
    )


def _read(value: object, setting: Setting) -> SettingValue:
    held = setting.value
    try:
        if isinstance(held, bool):
            return _checked(value, isinstance(value, bool))
        if isinstance(held, tuple):
            return _days(value)
        if isinstance(held, int):
            return _positive(int(str(value)))
        if isinstance(held, Decimal):
            return _positive(Decimal(str(value)))
        return _checked(value, isinstance(value, str) and bool(value.split()))
    except (ValueError, InvalidOperation) as fault:
        raise UnreadableSetting(setting.key, value) from fault


def _checked(value: object, right: bool) -> SettingValue:
    if not right or not isinstance(value, bool | str):
        raise ValueError(value)
    return value


def _days(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(type(each) is int for each in value):
        raise ValueError(value)
    return tuple(sorted({_positive(each) for each in value}, reverse=True))


def _positive(number: Number) -> Number:
    """Nothing is due every 0 months, and no bound of water is 0 or endless."""
    if not 0 < number < 1_000_000:
        raise ValueError(number)
    return number


def _is_as_strict(wanted: SettingValue, setting: Setting) -> bool:
    held = setting.value
    if setting.stricter == "superset":
        return _members(wanted) >= _members(held)
    if not isinstance(wanted, int | Decimal) or not isinstance(held, int | Decimal):
        return wanted == held
    return wanted <= held if setting.stricter == "smaller" else wanted >= held


def _members(value: SettingValue) -> set[object]:
    return set(
        value.split() if isinstance(value, str) else value if isinstance(value, tuple) else ()
    )


def with_policy(book: Rulebook, overrides: Mapping[tuple[str, str], object]) -> Rulebook:
    """Give the book with the operator's values, (obligation id, key) → value.

    Each edition takes a value where it is as strict as its own; a looser or unreadable one, or one
    that the edition knows nothing of, changes nothing: the law prevails.
    """
    return replace(
        book,
        obligations=tuple(_tightened(each, overrides) for each in book.obligations),
        limits=tuple(_tightened_limit(each, overrides) for each in book.limits),
    )


def _tightened(obligation: Obligation, overrides: Mapping[tuple[str, str], object]) -> Obligation:
    values = {
        key: _set(setting, overrides[obligation.id, key])
        if (obligation.id, key) in overrides
        else setting
        for key, setting in obligation.values.items()
    }
    return replace(obligation, values=values)


def _set(setting: Setting, value: object) -> Setting:
    try:
        wanted = _read(value, setting)
    except UnreadableSetting:
        return setting
    if setting.stricter is None or not _is_as_strict(wanted, setting) or wanted == setting.value:
        return setting
    return replace(setting, value=wanted, basis="target", source=OPERATOR, source_en=OPERATOR_EN)


def _tightened_limit(limit: Limit, overrides: Mapping[tuple[str, str], object]) -> Limit:
    bounds: dict[str, Decimal] = {}
    for side in ("upper", "lower"):
        held = _as_setting(limit, "upper" if side == "upper" else "lower")
        name = (WATER, f"{limit.parameter.key}.{side}")
        if held is not None and name in overrides:
            value = _set(held, overrides[name]).value
            bounds |= {side: value} if isinstance(value, Decimal) else {}
    return replace(
        limit, upper=bounds.get("upper", limit.upper), lower=bounds.get("lower", limit.lower)
    )
