"""Cleanings and disinfections that happened (水箱清洗消毒记录), and inspections of other places."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, json_field, optional_reference, reference
from water2.rules.flags import FlagCode


class Cleaning(SQLModel, table=True):
    """The cleaning of one tank, or of a facility without one.

    `credited_on` is filled when its own after-cleaning sample passed; the duty's clock then runs
    from `cleaned_on`.
    """

    __table_args__ = (
        Index("ix_cleaning_code", "utility_id", "code", unique=True),
        Index("ix_cleaning_listed", "utility_id", "recorded_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    tank_id: str | None = optional_reference("tank", index=False)
    subject_id: str = Field(max_length=32, index=True)  # the tank, or the facility without one
    code: str | None = Field(default=None, max_length=60)  # 记录编号
    work_order_id: str | None = optional_reference("work_order")
    cleaned_on: date
    record: dict[str, Any] = json_field()  # the fields of practice.md section 4, as given
    sampled_on: date | None = None
    report_number: str | None = Field(default=None, max_length=60, index=True)
    credited_on: date | None = None  # the day of the passing sample
    recorded_at: datetime
    late_reason: str | None = Field(default=None, max_length=500)  # filled: a late entry (补记)
    violations: list[dict[str, Any]] = json_field(default_factory=list)
    flags: list[FlagCode] = json_field(default_factory=list)
    returned_to_service_at: datetime | None = None
    import_id: str | None = Field(default=None, max_length=32, index=True)


class Inspection(SQLModel, table=True):
    """A tank's inspection reported under a rulebook that demands one (New York)."""

    __table_args__ = (
        Index("ix_inspection_code", "utility_id", "code", unique=True),
        Index("ix_inspection_listed", "utility_id", "recorded_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    tank_id: str = reference("tank")
    code: str = Field(max_length=60)
    inspected_on: date | None = None  # empty: reported as not performed
    record: dict[str, Any] = json_field()
    recorded_at: datetime
    flags: list[FlagCode] = json_field(default_factory=list)
    import_id: str | None = Field(default=None, max_length=32, index=True)
