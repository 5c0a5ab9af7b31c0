"""Facilities (二次供水设施), their tanks, zones and buildings."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import (
    decimal_field,
    enum_field,
    id_field,
    json_field,
    optional_reference,
    reference,
)


class FacilityKind(StrEnum):
    """Whom the facility supplies; the rulebook decides which kinds are in scope."""

    high_rise_residential = "high_rise_residential"
    high_rise_office = "high_rise_office"
    apartment = "apartment"
    multi_storey = "multi_storey"
    fire = "fire"
    direct_drinking = "direct_drinking"
    rooftop_tank = "rooftop_tank"


class SupplyMode(StrEnum):
    """How the water is boosted; `direct_boost` (管网叠压) has no tank."""

    tank_variable_speed = "tank_variable_speed"
    tank_fixed_speed = "tank_fixed_speed"
    boxed_no_negative_pressure = "boxed_no_negative_pressure"
    direct_boost = "direct_boost"


class Disinfectant(StrEnum):
    """The network's disinfectant: whose residual counts."""

    chlorine = "chlorine"
    chloramine = "chloramine"
    chlorine_dioxide = "chlorine_dioxide"
    ozone = "ozone"


class Facility(SQLModel, table=True):
    """A pump room with all between the city's pipe and the users' meters (art. 3)."""

    __table_args__ = (UniqueConstraint("utility_id", "code"),)

    id: str = id_field()
    utility_id: str = reference("utility")
    ledger_id: str = Field(max_length=32)
    code: str = Field(max_length=60)
    name: str = Field(max_length=200)
    kind: FacilityKind = enum_field(FacilityKind)
    district: str | None = Field(default=None, max_length=100)
    address: str | None = Field(default=None, max_length=300)
    supply_mode: SupplyMode | None = enum_field(SupplyMode, default=None)
    tankless: bool = False
    pressure_zones: int | None = None
    inside_area: bool = True
    disinfectant: Disinfectant = enum_field(Disinfectant, default=Disinfectant.chlorine)
    accepted_on: date | None = None
    handed_over_on: date | None = None
    in_service_on: date | None = None
    out_of_use_on: date | None = None
    merged_into_id: str | None = optional_reference("facility", index=False)
    manager_name: str | None = Field(default=None, max_length=60)
    manager_staff_id: str | None = optional_reference("staff", index=False)
    longitude: Decimal | None = decimal_field()
    latitude: Decimal | None = decimal_field()
    electricity_meter: str | None = Field(default=None, max_length=60)
    in_scope: bool = True
    scope_clause: str = Field(default="", max_length=60)
    version: int = 1


class Zone(SQLModel, table=True):
    """A pressure zone of a facility (低区, 高区)."""

    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    name: str = Field(max_length=60)


class Building(SQLModel, table=True):
    """A building served by a facility."""

    __table_args__ = (UniqueConstraint("facility_id", "code"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    code: str = Field(max_length=60)
    name: str | None = Field(default=None, max_length=200)
    units: int | None = None
    floors: int | None = None
    zones: list[str] = json_field(default_factory=list)
    version: int = 1


class Tank(SQLModel, table=True):
    """A storage tank: the subject of the half-yearly cleaning (reading: counted per tank)."""

    __table_args__ = (UniqueConstraint("facility_id", "code"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    code: str = Field(max_length=60)
    material: str | None = Field(default=None, max_length=60)
    volume_m3: Decimal | None = decimal_field()
    isolable: bool = False
    in_use_on: date | None = None
    out_of_use_on: date | None = None
    merged_into_id: str | None = optional_reference("tank", index=False)
    version: int = 1
