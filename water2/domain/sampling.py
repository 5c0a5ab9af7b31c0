"""Sampling plans: where, why and how often the water is sampled beyond the rulebook's default."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, reference
from water2.domain.water import Point, Purpose


class SamplingPlan(SQLModel, table=True):
    """A plan for one point of a facility, from a day until it is ended; never edited.

    Its items are a set of the rulebook's (`item_set`) or parameters of its own.
    """

    __tablename__ = "sampling_plan"
    __table_args__ = (Index("ix_sampling_plan_listed", "utility_id", "recorded_at", "id"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    point: Point = enum_field(Point)
    purpose: Purpose = enum_field(Purpose)  # routine or extended
    months: int
    item_set: str | None = Field(default=None, max_length=40)
    parameters: list[str] = json_field(default_factory=list)
    from_on: date
    ended_on: date | None = None
    recorded_by: str = Field(max_length=32)
    recorded_at: datetime
