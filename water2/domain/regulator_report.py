"""Reports of pollution to the health and the water regulator (art. 18.2)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, optional_reference, reference


class Regulator(StrEnum):
    """To whom: each gets a report of its own, and sees the other's too (art. 4)."""

    health = "health"
    water = "water"


class ReportKind(StrEnum):
    """初报, 续报, 终报."""

    first = "first"
    progress = "progress"
    final = "final"


class ReportState(StrEnum):
    """due → sent → acknowledged; withdrawn: a progress report nothing calls for any more."""

    due = "due"
    sent = "sent"
    acknowledged = "acknowledged"
    withdrawn = "withdrawn"


class RegulatorReport(SQLModel, table=True):
    """One report to one regulator. What it says is frozen at sending, encrypted: it names people.

    `due_at` is when it should be sent in writing, `phone_due_at` by when a first one is told by
    telephone. `law`: the State's two hours for outbreaks; else both are targets. `drafted_by` is
    empty for what only fell due. `wake_at` is when lateness next has to be looked at.
    """

    __tablename__ = "regulator_report"

    __table_args__ = (
        UniqueConstraint("anomaly_id", "regulator", "kind", "ordinal"),
        Index("ix_regulator_report_listed", "utility_id", "created_at", "id"),
        Index(
            "ix_regulator_report_wake",
            "wake_at",
            sqlite_where=text("wake_at IS NOT NULL"),
            postgresql_where=text("wake_at IS NOT NULL"),
        ),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    anomaly_id: str = reference("anomaly", index=False)
    number: str = Field(max_length=40, unique=True)
    regulator: Regulator = enum_field(Regulator)
    kind: ReportKind = enum_field(ReportKind)
    ordinal: int  # of its kind, from 1
    state: ReportState = enum_field(ReportState, default=ReportState.due)
    law: bool = False
    created_at: datetime
    due_at: datetime
    phone_due_at: datetime | None = None
    phoned_at: datetime | None = None
    phone_entered_at: datetime | None = None
    phoned_by: str | None = Field(default=None, max_length=32)  # the user
    phone_note_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    drafted_by: str | None = Field(default=None, max_length=32)
    draft_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    content_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    content_sha256: str | None = Field(default=None, max_length=64)
    sent_at: datetime | None = None
    sent_by: str | None = Field(default=None, max_length=32)
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = Field(default=None, max_length=32)
    acknowledgement: str | None = Field(default=None, max_length=500)
    wake_at: datetime | None = None
    version: int = 1


class ReportMessage(SQLModel, table=True):
    """A regulator's request about an anomaly's reports, or the utility's answer to one."""

    __tablename__ = "report_message"

    __table_args__ = (Index("ix_report_message_told", "report_id", "written_at"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    report_id: str = reference("regulator_report", index=False)
    answers_id: str | None = optional_reference("report_message", index=False)
    written_at: datetime
    written_by: str = Field(max_length=32)  # the user
    text: str = Field(max_length=2000)
