"""People who work on the facilities, own and contractors', with certificates and training."""

from datetime import date
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, reference


class CertificateKind(StrEnum):
    """健康证 and 卫生知识培训合格证 (art. 17(2))."""

    health = "health"
    training = "training"


class Staff(SQLModel, table=True):
    """A person of the utility or of a contractor."""

    __table_args__ = (UniqueConstraint("utility_id", "code"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    code: str = Field(max_length=60)
    name: str = Field(max_length=100)
    employer: str = Field(max_length=200)
    post: str | None = Field(default=None, max_length=60)
    handles_water: bool
    since_on: date  # first known to handle water: a person never examined owes the check from here
    left_on: date | None = None
    version: int = 1


class Certificate(SQLModel, table=True):
    """A health certificate or a training, valid as `rules.fitness` reads it."""

    __table_args__ = (UniqueConstraint("staff_id", "kind", "number"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    staff_id: str = reference("staff")
    kind: CertificateKind = enum_field(CertificateKind)
    number: str = Field(max_length=60)
    issuer: str | None = Field(default=None, max_length=200)
    done_on: date  # examined on, or trained on
    valid_to: date | None = None  # as printed
    revoked_on: date | None = None
    import_id: str | None = Field(default=None, max_length=32, index=True)
    version: int = 1
