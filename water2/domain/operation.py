"""What the running installation keeps about itself: repeated requests, jobs and their last runs."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field


class IdempotentAnswer(SQLModel, table=True):
    """The first answer of success to an actor's key, kept 30 days."""

    __tablename__ = "idempotent_answer"

    __table_args__ = (UniqueConstraint("actor_id", "key"),)

    id: str = id_field()
    actor_id: str = Field(max_length=32)
    key: str = Field(max_length=200)
    request_sha256: str = Field(max_length=64)
    status: int | None = None
    body: bytes | None = None
    etag: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(index=True)


class JobRun(SQLModel, table=True):
    """When a job last began and last ended well; what the watchdog and `/readyz` read."""

    __tablename__ = "job_run"

    name: str = Field(primary_key=True, max_length=60)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = Field(default=None, max_length=500)
