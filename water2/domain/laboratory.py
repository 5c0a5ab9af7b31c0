"""Laboratories, what they are accredited for (CMA), and the reports they issue."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import (
    enum_field,
    id_field,
    json_field,
    optional_reference,
    reference,
)
from water2.domain.water import SampleVerdict
from water2.rules.flags import FlagCode


class Laboratory(SQLModel, table=True):
    """A laboratory a utility has its water tested by; with an organisation it enters its own."""

    __table_args__ = (
        UniqueConstraint("utility_id", "name"),
        UniqueConstraint("utility_id", "organisation_id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    organisation_id: str | None = optional_reference("organisation")
    name: str = Field(max_length=200)
    recorded_at: datetime


class LabAccreditation(SQLModel, table=True):
    """An accreditation of a laboratory; both days are included. No items: the scope is unknown."""

    __tablename__ = "lab_accreditation"
    __table_args__ = (UniqueConstraint("laboratory_id", "number", "valid_from"),)

    id: str = id_field()
    utility_id: str = reference("utility")
    laboratory_id: str = reference("laboratory", index=False)
    number: str = Field(max_length=60)
    valid_from: date
    valid_to: date | None = None
    items: list[str] = json_field(default_factory=list)
    recorded_at: datetime


class LabReport(SQLModel, table=True):
    """One version of a report as it was submitted; never edited, only replaced by the next.

    `told` are its samples with their results as they were judged when it came: they stay readable
    when a later version has replaced them. `organisation_id` is the laboratory's that entered it
    itself; empty where the utility did.
    """

    __tablename__ = "lab_report"
    __table_args__ = (
        UniqueConstraint("utility_id", "number", "laboratory", "version"),
        Index("ix_lab_report_own", "organisation_id", "number", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    organisation_id: str | None = optional_reference("organisation", index=False)
    laboratory_id: str | None = optional_reference("laboratory")
    number: str = Field(max_length=60)
    version: int
    laboratory: str = Field(max_length=200)
    accreditation_number: str | None = Field(default=None, max_length=60)
    accreditation_valid_to: date | None = None
    client: str | None = Field(default=None, max_length=200)
    test_kind: str | None = Field(default=None, max_length=60)
    received_on: date | None = None
    tested_on: date | None = None
    issued_on: date | None = None
    basis: str | None = Field(default=None, max_length=500)
    conclusion: SampleVerdict | None = enum_field(SampleVerdict, default=None)
    tester: str | None = Field(default=None, max_length=100)
    reviewer: str | None = Field(default=None, max_length=100)
    issuer: str | None = Field(default=None, max_length=100)
    scan_sha256: str | None = Field(default=None, max_length=64)
    replaces_id: str | None = Field(
        default=None, foreign_key="lab_report.id", max_length=32, unique=True
    )
    reason: str | None = Field(default=None, max_length=500)  # of the new version
    content_sha256: str = Field(max_length=64)  # of the report as it was sent
    told: list[dict[str, Any]] = json_field(default_factory=list)
    flags: list[FlagCode] = json_field(default_factory=list)
    submitted_by: str = Field(max_length=32)
    submitted_at: datetime
