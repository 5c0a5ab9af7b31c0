"""The utility's emergency plan (应急预案), its drills, and what they found."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, json_field, reference
from water2.rules.flags import FlagCode


class EmergencyPlan(SQLModel, table=True):
    """One version of the plan: never edited; the next one takes its place.

    Its words are `text`, or a file kept by its hash, or both.
    """

    __tablename__ = "emergency_plan"
    __table_args__ = (
        UniqueConstraint("utility_id", "version"),
        Index("ix_emergency_plan_listed", "utility_id", "recorded_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    version: int
    title: str = Field(max_length=200)
    text: str | None = None
    file_sha256: str | None = Field(default=None, max_length=64)
    file_name: str | None = Field(default=None, max_length=200)
    issued_on: date
    review_on: date | None = None  # its own day; the rulebook's interval may be the earlier
    approved_by: str = reference("staff", index=False)
    changes: str | None = Field(default=None, max_length=2000)
    recorded_by: str = Field(max_length=32)
    recorded_at: datetime


class EmergencyDrill(SQLModel, table=True):
    """A drill of one version; `participants` are people by id."""

    __tablename__ = "emergency_drill"
    __table_args__ = (Index("ix_emergency_drill_listed", "utility_id", "recorded_at", "id"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    plan_id: str = reference("emergency_plan")
    held_on: date
    scenario: str = Field(max_length=2000)
    participants: list[str] = json_field(default_factory=list)
    recorded_by: str = Field(max_length=32)
    recorded_at: datetime
    late_reason: str | None = Field(default=None, max_length=500)
    flags: list[FlagCode] = json_field(default_factory=list)


class DrillFinding(SQLModel, table=True):
    """What a drill showed and what is to be done about it; open until `done_on`."""

    __tablename__ = "drill_finding"
    __table_args__ = (
        UniqueConstraint("drill_id", "number"),
        Index("ix_drill_finding_listed", "utility_id", "recorded_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    drill_id: str = reference("emergency_drill", index=False)
    number: int
    finding: str = Field(max_length=500)
    to_do: str = Field(max_length=500)
    due_on: date | None = None
    done_on: date | None = None
    done_note: str | None = Field(default=None, max_length=500)
    recorded_at: datetime
