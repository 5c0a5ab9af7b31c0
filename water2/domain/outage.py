"""Outages (停水): planned and emergency, their extent, window and life; stops without right."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, optional_reference, reference
from water2.rules.flags import FlagCode


class OutageKind(StrEnum):
    """Announced a day ahead, or forced by an urgent repair (art. 15)."""

    planned = "planned"
    emergency = "emergency"


class OutageState(StrEnum):
    """draft → published → in_effect → restored, or cancelled before it takes effect."""

    draft = "draft"
    published = "published"
    in_effect = "in_effect"
    restored = "restored"
    cancelled = "cancelled"


class OutageReason(StrEnum):
    """What the water is stopped for."""

    construction = "construction"
    equipment_repair = "equipment_repair"
    tank_cleaning = "tank_cleaning"
    water_quality = "water_quality"
    other = "other"


CURRENT = frozenset({OutageState.published, OutageState.in_effect})
PUBLIC_STATES = frozenset(
    {
        OutageState.published,
        OutageState.in_effect,
        OutageState.restored,
        OutageState.cancelled,
    }
)


class Outage(SQLModel, table=True):
    """One outage. A draft has a number, but nobody outside may learn of it before publishing.

    `building_ids` empty: the whole facility. `zones` are those it was asked for by. `ends_at` is
    the announced end, of an emergency the estimate; it may lack there. `revision` is that of the
    last notice, 0 before the first.
    """

    __table_args__ = (
        Index("ix_outage_listed", "utility_id", "created_at", "id"),
        Index("ix_outage_announced", "announced_at"),
        Index(
            "ix_outage_current",
            "utility_id",
            "starts_at",
            sqlite_where=text("state IN ('published', 'in_effect')"),
            postgresql_where=text("state IN ('published', 'in_effect')"),
        ),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    work_order_id: str | None = optional_reference("work_order")
    number: str = Field(max_length=40, unique=True)
    kind: OutageKind = enum_field(OutageKind)
    state: OutageState = enum_field(OutageState, default=OutageState.draft)
    reason: OutageReason = enum_field(OutageReason)
    building_ids: list[str] = json_field(default_factory=list)
    zones: list[str] = json_field(default_factory=list)
    starts_at: datetime
    ends_at: datetime | None = None
    detail: str | None = Field(default=None, max_length=500)
    cause: str | None = Field(default=None, max_length=500)
    notice_impossible_because: str | None = Field(default=None, max_length=500)
    approval: str | None = Field(default=None, max_length=200)  # 城市供水条例 art. 22
    authority_report: str | None = Field(default=None, max_length=200)  # the same, emergencies
    water_points: str | None = Field(default=None, max_length=500)
    emergency_supply: str | None = Field(default=None, max_length=500)
    health_advice: str | None = Field(default=None, max_length=500)
    danger: str | None = Field(default=None, max_length=20)  # what kind of item failed
    failed_items: list[str] | None = json_field(default_factory=lambda: None)  # parameters
    retested_at: datetime | None = None  # passing re-tests ended it: the water may be drunk
    revision: int = 0
    created_at: datetime
    published_at: datetime | None = None
    started_at: datetime | None = None
    announced_at: datetime | None = None  # of the last notice
    restored_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = Field(default=None, max_length=500)
    overran: bool = False  # once in effect past its announced end without a notice of it
    update_missed: bool = False  # an emergency's estimate once passed without an update
    version: int = 1


class OutageWarning(SQLModel, table=True):
    """That so many hours before a start households were still to be told, said to the managers."""

    __tablename__ = "outage_warning"

    __table_args__ = (UniqueConstraint("outage_id", "revision", "hours"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    outage_id: str = reference("outage", index=False)
    revision: int
    hours: int
    missing: int
    made_at: datetime


class Poster(SQLModel, table=True):
    """A notice hung at a building's door; evidence for all its households."""

    __table_args__ = (UniqueConstraint("outage_id", "building_id", "posted_at"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    outage_id: str = reference("outage")
    building_id: str = reference("building", index=False)
    revision: int
    posted_at: datetime
    posted_by: str | None = optional_reference("staff", index=False)
    recorded_by: str = Field(max_length=32)  # the user
    recorded_at: datetime
    photo_sha256: str | None = Field(default=None, max_length=64)
    late_reason: str | None = Field(default=None, max_length=500)
    flags: list[FlagCode] = json_field(default_factory=list)


class EvidenceFile(SQLModel, table=True):
    """A photo or document, encrypted: it may show people. Found by the SHA-256 of its bytes."""

    __tablename__ = "evidence_file"

    __table_args__ = (UniqueConstraint("utility_id", "sha256"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    sha256: str = Field(max_length=64)
    media_type: str = Field(max_length=60)
    size_bytes: int
    sealed: bytes
    recorded_at: datetime


class StopSource(StrEnum):
    """Who or what found that the water was off."""

    crew = "crew"
    complaint = "complaint"
    telemetry = "telemetry"
    patrol = "patrol"
    inspector = "inspector"
    other = "other"


class StopState(StrEnum):
    """covered: by an outage in right; else a violation, open until explained and closed."""

    covered = "covered"
    open = "open"
    explained = "explained"
    closed = "closed"


class SupplyStop(SQLModel, table=True):
    """A stop of supply that somebody found; without a valid outage a violation of art. 17(3)."""

    __tablename__ = "supply_stop"

    __table_args__ = (Index("ix_supply_stop_listed", "utility_id", "found_at", "id"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    building_ids: list[str] = json_field(default_factory=list)
    source: StopSource = enum_field(StopSource)
    state: StopState = enum_field(StopState)
    began_at: datetime
    ended_at: datetime | None = None
    found_at: datetime
    note: str | None = Field(default=None, max_length=500)
    outage_id: str | None = optional_reference("outage", index=False)
    explanation: str | None = Field(default=None, max_length=500)
    explained_at: datetime | None = None
    explained_by: str | None = Field(default=None, max_length=32)
    closing_note: str | None = Field(default=None, max_length=500)
    closed_at: datetime | None = None
    closed_by: str | None = Field(default=None, max_length=32)
    version: int = 1
