"""Reading a cleaning's record: its form and the confined-space permit, checked as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from water2.domain.errors import FieldProblem, Invalid
from water2.rules.book import Rulebook
from water2.rules.forms import Form
from water2.rules.gates import CLEANING
from water2.rules.obligation import Obligation
from water2.rules.records import (
    FieldFault,
    implausible,
    impossible_flows,
    missing_fields,
    read_value,
)
from water2.services.instants import read_instant

PERMIT = "confined_space_permit"


@dataclass(frozen=True)
class CleaningRecord:
    """A record that holds all its form asks for; `values` are read, instants in UTC."""

    given: Mapping[str, Any]
    values: Mapping[str, Any]

    @property
    def people(self) -> list[str]:
        """The codes (工号) of those who cleaned."""
        return [str(code).strip() for code in self.values["people"]]

    @property
    def ended_at(self) -> datetime:
        """When the cleaning itself ended: its day is the day of the cleaning."""
        ended: datetime = self.values["cleaned_to"]
        return ended


def read_cleaning_record(
    given: Mapping[str, Any],
    book: Rulebook,
    *,
    now: datetime,
    today: date,
    timezone: str,
    volume_m3: Decimal | None,
) -> CleaningRecord:
    """Read and check a record.

    Raises:
        Invalid: names every field that is missing, unreadable or cannot be true.
    """
    obligation = book.obligation(CLEANING, today)
    if obligation is None:
        raise Invalid.one("kind", "not_demanded_here", CLEANING)
    permit = given.get(PERMIT, {})
    own = {key: value for key, value in given.items() if key != PERMIT}
    faults = [*_faults(own, book.forms[CLEANING], "record")]
    faults += _faults(
        permit if isinstance(permit, dict) else {}, book.forms[PERMIT], f"record.{PERMIT}"
    )
    if faults:
        raise Invalid(faults)
    values = _values(own, book.forms[CLEANING], timezone)
    problems = _later_than(values, now) + _flows(values, volume_m3, obligation)
    if problems:
        raise Invalid(problems)
    return CleaningRecord(given, values)


def _faults(record: Mapping[str, Any], form: Form, path: str) -> list[FieldProblem]:
    return _problems([*missing_fields(record, form), *implausible(record, form)], path, record)


def _problems(
    faults: Sequence[FieldFault], path: str, record: Mapping[str, Any]
) -> list[FieldProblem]:
    return [
        FieldProblem(
            f"{path}.{fault.field}", fault.code, _shown(record.get(fault.field)), dict(fault.facts)
        )
        for fault in faults
    ]


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


def _values(record: Mapping[str, Any], form: Form, timezone: str) -> dict[str, Any]:
    values = {
        field.key: read_value(field, record[field.key])
        for field in form.fields
        if record.get(field.key) not in (None, "", [])
    }
    return {
        key: read_instant(value, timezone) if isinstance(value, datetime) else value
        for key, value in values.items()
    }


def _later_than(values: Mapping[str, Any], now: datetime) -> list[FieldProblem]:
    return [
        FieldProblem(f"record.{key}", "in_future", value.isoformat())
        for key, value in values.items()
        if isinstance(value, datetime) and value > now
    ]


def _flows(
    values: Mapping[str, Any], volume_m3: Decimal | None, obligation: Obligation
) -> list[FieldProblem]:
    return _problems(impossible_flows(values, volume_m3, obligation), "record", values)
