"""Work orders (工单): the work a crew does, serving one or several duties."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, optional_reference, reference


class WorkOrderKind(StrEnum):
    """What the crew is sent to do."""

    cleaning = "cleaning"
    inspection = "inspection"


class WorkOrderState(StrEnum):
    """open → planned → started → completed, or cancelled."""

    open = "open"
    planned = "planned"
    started = "started"
    completed = "completed"
    cancelled = "cancelled"


class Origin(StrEnum):
    """Who opened the order: the sweep ahead of a due day, or a person."""

    sweep = "sweep"
    person = "person"


class WithdrawnBecause(StrEnum):
    """Why an assignment ended before the work."""

    certificate_lapsed = "certificate_lapsed"
    certificate_revoked = "certificate_revoked"
    left = "left"
    replanned = "replanned"


class WorkOrder(SQLModel, table=True):
    """A visit of a crew to a facility.

    Of the orders the sweep opened, a facility has one of a kind at most that nobody planned yet:
    whatever comes due joins it. An order never becomes open again.
    """

    __tablename__ = "work_order"

    __table_args__ = (
        Index(
            "ix_work_order_unplanned",
            "facility_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'open' AND origin = 'sweep'"),
            postgresql_where=text("state = 'open' AND origin = 'sweep'"),
        ),
        Index("ix_work_order_listed", "utility_id", "created_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    kind: WorkOrderKind = enum_field(WorkOrderKind)
    state: WorkOrderState = enum_field(WorkOrderState, default=WorkOrderState.open)
    origin: Origin = enum_field(Origin, default=Origin.person)
    created_at: datetime
    planned_on: date | None = None
    stops_supply: bool | None = None
    outage_id: str | None = Field(default=None, max_length=32)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancel_reason: str | None = Field(default=None, max_length=500)
    version: int = 1


class WorkOrderTask(SQLModel, table=True):
    """A tank (or the facility itself, when it has none) the order is about.

    `live` tasks belong to orders neither completed nor cancelled: one per subject and sweep order.
    """

    __tablename__ = "work_order_task"

    __table_args__ = (
        Index(
            "ix_work_order_task_live",
            "subject_id",
            sqlite_where=text("live = 1"),  # as the condition is written to SQLite
            postgresql_where=text("live"),
        ),
    )

    id: str = id_field()
    work_order_id: str = reference("work_order")
    subject_id: str = Field(max_length=32)
    tank_id: str | None = optional_reference("tank", index=False)
    live: bool = True
    cleaning_id: str | None = Field(default=None, max_length=32)


class Assignment(SQLModel, table=True):
    """A person sent on a work order."""

    id: str = id_field()
    work_order_id: str = reference("work_order")
    staff_id: str = reference("staff")
    assigned_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_because: WithdrawnBecause | None = enum_field(WithdrawnBecause, default=None)
