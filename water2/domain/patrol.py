"""Patrol rounds (巡检)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, optional_reference, reference
from water2.rules.flags import FlagCode


class PatrolKind(StrEnum):
    """The monthly hygiene round and the weekly look at the equipment."""

    hygiene = "hygiene"
    equipment = "equipment"


class Patrol(SQLModel, table=True):
    """A round that was made, with its checklist and readings."""

    __table_args__ = (Index("ix_patrol_listed", "utility_id", "patrolled_at", "id"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    kind: PatrolKind = enum_field(PatrolKind)
    patrolled_at: datetime
    patrolled_on: date
    patrolled_by: str | None = optional_reference("staff", index=False)
    record: dict[str, Any] = json_field()
    abnormal: list[str] = json_field(default_factory=list)
    recorded_at: datetime
    late_reason: str | None = Field(default=None, max_length=500)
    flags: list[FlagCode] = json_field(default_factory=list)
