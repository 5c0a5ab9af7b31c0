"""Quality anomalies (水质异常, art. 18.2): what was found, what was done about it and when."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, optional_reference, reference
from water2.domain.water import Point
from water2.rules.flags import FlagCode


class AnomalySource(StrEnum):
    """Who or what found that the water may be bad."""

    result = "result"
    instrument = "instrument"
    complaint = "complaint"
    patrol = "patrol"
    person = "person"


class AnomalyState(StrEnum):
    """open → supply_stopped → resumed → closed; a new failure of a resumed one opens it again.

    historical: found in old files; no clock runs, nothing is stopped, nobody is told.
    """

    open = "open"
    supply_stopped = "supply_stopped"
    resumed = "resumed"
    closed = "closed"
    historical = "historical"


UNRESOLVED = frozenset({AnomalyState.open, AnomalyState.supply_stopped})
"""The water is not known to be fit again."""
CURRENT = UNRESOLVED | {AnomalyState.resumed}


class Anomaly(SQLModel, table=True):
    """An anomaly of a facility's water.

    Its clocks run from `found_at`, of one that opened again from that failure. `stopped_at` is when
    supply first stopped, `cut_off_at` when every affected tap was, `*_at` of the other steps when
    they first happened, `*_entered_at` when that was entered. `danger_at` is when it was first
    judged to endanger health: from then on reports are owed, whatever is judged later.
    `earlier_flags` are those it had before it opened again. `wake_at` is when a clock next has to
    be looked at; empty while none runs.
    """

    __table_args__ = (
        Index("ix_anomaly_listed", "utility_id", "opened_at", "id"),
        Index(
            "ix_anomaly_wake",
            "wake_at",
            sqlite_where=text("wake_at IS NOT NULL"),
            postgresql_where=text("wake_at IS NOT NULL"),
        ),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    number: str = Field(max_length=40, unique=True)
    state: AnomalyState = enum_field(AnomalyState)
    source: AnomalySource = enum_field(AnomalySource)
    found_at: datetime
    opened_at: datetime
    outage_id: str | None = optional_reference("outage")
    stopped_at: datetime | None = None
    cut_off_at: datetime | None = None
    cut_off_entered_at: datetime | None = None
    departed: bool = False  # supply was, for a time, stopped at less than every affected tap
    departure_unexplained: bool = False
    findings_at: datetime | None = None
    findings_entered_at: datetime | None = None
    controls_at: datetime | None = None
    assessed_at: datetime | None = None
    endangers_health: bool | None = None  # as judged last
    outbreak: bool = False  # of the kind the State wants reported within two hours
    danger_at: datetime | None = None
    resumed_at: datetime | None = None
    closed_at: datetime | None = None
    earlier_flags: list[FlagCode] = json_field(default_factory=list)
    wake_at: datetime | None = None
    version: int = 1


class AnomalyCause(SQLModel, table=True):
    """One thing that tells of an anomaly: a failed item, an excursion, a complaint, a word.

    `open_key` says what is wrong where (facility and parameter). It is held by the first cause of
    an anomaly that is not closed, and unique: there are never two open anomalies for one cause.
    """

    __tablename__ = "anomaly_cause"

    __table_args__ = (
        UniqueConstraint("anomaly_id", "sample_id", "parameter"),
        Index("ix_anomaly_cause_sample", "sample_id"),
        Index("ix_anomaly_cause_told", "anomaly_id", "found_at"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    anomaly_id: str = reference("anomaly", index=False)
    open_key: str | None = Field(default=None, max_length=120, unique=True)
    source: AnomalySource = enum_field(AnomalySource)
    found_at: datetime
    parameter: str | None = Field(default=None, max_length=40)
    point: Point | None = enum_field(Point, default=None)
    tank_id: str | None = optional_reference("tank", index=False)
    sample_id: str | None = optional_reference("sample", index=False)
    instrument_id: str | None = Field(default=None, max_length=32)
    note: str | None = Field(default=None, max_length=500)
    recorded_at: datetime
    recorded_by: str = Field(max_length=32)  # the user


class AnomalyActKind(StrEnum):
    """What was done about an anomaly."""

    supply_stopped = "supply_stopped"
    findings = "findings"
    controls = "controls"
    assessment = "assessment"
    reopened = "reopened"
    resumed = "resumed"
    closed = "closed"
    escalated = "escalated"


class AnomalyAct(SQLModel, table=True):
    """One act on an anomaly, never changed: its words, and what else there is to know in `data`.

    `ordinal` orders the acts of an anomaly, also those of one instant.
    """

    __tablename__ = "anomaly_act"

    __table_args__ = (Index("ix_anomaly_act_told", "anomaly_id", "ordinal"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    anomaly_id: str = reference("anomaly", index=False)
    ordinal: int
    kind: AnomalyActKind = enum_field(AnomalyActKind)
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: str = Field(max_length=32)  # the user
    text: str | None = Field(default=None, max_length=2000)
    suspected_cause: str | None = Field(default=None, max_length=500)  # with findings
    data: dict[str, object] = json_field(default_factory=dict)


class AnomalyEscalation(SQLModel, table=True):
    """That a step, or a report, was past its clock, said once to each level.

    `subject_id` is the anomaly's or the report's; messages refer to the escalation.
    """

    __tablename__ = "anomaly_escalation"

    __table_args__ = (UniqueConstraint("subject_id", "step", "level", "due_at"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    anomaly_id: str = reference("anomaly")
    subject_id: str = Field(max_length=32)
    step: str = Field(max_length=20)
    level: str = Field(max_length=20)  # managers, regulators
    due_at: datetime
    made_at: datetime
