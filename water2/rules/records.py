"""第十七条(五): whether a record holds what practice asks for, and whether it can be true."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from water2.rules.forms import Field, Form
from water2.rules.obligation import Obligation
from water2.rules.provision import NO_FACTS

HOUR = timedelta(hours=1)
LONGEST_LIST = 100  # our own bound: no cleaning has more people or photographs
MOST_UNKNOWN = 20  # unknown fields named at once: each is told with all the known ones
INSTANT = re.compile(  # of a year that calendars and databases reach
    r"(19|2[01])\d\d-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


@dataclasses.dataclass(frozen=True)
class FieldFault:
    """What is wrong with a field: a code and the facts behind it.

    Codes: missing, not_confirmed, unknown {known: the form's fields}; unreadable;
    too_small {minimum}, too_large {maximum}; before {after: the field it lies before};
    not_apart {from: the list that names the same people}; impossible_flow {highest}.
    """

    field: str
    code: str
    facts: Mapping[str, object] = dataclasses.field(default_factory=lambda: NO_FACTS)


def missing_fields(record: Mapping[str, object], form: Form) -> tuple[FieldFault, ...]:
    """Name the required fields that are empty, the statements not confirmed, the unknown fields."""
    faults = [
        FieldFault(each.key, "missing")
        for each in form.fields
        if each.required and _is_empty(record.get(each.key))
    ]
    faults += [
        FieldFault(each.key, "not_confirmed")
        for each in form.fields
        if each.kind == "yes" and record.get(each.key) is False
    ]
    known = tuple(each.key for each in form.fields)
    unknown = [key for key in record if key not in known][:MOST_UNKNOWN]
    return (*faults, *(FieldFault(key, "unknown", {"known": known}) for key in unknown))


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def implausible(
    record: Mapping[str, object],
    form: Form,
    *,
    volume_m3: Decimal | None = None,
    obligation: Obligation | None = None,
) -> tuple[FieldFault, ...]:
    """Name the filled fields that cannot be read, lie outside their bounds, or are out of order.

    With the tank's volume and the obligation, drains and refills that no pump room can do are named
    too.
    """
    faults: list[FieldFault] = []
    values: dict[str, object] = {}
    for each in form.fields:
        if _is_empty(record.get(each.key)):
            continue
        try:
            values[each.key] = read_value(each, record[each.key])
        except (ValueError, InvalidOperation):
            faults.append(FieldFault(each.key, "unreadable"))
            continue
        faults += _out_of_bounds(each, values[each.key])
        faults += _out_of_order(each, values)
        faults += _not_apart(each, values)
    flows = impossible_flows(values, volume_m3, obligation) if obligation else ()
    return (*faults, *flows)


def read_value(each: Field, value: object) -> object:
    """Read a value as its field's kind; decimals exactly, days from ISO.

    Instants are read from RFC 3339, without seconds or offset too.

    Raises:
        ValueError: it is not of that kind.
    """
    match each.kind:
        case "text":
            return _of_type(value, str)
        case "yes":
            return _of_type(value, bool)
        case "list":
            return _names(value)
        case "instant":
            return value if isinstance(value, datetime) else _instant(str(value))
        case "day":
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        case "decimal" | "whole":
            return _number(each, value)


def _instant(text: str) -> datetime:
    if not INSTANT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


def _of_type(value: object, wanted: type) -> object:
    if not isinstance(value, wanted) or (wanted is Sequence and isinstance(value, str)):
        raise ValueError(value)
    return value


def _names(value: object) -> object:
    """A list names things or people: blanks, numbers and objects name nobody."""
    entries = _of_type(value, Sequence)
    if not isinstance(entries, Sequence) or not all(
        isinstance(entry, str) and entry.strip() for entry in entries
    ):
        raise ValueError(value)
    return entries


def _number(each: Field, value: object) -> Decimal:
    if isinstance(value, bool) or "_" in str(value):
        raise ValueError(value)
    number = Decimal(str(value).strip())
    whole = each.kind == "whole"
    if not number.is_finite() or (whole and number != number.to_integral_value()):
        raise ValueError(value)
    return number


def _out_of_bounds(each: Field, value: object) -> list[FieldFault]:
    least = most = value
    maximum = each.maximum
    if each.kind == "list":  # who is named twice counts once towards the least there must be
        least, most = Decimal(len(_named(value))), Decimal(len(_entries(value)))
        maximum = Decimal(LONGEST_LIST) if maximum is None else maximum
    if each.minimum is not None and isinstance(least, Decimal) and least < each.minimum:
        return [FieldFault(each.key, "too_small", {"minimum": each.minimum})]
    if maximum is not None and isinstance(most, Decimal) and most > maximum:
        return [FieldFault(each.key, "too_large", {"maximum": maximum})]
    return []


def _entries(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) else ()


def _named(value: object) -> set[str]:
    return {str(entry).strip() for entry in _entries(value)}


def _not_apart(each: Field, values: Mapping[str, object]) -> list[FieldFault]:
    if not _named(values[each.key]) & _named(values.get(each.apart_from or "")):
        return []
    return [FieldFault(each.key, "not_apart", {"from": each.apart_from})]


def people_on(record: Mapping[str, object], form: Form) -> list[str]:
    """Return the codes (工号) a record names as those who worked, each once, in its order."""
    lists = [_entries(record.get(each.key)) for each in form.fields if each.on_register]
    return list(dict.fromkeys(str(code).strip() for codes in lists for code in codes))


def past_target(values: Mapping[str, object], form: Form) -> bool:
    """Whether a value that was read lies past what practice aims at; both bounds are within it."""
    return any(_past(each, values.get(each.key)) for each in form.fields)


def _past(each: Field, value: object) -> bool:
    if not isinstance(value, Decimal):
        return False
    below = each.flag_below is not None and value < each.flag_below
    return below or (each.flag_above is not None and value > each.flag_above)


def _out_of_order(each: Field, values: Mapping[str, object]) -> list[FieldFault]:
    earlier, later = values.get(each.after or ""), values[each.key]
    if not isinstance(earlier, datetime) or not isinstance(later, datetime):
        return []
    if (earlier.tzinfo is None) != (later.tzinfo is None):
        return [FieldFault(each.key, "unreadable")]
    return [FieldFault(each.key, "before", {"after": each.after})] if later < earlier else []


def impossible_flows(
    record: Mapping[str, object], volume_m3: Decimal | None, obligation: Obligation
) -> tuple[FieldFault, ...]:
    """Name the drain or refill that moved the tank's volume faster than any pump room can.

    `drained_from`, `drained_to`, `refilled_from`, `refilled_to` are datetimes. No volume, no fault.
    """
    if volume_m3 is None or "highest_flow_m3_per_hour" not in obligation.values:
        return ()
    highest = obligation.number("highest_flow_m3_per_hour")
    faults = []
    for verb in ("drained", "refilled"):
        first, last = record.get(f"{verb}_from"), record.get(f"{verb}_to")
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            continue
        if volume_m3 * Decimal(HOUR.total_seconds()) > highest * Decimal(
            (last - first).total_seconds()
        ):
            faults.append(FieldFault(f"{verb}_to", "impossible_flow", {"highest": highest}))
    return tuple(faults)
