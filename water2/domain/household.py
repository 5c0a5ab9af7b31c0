"""Households (用户): who must be told of an outage."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, reference


class Household(SQLModel, table=True):
    """A household account. Its holder's name is encrypted like a contact."""

    __table_args__ = (UniqueConstraint("utility_id", "code"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility")
    building_id: str = reference("building")
    code: str = Field(max_length=60)
    unit: str | None = Field(default=None, max_length=60)
    room: str = Field(max_length=60)
    holder_sealed: bytes | None = None
    needs_care: bool = False
    moved_out_on: date | None = None
    version: int = 1
