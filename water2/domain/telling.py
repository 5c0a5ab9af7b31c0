"""What of a record may stand in the ledger: no name, telephone, address or free text of people."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from water2.rules.forms import Form

LONGEST_READING = 1_000_000


def told(record: Mapping[str, object], form: Form, staff: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of a form's record that may stand in an entry, as entry values.

    Of a personal field stand the ids of the staff it names by 工号 (`staff` gives each code's) and
    how many other entries it has: those may be names.
    """
    return {
        field.key: _people(value, staff) if field.personal else plain(value)
        for field in form.fields
        if (value := record.get(field.key)) is not None
    }


def named(record: Mapping[str, object], form: Form) -> list[str]:
    """Return what the personal fields of a form's record hold: codes, names, remarks."""
    return [
        entry
        for field in form.fields
        if field.personal
        for entry in _entries(record.get(field.key))
    ]


def _people(value: object, staff: Mapping[str, str]) -> dict[str, object]:
    entries = _entries(value)
    known = [staff[entry] for entry in entries if entry in staff]
    return {"staff": known, "others": len(entries) - len(known)}


def _entries(value: object) -> list[str]:
    entries = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [str(entry).strip() for entry in entries]


def measured(record: Mapping[str, object]) -> dict[str, object]:
    """Return the numbers and yes/no answers of a record without a form; its texts stay out.

    So do numbers of seven digits and more: no gauge shows them, telephones and identities do.
    """
    return {
        key: plain(value)
        for key, value in record.items()
        if isinstance(value, bool | int | float | Decimal)
        and -LONGEST_READING < value < LONGEST_READING
        and key.isascii()
    }


def plain(value: object) -> object:
    """Write decimals, floats, days and instants as text: an entry knows no other numbers."""
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [plain(each) for each in value]
    return str(value)
