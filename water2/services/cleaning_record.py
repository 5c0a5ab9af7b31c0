"""Reading a cleaning's record: its form and the confined-space permit, checked as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from water2.domain.errors import FieldProblem, Invalid
from water2.domain.telling import named, told
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.forms import Form
from water2.rules.gates import CLEANING
from water2.rules.obligation import Obligation
from water2.rules.records import (
    FieldFault,
    implausible,
    impossible_flows,
    missing_fields,
    past_target,
    people_on,
    read_value,
)
from water2.services.instants import read_instant

PERMIT = "confined_space_permit"
LONGEST_SHOWN = 200  # characters of a refused value that are sent back


@dataclass(frozen=True)
class CleaningRecord:
    """A record that holds all its form asks for.

    `given` are its fields as given, an offset added to instants without one; `values` are those of
    the cleaning's own form, read, instants in UTC.
    """

    given: Mapping[str, Any]
    values: Mapping[str, Any]
    form: Form
    permit_form: Form

    @property
    def people(self) -> list[str]:
        """The codes (工号) of those who cleaned, stood inside the tank or watched."""
        on_permit = people_on(self.given[PERMIT], self.permit_form)
        return list(dict.fromkeys([*people_on(self.given, self.form), *on_permit]))

    @property
    def named(self) -> list[str]:
        """Whatever may name a person: codes, names, remarks."""
        return [*named(self.given, self.form), *named(self.given[PERMIT], self.permit_form)]

    @property
    def flags(self) -> list[FlagCode]:
        """What the measured values show."""
        return [FlagCode.refill_past_target] if past_target(self.values, self.form) else []

    def told(self, staff: Mapping[str, str]) -> dict[str, object]:
        """Return what may stand in an entry, the permit included; `staff` are ids by 工号."""
        permit = told(self.given[PERMIT], self.permit_form, staff)
        return told(self.given, self.form, staff) | {PERMIT: permit}

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
    form, permit_form = book.forms[CLEANING], book.forms[PERMIT]
    signed = given.get(PERMIT)
    permit = _zoned(signed if isinstance(signed, dict) else {}, permit_form, timezone)
    own = _zoned({key: value for key, value in given.items() if key != PERMIT}, form, timezone)
    faults = _faults(own, form, "record") + _faults(permit, permit_form, f"record.{PERMIT}")
    if faults:
        raise Invalid(faults)
    values = _values(own, form, timezone)
    problems = _later_than(values, now, "record")
    problems += _later_than(_values(permit, permit_form, timezone), now, f"record.{PERMIT}")
    problems += _flows(values, volume_m3, obligation)
    if problems:
        raise Invalid(problems)
    return CleaningRecord(own | {PERMIT: permit}, values, form, permit_form)


def _zoned(record: Mapping[str, Any], form: Form, timezone: str) -> dict[str, Any]:
    """Return a record with an offset, of the utility's zone, on each instant that lacks one."""
    zoned = dict(record)
    for field in form.fields:
        if field.kind != "instant" or not record.get(field.key):
            continue
        try:
            at = read_value(field, record[field.key])
        except ValueError:
            continue  # named as unreadable with the other faults
        if isinstance(at, datetime) and at.tzinfo is None:
            zoned[field.key] = at.replace(tzinfo=ZoneInfo(timezone)).isoformat()
    return zoned


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
    return None if value is None else str(value)[:LONGEST_SHOWN]


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


def _later_than(values: Mapping[str, Any], now: datetime, path: str) -> list[FieldProblem]:
    return [
        FieldProblem(f"{path}.{key}", "in_future", value.isoformat())
        for key, value in values.items()
        if isinstance(value, datetime) and value > now
    ]


def _flows(
    values: Mapping[str, Any], volume_m3: Decimal | None, obligation: Obligation
) -> list[FieldProblem]:
    return _problems(impossible_flows(values, volume_m3, obligation), "record", values)
