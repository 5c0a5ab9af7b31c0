"""Duties: what a provision demands of a subject by a day."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, optional_reference, reference


class SubjectType(StrEnum):
    """Of whom or what something is demanded."""

    tank = "tank"
    facility = "facility"
    person = "person"
    utility = "utility"
    sampling_plan = "sampling_plan"
    cleaning = "cleaning"  # one cleaning, which wants its own sample


class DutyState(StrEnum):
    """Derived from the dates when read, never stored."""

    upcoming = "upcoming"
    open = "open"
    due_soon = "due_soon"
    overdue = "overdue"
    satisfied = "satisfied"
    withdrawn = "withdrawn"


class EndReason(StrEnum):
    """Why a duty ended without being satisfied."""

    out_of_use = "out_of_use"
    merged = "merged"
    left = "left"
    no_longer_in_scope = "no_longer_in_scope"
    no_longer_handles_water = "no_longer_handles_water"
    plan_ended = "plan_ended"
    superseded = "superseded"


class Duty(SQLModel, table=True):
    """One link of a subject's chain; at most one link of a chain is unsatisfied and not ended.

    `wake_on` is the next civil day on which the sweep has something to do with it, or empty: the
    one indexed column the sweep looks at, so that an idle sweep costs the same for any fleet. The
    duties of a day lie in it by facility: one visit is opened at once.

    Every index is paid for whenever the sweep marks a duty: the unique keys begin with the subject,
    so that none is needed for it alone.
    """

    __table_args__ = (
        UniqueConstraint("subject_id", "obligation", "ordinal"),
        Index(
            "ix_duty_one_unsatisfied",
            "subject_id",
            "obligation",
            unique=True,
            sqlite_where=text("satisfied_on IS NULL AND ended_on IS NULL"),
            postgresql_where=text("satisfied_on IS NULL AND ended_on IS NULL"),
        ),
        Index(
            "ix_duty_wake",
            "utility_id",
            "wake_on",
            "facility_id",
            sqlite_where=text("wake_on IS NOT NULL"),
            postgresql_where=text("wake_on IS NOT NULL"),
        ),
        Index("ix_duty_due", "utility_id", "due_on", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    obligation: str = Field(max_length=60)
    subject_type: SubjectType = enum_field(SubjectType)
    subject_id: str = Field(max_length=32)
    facility_id: str | None = optional_reference("facility")
    ordinal: int
    due_on: date
    opens_on: date
    runs_from: date
    opened_at: datetime | None = None
    wake_on: date | None = None
    satisfied_on: date | None = None
    satisfied_by: str | None = Field(default=None, max_length=32)
    ended_on: date | None = None
    end_reason: EndReason | None = enum_field(EndReason, default=None)
    covered_periods: list[str] = json_field(default_factory=list)


class DutyDates(NamedTuple):
    """The dates a duty's state follows from."""

    due_on: date
    opens_on: date
    satisfied_on: date | None = None
    ended_on: date | None = None


def state_of(duty: DutyDates, today: date, due_soon_days: int) -> DutyState:
    """Derive the state; the due day itself is not late.

    `due_soon_days` is the rulebook's setting: how long before the due day it is due soon.
    """
    if duty.satisfied_on is not None:
        return DutyState.satisfied
    if duty.ended_on is not None:
        return DutyState.withdrawn
    if duty.due_on < today:
        return DutyState.overdue
    if duty.due_on <= today + timedelta(days=due_soon_days):
        return DutyState.due_soon
    return DutyState.open if duty.opens_on <= today else DutyState.upcoming


def days_overdue(duty: DutyDates, today: date) -> int:
    """Return how late the duty is, or was when it was satisfied or ended; 0 when in time."""
    until = duty.satisfied_on or duty.ended_on or today
    return max(0, (until - duty.due_on).days)
