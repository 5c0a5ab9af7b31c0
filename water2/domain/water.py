"""Water samples and their results."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from water2.domain.columns import (
    enum_field,
    id_field,
    json_field,
    optional_reference,
    reference,
)
from water2.rules.flags import FlagCode


class Point(StrEnum):
    """Where the water was taken: 进水, 水箱出水, 末梢水."""

    inlet = "inlet"
    outlet = "outlet"
    terminal = "terminal"


class Purpose(StrEnum):
    """Why the sample was taken; only its own after-cleaning sample credits a cleaning."""

    routine = "routine"
    after_cleaning = "after_cleaning"
    extended = "extended"
    retest = "retest"


class SampleVerdict(StrEnum):
    """What the given items add up to."""

    passed = "pass"
    failed = "fail"
    pending = "pending"


class Sample(SQLModel, table=True):
    """A sample with the report it came by; a report may cover several samples of one visit."""

    __table_args__ = (
        Index("ix_sample_facility_taken", "facility_id", "sampled_on"),
        Index("ix_sample_listed", "utility_id", "recorded_at", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility", index=False)
    tank_id: str | None = optional_reference("tank", index=False)
    cleaning_id: str | None = optional_reference("cleaning")
    point: Point = enum_field(Point)
    purpose: Purpose = enum_field(Purpose)
    sampled_at: datetime | None = None  # empty when only the day is known
    sampled_on: date
    sampled_by: str | None = Field(default=None, max_length=60)
    report_number: str | None = Field(default=None, max_length=60, index=True)
    lab_report_id: str | None = optional_reference("lab_report")
    laboratory: str | None = Field(default=None, max_length=200)
    accreditation_number: str | None = Field(default=None, max_length=60)
    accreditation_valid_to: date | None = None
    issued_on: date | None = None
    conclusion: SampleVerdict | None = enum_field(SampleVerdict, default=None)  # as reported
    verdict: SampleVerdict = enum_field(SampleVerdict)
    counts: bool = True  # False: from a laboratory not accredited that day; serves no duty
    recorded_at: datetime
    late_reason: str | None = Field(default=None, max_length=500)
    flags: list[FlagCode] = json_field(default_factory=list)
    identity: str | None = Field(default=None, max_length=64, unique=True)  # of an imported row
    import_id: str | None = Field(default=None, max_length=32, index=True)


class SampleResult(SQLModel, table=True):
    """One item of a sample: the raw text as it came, and what it was read as.

    `value` is the decimal as measured, digit for digit; computing with it reads `raw` anew.
    `printed_limit` is what the report prints as the limit, `limit` the one it was judged by.
    """

    __tablename__ = "sample_result"

    id: str = id_field()
    sample_id: str = reference("sample")
    parameter: str = Field(max_length=40)
    raw: str = Field(max_length=100)
    value: str | None = Field(default=None, max_length=100)
    censored: str | None = Field(default=None, max_length=1)  # "<" or ">"
    unit: str | None = Field(default=None, max_length=40)
    detection_limit: str | None = Field(default=None, max_length=100)
    method: str | None = Field(default=None, max_length=100)  # GB/T 5750.x
    limit: str | None = Field(default=None, max_length=60)
    printed_limit: str | None = Field(default=None, max_length=60)
    verdict: str = Field(max_length=20)
    flags: list[FlagCode] = json_field(default_factory=list)
    lab_report_id: str | None = optional_reference("lab_report")
