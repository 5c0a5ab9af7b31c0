"""Subscriptions to an estate's outages: confirmed, and ended by one click."""

from datetime import datetime

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, reference


class Subscription(SQLModel, table=True):
    """One address that follows one facility. Codes and tokens are kept as hashes alone."""

    __table_args__ = (UniqueConstraint("facility_id", "channel", "address_index"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility", index=False)
    channel: str = Field(max_length=10)  # phone or mail
    language: str = Field(default="zh", max_length=2)
    address_index: bytes = Field(sa_type=LargeBinary, index=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    code_sha256: str | None = Field(default=None, max_length=64)
    code_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    code_tries: int = 0
    code_expires_at: datetime | None = None
    asked_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
