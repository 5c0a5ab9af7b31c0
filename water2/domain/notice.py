"""Notices (告知): immutable revisions, recipients frozen with each, and reviewable templates."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, reference


class NoticeKind(StrEnum):
    """What a revision tells. `quality` is an emergency's notice that says what it means for health.

    `update`: an emergency's new estimate.
    """

    planned = "planned"
    emergency = "emergency"
    quality = "quality"
    rescheduled = "rescheduled"
    extended = "extended"
    update = "update"
    cancelled = "cancelled"
    restored = "restored"


class Notice(SQLModel, table=True):
    """One revision, as it was published: it never changes. Revisions of an outage share a number.

    `started_earlier`: it brought the start forward, so that all must be told anew.
    """

    __table_args__ = (
        UniqueConstraint("outage_id", "revision"),
        Index("ix_notice_published", "utility_id", "published_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    outage_id: str = reference("outage", index=False)
    facility_id: str = reference("facility", index=False)
    number: str = Field(max_length=40, index=True)
    revision: int
    kind: NoticeKind = enum_field(NoticeKind)
    published_at: datetime
    starts_at: datetime
    ends_at: datetime | None = None
    building_ids: list[str] = json_field(default_factory=list)
    started_earlier: bool = False
    title_zh: str = Field(max_length=300)
    title_en: str = Field(max_length=300)
    text_zh: str
    text_en: str
    short_zh: str = Field(max_length=500)
    fields: dict[str, Any] = json_field()
    text_sha256: str = Field(max_length=64)
    households: int


class NoticeRecipient(SQLModel, table=True):
    """A household frozen with a revision, and one address of it; one row with channel `none` else.

    `since_revision`: evidence of this revision and later ones counts for the household.
    `rank` 0 is its first channel, opened at once; the next ones open when the deadline is at risk.

    Without foreign keys: it is copied from the tables they would name in the same statement, and
    to check each row would cost more than to write it.
    """

    __tablename__ = "notice_recipient"

    notice_id: str = Field(primary_key=True, max_length=32)
    household_id: str = Field(primary_key=True, max_length=32)
    channel: str = Field(primary_key=True, max_length=10)
    address_index: bytes = Field(primary_key=True, sa_type=LargeBinary)
    building_id: str = Field(max_length=32)
    since_revision: int
    rank: int = 0


class NoticeTemplate(SQLModel, table=True):
    """A utility's own words for a kind of notice in one language, from an instant on."""

    __tablename__ = "notice_template"

    __table_args__ = (UniqueConstraint("utility_id", "kind", "language", "version"),)

    id: str = id_field()
    utility_id: str = reference("utility")
    kind: NoticeKind = enum_field(NoticeKind)
    language: str = Field(max_length=2)
    version: int
    title: str = Field(max_length=300)
    text: str
    short: str | None = Field(default=None, max_length=500)
    set_at: datetime
    set_by: str = Field(max_length=32)
