"""The kinds of rows an import takes, in the order they depend on each other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from water2.domain import folding
from water2.domain.facility import FacilityKind, SupplyMode
from water2.domain.folding import CellError
from water2.domain.water import Point, SampleVerdict
from water2.rules.flags import FlagCode
from water2.services.importing.fields import (
    LONGEST_CODE,
    RECORD,
    RESULT,
    Field,
    any_day,
    between,
    choice,
    count,
    number_or_text,
    past_day,
    past_moment,
    past_year,
    plain,
    positive,
    text,
)

Values = Mapping[str, Any]


class FieldError(CellError):
    """A row's cells contradict each other; `field` is the one to look at."""

    def __init__(self, field: str, code: str, **facts: object) -> None:
        super().__init__(code, **facts)
        self.field = field


RowCheck = Callable[[Values], Iterable[FlagCode]]
"""Looks at a whole row: yields flags, raises FieldError for what cannot be true."""


@dataclass(frozen=True)
class Kind:
    """A kind of row. `extras` are the prefixes of fields it takes beside its own."""

    name: str
    fields: tuple[Field, ...]
    checks: tuple[RowCheck, ...] = ()
    extras: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the fields that together name the thing a row is about."""
        return tuple(field.name for field in self.fields if field.identity)

    def field(self, name: str) -> Field | None:
        """Return a field by name."""
        return next((field for field in self.fields if field.name == name), None)


def _code(name: str) -> Field:
    return Field(name, text(LONGEST_CODE), required=True, identity=True)


def _flag_if_empty(name: str, flag: FlagCode) -> RowCheck:
    return lambda row: (flag,) if name in row and not row[name] else ()


def _in_turn(row: Values) -> Iterable[FlagCode]:
    """Accepted, handed over, put into use: another order is irregular, but happens."""
    accepted, handed, used = (
        row.get(name) for name in ("accepted_on", "handed_over_on", "in_service_on")
    )
    if accepted and ((handed and handed < accepted) or (used and used < accepted)):
        yield FlagCode.before_acceptance


def _certificate_in_turn(row: Values) -> Iterable[FlagCode]:
    examined, valid_to = row.get("examined_on"), row.get("valid_to")
    if examined and valid_to and valid_to < examined:
        raise FieldError("valid_to", "before_start", start=examined.isoformat())
    if row.get("health_number") and not examined:
        raise FieldError("examined_on", "empty")
    return ()


def _sample_dated(row: Values) -> Iterable[FlagCode]:
    if (row.get("conclusion") or row.get("report_number")) and not row.get("sampled_on"):
        yield FlagCode.sample_undated


def _outlet_of_a_tank(row: Values) -> Iterable[FlagCode]:
    if row["point"] is Point.outlet and not row.get("tank_code"):
        yield FlagCode.outlet_without_tank


def _year_known(row: Values) -> Iterable[FlagCode]:
    if row.get("year") is None and row.get("inspected_on") is None:
        raise FieldError("year", "empty")
    return ()


_COORDINATES = (Field("longitude", between(-180, 180)), Field("latitude", between(-90, 90)))

FACILITY = Kind(
    "facility",
    (
        _code("code"),
        Field("name", text(200), required=True),
        Field("district", text(100)),
        Field("address", text(300)),
        Field("supply_mode", choice(SupplyMode)),
        Field("kind", choice(FacilityKind), required=True),
        Field("pressure_zones", count(20)),
        Field("accepted_on", past_day),
        Field("handed_over_on", past_day),
        Field("in_service_on", any_day),
        Field("manager_name", text(LONGEST_CODE)),
        Field("phones", plain(folding.read_phones), personal=True),
        *_COORDINATES,
        Field("electricity_meter", text(LONGEST_CODE)),
    ),
    (
        _in_turn,
        _flag_if_empty("manager_name", FlagCode.no_manager),
        _flag_if_empty("phones", FlagCode.no_contact),
        _flag_if_empty("electricity_meter", FlagCode.no_meter),
    ),
)
TANK = Kind(
    "tank",
    (
        _code("facility_code"),
        _code("code"),
        Field("material", text(LONGEST_CODE)),
        Field("volume_m3", positive(100_000)),
        Field("isolable", plain(folding.read_yes_no)),
        Field("in_use_on", any_day),
    ),
    (_flag_if_empty("volume_m3", FlagCode.no_volume),),
)
BUILDING = Kind(
    "building",
    (
        _code("facility_code"),
        _code("code"),
        Field("units", count(100)),
        Field("floors", count(200)),
        Field("zones", plain(folding.read_list)),
    ),
)
HOUSEHOLD = Kind(
    "household",
    (
        _code("code"),
        Field("facility_code", text(LONGEST_CODE), required=True),
        Field("building_code", text(LONGEST_CODE), required=True),
        Field("unit", text(LONGEST_CODE)),
        Field("room", text(LONGEST_CODE), required=True),
        Field("holder", text(200), personal=True),
        Field("phones", plain(folding.read_phones), personal=True),
        Field("mail", plain(folding.read_mail), personal=True),
        Field("needs_care", plain(folding.read_yes_no)),
    ),
)
STAFF = Kind(
    "staff",
    (
        _code("code"),
        Field("name", text(100), required=True),
        Field("employer", text(200), required=True),
        Field("post", text(LONGEST_CODE)),
        Field("handles_water", plain(folding.read_yes_no), required=True),
        Field("trained_on", past_day),
        Field("training_number", text(LONGEST_CODE)),
        Field("health_number", text(LONGEST_CODE), identity=True),
        Field("examined_on", past_day),
        Field("valid_to", any_day),
        Field("issuer", text(200)),
        Field("left", plain(folding.read_yes_no)),
    ),
    (_certificate_in_turn,),
)
CLEANING = Kind(
    "cleaning",
    (
        _code("code"),
        Field("facility_code", text(LONGEST_CODE), required=True),
        Field("tank_code", text(LONGEST_CODE)),
        Field("cleaned_on", past_day, required=True),
        Field("firm", text(200)),
        Field("people", plain(folding.read_list)),
        Field("disinfectant", text(100)),
        Field("batch", text(LONGEST_CODE)),
        Field("concentration_mg_l", positive(1_000_000)),
        Field("contact_minutes", count(10_080)),
        Field("drained", plain(folding.read_clock_range)),
        Field("refilled", plain(folding.read_clock_range)),
        Field("sampled_on", past_day),
        Field("report_number", text(LONGEST_CODE)),
        Field("conclusion", choice(SampleVerdict)),
        Field("outage_number", text(LONGEST_CODE)),
        Field("entered_on", past_day),
        Field("remarks", text(1000)),
    ),
    (_sample_dated, _flag_if_empty("people", FlagCode.no_people)),
    extras=(RECORD,),
)
SAMPLE = Kind(
    "sample",
    (
        Field("report_number", text(LONGEST_CODE), identity=True),
        Field("facility_code", text(LONGEST_CODE), required=True, identity=True),
        Field("tank_code", text(LONGEST_CODE), identity=True),
        Field("point", choice(Point), required=True, identity=True),
        Field("sampled_at", past_moment, required=True, identity=True),
        Field("sampled_by", text(LONGEST_CODE)),
        Field("laboratory", text(200)),
        Field("accreditation_number", text(LONGEST_CODE)),
        Field("accreditation_valid_to", any_day),
        Field("issued_on", past_day),
        Field("conclusion", choice(SampleVerdict)),
    ),
    (_outlet_of_a_tank,),
    extras=(RESULT,),
)
INSPECTION = Kind(
    "inspection",
    (
        _code("report_number"),
        Field("tank_code", plain(number_or_text), required=True, identity=True),
        Field("facility_code", plain(number_or_text), required=True),
        Field("facility_kind", choice(FacilityKind), required=True),
        Field("district", text(100)),
        Field("address", text(300)),
        *_COORDINATES,
        Field("year", past_year),
        Field("performed", plain(folding.read_yes_no)),
        Field("inspected_on", past_day),
        Field("inspected_by", text(200)),
        Field("laboratory", text(200)),
    ),
    (_year_known,),
    extras=(RESULT, RECORD),
)
KINDS = (FACILITY, TANK, BUILDING, HOUSEHOLD, STAFF, CLEANING, SAMPLE, INSPECTION)
