"""What is asked of trends, and how they are shown."""

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from water2.api.shapes import Answer, Instant, Query
from water2.domain.command import Day
from water2.domain.water import Point, Purpose
from water2.services.paging import MOST_ROWS
from water2.services.trends.events import EventKind
from water2.services.trends.spans import LONGEST_YEARS

From = Field(serialization_alias="from")
To = Field(serialization_alias="to")
Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$")]
"""A month, YYYY-MM."""


class SeriesQuery(Query):
    """What to plot; without days the twelve months up to today."""

    parameter: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        description="its key, or any name files use", examples=["turbidity"]
    )
    point: Point
    from_: Day | None = Field(None, alias="from", description="included itself")
    to: Day | None = Field(None, description=f"included itself; at most {LONGEST_YEARS} years on")
    tank_id: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = MOST_ROWS
    cursor: Annotated[str, Field(max_length=400)] | None = None


class PointAnswer(Answer):
    """One sample's result; `sampled_at` is null where only the day is known."""

    sample_id: str = Field(validation_alias="id")
    sampled_on: date
    sampled_at: Instant | None
    tank_id: str | None
    purpose: Purpose
    counts: bool
    raw: str
    value: str | None
    censored: str | None
    unit: str | None
    limit: str | None
    verdict: str


class BucketAnswer(Answer):
    """An instrument's readings in one stretch of time, as decimal text; null: none was a number."""

    begins_at: Instant
    count: int
    failed: int
    least: str | None = Field(serialization_alias="min")
    greatest: str | None = Field(serialization_alias="max")
    last: str | None


class LineAnswer(Answer):
    """One instrument's readings in stretches of equal length, empty ones left out."""

    instrument_id: str
    code: str
    tank_id: str | None
    bucket_seconds: int
    buckets: list[BucketAnswer]


class LimitStepAnswer(Answer):
    """A limit and the days it held, both included; bounds at this point alone, as decimal text.

    `reference`: it binds nobody. `verified` false: a bound was not read in the standard's own text.
    """

    first: date = From
    last: date = To
    lower: str | None
    upper: str | None
    shown: str
    standard: str
    reference: bool
    verified: bool


class EventAnswer(Answer):
    """What happened; `ends_at` null: not over. Of a cleaning only the day is known."""

    kind: EventKind
    id: str
    number: str | None
    begins_at: Instant
    ends_at: Instant | None
    tank_id: str | None
    state: str | None
    reason: str | None
    parameters: list[str]


class SeriesAnswer(Answer):
    """A page of points with `next`, the cursor of the following; all else is of the whole span."""

    facility_id: str
    tank_id: str | None
    parameter: str
    title: str
    title_en: str
    unit: str | None
    point: Point
    first: date = From
    last: date = To
    points: list[PointAnswer]
    next: str | None
    readings: list[LineAnswer]
    limits: list[LimitStepAnswer]
    events: list[EventAnswer]


class FiguresQuery(Query):
    """Which months, both included; of one facility, or of the whole utility."""

    from_: Month = Field(alias="from", examples=["2026-01"])
    to: Month = Field(examples=["2026-11"])
    facility_id: Annotated[str, Field(max_length=60)] | None = Field(None, description="id or code")


class RateAnswer(Answer):
    """合格率: items passed among items judged; `percent` is rounded down, null of none judged."""

    passed: int
    judged: int
    percent: str | None


class ParameterRateAnswer(RateAnswer):
    """The rate of one parameter."""

    parameter: str
    failed: int


class DutyFiguresAnswer(Answer):
    """Testing duties due in the month: satisfied by their day, after it, not yet."""

    due: int
    in_time: int
    late: int
    open: int


class SampleFiguresAnswer(Answer):
    """Samples taken; judged are those that passed or failed."""

    taken: int
    judged: int
    passed: int
    failed: int
    pending: int


class AnomalyFiguresAnswer(Answer):
    """Anomalies opened, resumed, closed; the hours run from when each was found."""

    opened: int
    resumed: int
    closed: int
    mean_hours_to_resume: str | None


class MonthFiguresAnswer(Answer):
    """One month; re-tests, and samples whose laboratory was not accredited, are told apart."""

    month: str
    tests: DutyFiguresAnswer
    samples: SampleFiguresAnswer
    retests: SampleFiguresAnswer
    not_counting: int
    rate: RateAnswer
    parameters: list[ParameterRateAnswer]
    anomalies: AnomalyFiguresAnswer


class ComplianceAnswer(Answer):
    """Every month asked for, empty ones too; `rate` is of all of them."""

    months: list[MonthFiguresAnswer]
    rate: RateAnswer
