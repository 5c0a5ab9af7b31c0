"""Reminders, coalesced per person into one digest a day; sending comes with the notices."""

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, optional_reference, reference


class Digest(SQLModel, table=True):
    """What one person is reminded of on one day; no person: the utility's managers."""

    __table_args__ = (UniqueConstraint("utility_id", "recipient", "made_on"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    recipient: str = Field(max_length=32)  # a staff id, or "managers"
    staff_id: str | None = optional_reference("staff", index=False)
    made_on: date
    made_at: datetime
    sent_at: datetime | None = None


class Reminder(SQLModel, table=True):
    """One duty in a digest. `step` is the days ahead, or the date when it is overdue."""

    __table_args__ = (UniqueConstraint("duty_id", "step", "recipient", "due_on"),)

    id: str = id_field()
    duty_id: str = Field(max_length=32)  # no foreign key: late facts may dissolve a derived duty
    due_on: date
    digest_id: str = reference("digest")
    recipient: str = Field(max_length=32)
    step: str = Field(max_length=10)
