"""What of a record may stand in the ledger: no name, telephone, address or free text of people."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from water2.rules.forms import Form

LONGEST_READING = 1_000_000


def told(record: Mapping[str, object], form: Form) -> dict[str, object]:
    """Return the fields of a form's record that may stand in an entry, as entry values.

    Of a personal list its length stands there, of other personal fields nothing.
    """
    found: dict[str, object] = {}
    for field in form.fields:
        value = record.get(field.key)
        if value is None or (field.personal and not isinstance(value, list)):
            continue
        found[field.key] = (
            len(value) if field.personal and isinstance(value, list) else plain(value)
        )
    return found


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
