"""Readings as machines send them: each row is read by itself, and a bad one costs no other."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from water2.domain.command import FIRST_YEAR, LAST_YEAR, Command
from water2.domain.entry import instant_text
from water2.domain.folding import CellError, fold
from water2.rules.online import Judged, unit_fits
from water2.services.instruments.meters import Facts, Meter, Named

MOST_READINGS = 5000
_LONGEST_SHOWN = 60
_LONGEST_RAW = 100
_LARGEST_WHOLE = 10**18
_FIELDS = frozenset({"instrument", "facility_id", "taken_at", "raw", "unit"})
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|z|[+-]\d{2}:\d{2})?", re.ASCII
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ROW: JsonDict = {
    "type": "object",
    "additionalProperties": False,
    "required": ["instrument", "taken_at", "raw"],
    "properties": {
        "instrument": {"type": "string", "description": "its id, or with `facility_id` its code"},
        "facility_id": {"type": "string"},
        "taken_at": {"type": "string", "format": "date-time"},
        "raw": {"type": "string", "description": "as the instrument showed it"},
        "unit": {"type": "string", "description": "must be the instrument's; nothing is converted"},
    },
}


class RecordReadings(Command):
    """Readings of any instruments, in any order; rows are read one by one, not refused as a whole.

    A row: `instrument` (its id, or with `facility_id` its code), `taken_at`, `raw`, `unit` or none.
    """

    readings: list[Any] = Field(
        min_length=1, max_length=MOST_READINGS, json_schema_extra={"items": _ROW}
    )

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, given: Any) -> Any:
        """Leave the text of the rows to the rows."""
        return given


@dataclass(frozen=True)
class RefusedReading:
    """A row that was not taken; `index` counts from 0."""

    index: int
    column: str | None
    value: str | None
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)


class RowError(Exception):
    """Why a row is not taken."""

    def __init__(self, column: str | None, reason: str, value: object = None, **facts: Any) -> None:
        super().__init__(reason)
        self.column, self.reason, self.facts = column, reason, facts
        self.value = None if value is None else _shown(value)


def _shown(value: object) -> str:
    """Return text that any database compares and any answer holds."""
    text = str(value)[:_LONGEST_SHOWN]
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)


class Taken(NamedTuple):
    """A row that can be stored."""

    row: int
    meter: Meter
    at: datetime
    day: date
    told_at: str  # the instant as entries write it
    raw: str
    judged: Judged
    calibrated: bool


def names_of(rows: Iterable[Any]) -> list[Named | None]:
    """Return the instrument that each row names; None where that is said when the row is read."""
    return [_name(row) if type(row) is dict else None for row in rows]


def _name(row: dict[str, Any]) -> Named | None:
    given, facility = row.get("instrument"), row.get("facility_id")
    if type(given) is not str:
        return None
    if facility is None:
        return given if given.isalnum() and given.isascii() else _shown(given)
    try:
        return fold(_shown(given)), _shown(facility)
    except CellError:
        return "", ""


class RowReader:
    """Reads rows; instants and names that come again are read once."""

    def __init__(self, meters: Mapping[Named, Meter], now: datetime) -> None:
        self._meters, self._now = meters, now
        self._instants: dict[str, dict[str, _Instant]] = defaultdict(dict)

    def read(
        self, rows: Sequence[Any], names: Sequence[Named | None]
    ) -> tuple[list[Taken], list[RefusedReading]]:
        """Return the rows that can be stored, and why the others cannot."""
        taken, refused = [], []
        for index, (row, name) in enumerate(zip(rows, names, strict=True)):
            try:
                taken.append(self._take(index, row, name))
            except RowError as error:
                refused.append(
                    RefusedReading(index, error.column, error.value, error.reason, error.facts)
                )
        return taken, refused

    def _take(self, index: int, row: Any, name: Named | None) -> Taken:
        if type(row) is not dict:
            raise RowError(None, "reading_unreadable")
        if not row.keys() <= _FIELDS:
            unknown = min(map(str, row.keys() - _FIELDS))
            raise RowError(_shown(unknown), "extra_forbidden")
        meter = None if name is None else self._meters.get(name)
        if meter is None:
            raise _unnamed(row.get("instrument"))
        at, day, told_at = self._instant(row.get("taken_at"), meter)
        if meter.judged_on != day:
            _require_in_place(meter.facts, day)
            meter.judge_on(day)
        unit = row.get("unit")
        if unit is not None and unit != meter.facts.unit:
            _require_unit(unit, meter.facts)
        raw = _raw(row.get("raw"))
        judged = meter.judge(raw)
        if judged.fault is not None:
            raise RowError("raw", judged.fault, raw)
        return Taken(index, meter, at, day, told_at, raw, judged, meter.calibrated)

    def _instant(self, text: Any, meter: Meter) -> "_Instant":
        if type(text) is not str:
            raise RowError("taken_at", "missing" if text is None else "instant_unreadable", text)
        known = self._instants[meter.site.utility.timezone]
        found = known.get(text)
        if found is None:
            found = known[text] = _read_instant(text, meter.site.judges.zone)
        if found.at > self._now:
            raise RowError("taken_at", "in_future", text)
        return found


class _Instant(NamedTuple):
    """An instant in UTC, its civil day, and how entries write it."""

    at: datetime
    day: date
    told: str


def _unnamed(given: object) -> RowError:
    if type(given) is str:
        return RowError("instrument", "unknown_instrument", given)
    return RowError("instrument", "missing" if given is None else "unreadable", given)


def _read_instant(text: str, zone: ZoneInfo) -> _Instant:
    if _INSTANT.fullmatch(text) is None:
        raise RowError("taken_at", "instant_unreadable", text)
    try:
        given = datetime.fromisoformat(text.upper())
        if not FIRST_YEAR <= given.year <= LAST_YEAR:
            raise RowError("taken_at", "year_out_of_range", text)
        aware = given if given.tzinfo is not None else given.replace(tzinfo=zone)
        at = aware.astimezone(UTC)
        return _Instant(at, aware.astimezone(zone).date(), instant_text(at))
    except ValueError as error:
        raise RowError("taken_at", "instant_unreadable", text) from error


def _require_in_place(facts: Facts, day: date) -> None:
    if day < facts.installed_on:
        raise RowError("taken_at", "before_installation", day, on=facts.installed_on)
    if facts.removed_on is not None and day > facts.removed_on:
        raise RowError("taken_at", "after_removal", day, on=facts.removed_on)


def _require_unit(unit: object, facts: Facts) -> None:
    if type(unit) is not str or not unit_fits(facts.unit, unit):
        raise RowError("unit", "unit_differs", unit, wanted=facts.unit or "—")


def _raw(given: Any) -> str:
    """Return the text of a value; a number of JSON is the text it was written as, shortest."""
    if type(given) is str:
        stripped = given.strip()
        if len(stripped) > _LONGEST_RAW or not stripped.isprintable():
            raise RowError("raw", "unreadable", given)
        return stripped
    if given is None:
        raise RowError("raw", "missing")
    if type(given) is float or (type(given) is int and abs(given) < _LARGEST_WHOLE):
        text = format(Decimal(repr(given)), "f")
        if len(text) <= _LONGEST_RAW:
            return text
    raise RowError("raw", "unreadable", given)
