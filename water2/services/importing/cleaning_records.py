"""A cleaning's record as its form names the fields (practice.md section 4), from a file's row."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from water2.services.importing.fields import RECORD
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns

_FORM_KEYS = {
    "firm": "firm",
    "people": "people",
    "disinfectant": "disinfectant_name",
    "batch": "disinfectant_batch",
    "concentration_mg_l": "concentration_mg_l",
    "contact_minutes": "contact_minutes",
    "report_number": "report_number",
    "conclusion": "conclusion",
    "outage_number": "outage_number",
    "entered_on": "entered_on",
    "remarks": "remarks",
}


def record_of(row: Row, zone: ZoneInfo) -> Columns:
    """Return the fields of the form that a row has."""
    record: Columns = {}
    for name, key in _FORM_KEYS.items():
        if (value := row.values.get(name)) is not None:
            record[key] = _plain(value)
    for key, at in spans_of(row, zone).items():
        record[key] = at.isoformat()
    for name, value in row.values.items():
        if name.startswith(RECORD) and value is not None:
            record[name.removeprefix(RECORD)] = value
    return record


def spans_of(row: Row, zone: ZoneInfo) -> dict[str, datetime]:
    """Return from when to when the tank was drained and refilled."""
    spans: dict[str, datetime] = {}
    for name in ("drained", "refilled"):
        clocks: tuple[time, time] | None = row.values.get(name)
        for end, clock in zip(("from", "to"), clocks or (), strict=False):
            spans[f"{name}_{end}"] = datetime.combine(row.values["cleaned_on"], clock, zone)
    return spans


def changed_fields(before: Columns, after: Columns) -> tuple[Columns, Columns]:
    """Put the fields of a changed record in the place of the record as a whole."""
    if "record" not in after:
        return before, after
    old: Mapping[str, Any] = before["record"]
    new: Mapping[str, Any] = after["record"]
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    flat_before = {key: value for key, value in before.items() if key != "record"}
    flat_after = {key: value for key, value in after.items() if key != "record"}
    return (
        {name: old.get(name) for name in names} | flat_before,
        {name: new.get(name) for name in names} | flat_after,
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    match value:
        case tuple():
            return list(value)
        case date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
    return value
