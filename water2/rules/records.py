"""第十七条(五): whether a record holds what practice asks for, and whether it can be true."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from water2.rules.forms import Field, Form
from water2.rules.obligation import Obligation
from water2.rules.provision import NO_FACTS

HOUR = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class FieldFault:
    """What is wrong with a field: a code and the facts behind it.

    Codes: missing, not_confirmed, unknown; unreadable; too_small {minimum}, too_large {maximum};
    before {after: the field it lies before}; impossible_flow {m3_per_hour, highest}.
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
    known = {each.key for each in form.fields}
    return (*faults, *(FieldFault(key, "unknown") for key in record if key not in known))


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
    flows = impossible_flows(values, volume_m3, obligation) if obligation else ()
    return (*faults, *flows)


def read_value(each: Field, value: object) -> object:
    """Read a value as its field's kind; instants from RFC 3339, days from ISO, decimals exactly.

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
            return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        case "day":
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        case "decimal" | "whole":
            return _number(each, value)


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
    if isinstance(value, bool):
        raise ValueError(value)
    number = Decimal(str(value).strip())
    whole = each.kind == "whole"
    if not number.is_finite() or (whole and number != number.to_integral_value()):
        raise ValueError(value)
    return number


def _out_of_bounds(each: Field, value: object) -> list[FieldFault]:
    size = Decimal(len(value)) if isinstance(value, Sequence) and each.kind == "list" else value
    if not isinstance(size, Decimal):
        return []
    if each.minimum is not None and size < each.minimum:
        return [FieldFault(each.key, "too_small", {"minimum": each.minimum})]
    if each.maximum is not None and size > each.maximum:
        return [FieldFault(each.key, "too_large", {"maximum": each.maximum})]
    return []


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
