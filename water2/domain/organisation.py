"""Organisations, and the utilities (城市供水企业) among them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, json_field, reference


class OrganisationKind(StrEnum):
    """The parties of the rules that sign in."""

    utility = "utility"
    health_regulator = "health_regulator"
    water_regulator = "water_regulator"
    laboratory = "laboratory"


class Organisation(SQLModel, table=True):
    """A party whose people sign in."""

    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: str = id_field()
    kind: OrganisationKind = enum_field(OrganisationKind)
    name: str = Field(max_length=200)


class Utility(SQLModel, table=True):
    """A utility: the scope of every duty, user of the utility and ledger."""

    id: str = id_field()
    organisation_id: str = reference("organisation")
    code: str = Field(max_length=40, unique=True)
    name: str = Field(max_length=200)
    place: str = Field(max_length=40)  # the key of its rulebook
    timezone: str = Field(max_length=60)
    first_day_on: date  # the first day of operation with water2; what lapsed before is told once
    ledger_id: str = Field(max_length=32)
    rollup_ledger_id: str = Field(max_length=32)
    hotline: str | None = Field(default=None, max_length=60)  # the 24-hour telephone for residents
    rules_mark: str = Field(max_length=64)  # of the rulebook all duties were last derived with


class PolicySetting(SQLModel, table=True):
    """A value the utility chose, stricter than the rulebook's, from a day on."""

    __tablename__ = "policy_setting"

    __table_args__ = (UniqueConstraint("utility_id", "obligation", "key", "from_on"),)

    id: str = id_field()
    utility_id: str = reference("utility")
    obligation: str = Field(max_length=60)
    key: str = Field(max_length=60)
    value: Any = json_field(default_factory=lambda: None)
    from_on: date
    set_at: datetime


class Jurisdiction(SQLModel, table=True):
    """A regulator's organisation and a utility under it (art. 4), or a laboratory's and its client.

    The kind of the organisation tells which.
    """

    __table_args__ = (UniqueConstraint("organisation_id", "utility_id"),)

    id: str = id_field()
    organisation_id: str = reference("organisation")
    utility_id: str = reference("utility")


class Contact(SQLModel, table=True):
    """A telephone number or mail address, encrypted; `index` finds equal ones without the text."""

    __table_args__ = (UniqueConstraint("owner_id", "channel", "index"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    owner_type: str = Field(max_length=20)  # household, staff, facility
    owner_id: str = Field(max_length=32, index=True)
    channel: str = Field(max_length=20)  # phone, mail
    sealed: bytes
    index: bytes = Field(index=True)
