"""Deliveries: what is to go out to whom by which channel, and the evidence of what became of it."""

from datetime import datetime
from enum import IntEnum, StrEnum

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, reference
from water2.domain.sending import SendingChannel

NO_CHANNEL = "none"  # the channel of a recipient that no message can reach


class DeliverySource(StrEnum):
    """What a delivery carries, and of which table its `source_id` is."""

    notice = "notice"
    digest = "digest"
    warning = "warning"
    alert = "alert"  # a channel stopped
    confirmation = "confirmation"  # of a subscription
    escalation = "escalation"  # a step of an anomaly, or a report on it, past its clock
    report = "report"  # to a regulator


class Lane(IntEnum):
    """Which goes first; a bulk of one lane never holds up the one before it."""

    emergency = 0
    planned = 1
    routine = 2


class DeliveryState(StrEnum):
    """Where a delivery stands in the queue; what is proved of it is its evidence, not this.

    held: its channel opens only when an earlier one fails or the deadline is at risk. ready: to be
    sent at `due_at`. leased: a worker has it. in_doubt: a worker had it and was not heard of. done:
    the provider took it. dead: given up, to be requeued or waived by a person. superseded: a later
    revision takes its place. expired: useless by now.
    """

    held = "held"
    ready = "ready"
    leased = "leased"
    in_doubt = "in_doubt"
    done = "done"
    dead = "dead"
    waived = "waived"
    superseded = "superseded"
    expired = "expired"


class EvidenceLevel(StrEnum):
    """How surely somebody was told; `poster` is evidence for a whole building."""

    none = "none"
    queued = "queued"
    attempted = "attempted"
    accepted = "accepted"
    delivered = "delivered"
    acknowledged = "acknowledged"
    poster = "poster"


class Delivery(SQLModel, table=True):
    """One message to one address: a telephone of several flats gets one.

    `due_at`, `deadline_at` and `expires_at` are by the installation's clock, `leased_until` and
    `attempted_at` in real time. `lease_token` fences: whoever completes must hold the present one.
    Evidence stands in `accepted_at`, `delivered_at`, `acknowledged_at`; `failed_at` undoes it.
    """

    __table_args__ = (
        UniqueConstraint("source_id", "channel", "address_index"),
        Index(
            "ix_delivery_ready",
            "utility_id",
            "channel",
            "lane",
            "due_at",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_delivery_leased",
            "leased_until",
            sqlite_where=text("state = 'leased'"),
            postgresql_where=text("state = 'leased'"),
        ),
        Index(
            "ix_delivery_in_doubt",
            "utility_id",
            "channel",
            sqlite_where=text("state = 'in_doubt'"),
            postgresql_where=text("state = 'in_doubt'"),
        ),
        Index(
            "ix_delivery_dead",
            "utility_id",
            "id",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index(
            "ix_delivery_held",
            "utility_id",
            "due_at",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        # for the daily cap of a number; a message that was never tried costs it nothing
        Index(
            "ix_delivery_number",
            "address_index",
            sqlite_where=text("channel = 'sms' AND attempted_at IS NOT NULL"),
            postgresql_where=text("channel = 'sms' AND attempted_at IS NOT NULL"),
        ),
        # room on the page for the row's next versions
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: str = id_field()
    utility_id: str = Field(max_length=32)  # no foreign key: see NoticeRecipient
    source: DeliverySource = enum_field(DeliverySource)
    source_id: str = Field(max_length=32)
    channel: SendingChannel = enum_field(SendingChannel)
    address_index: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    endpoint_id: str | None = Field(default=None, max_length=32)
    subscription_id: str | None = Field(default=None, max_length=32)
    lane: int
    state: DeliveryState = enum_field(DeliveryState)
    due_at: datetime
    deadline_at: datetime | None = None
    expires_at: datetime | None = None
    attempts: int = 0
    lease_token: int = 0
    leased_until: datetime | None = None
    attempted_at: datetime | None = None
    provider_id: str | None = Field(default=None, max_length=120)
    code: str | None = Field(default=None, max_length=120)
    reply_sha256: str | None = Field(default=None, max_length=64)
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    failed_at: datetime | None = None
    settled_at: datetime | None = None  # when it left the queue
    waived_by: str | None = Field(default=None, max_length=32)
    waived_reason: str | None = Field(default=None, max_length=500)


class DeliveryBatch(SQLModel, table=True):
    """The outcomes of one batch as canonical JSON: the ledger's entry holds their hash."""

    __tablename__ = "delivery_batch"

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    ledger_id: str = Field(max_length=32)
    source_id: str = Field(max_length=32, index=True)
    recorded_at: datetime
    body: bytes = Field(sa_type=LargeBinary)
    body_sha256: str = Field(max_length=64)


class DeliveryReceipt(SQLModel, table=True):
    """A provider's later word, raw (encrypted: it holds telephone numbers) and once only."""

    __tablename__ = "delivery_receipt"

    __table_args__ = (UniqueConstraint("gateway", "raw_sha256"),)

    id: str = id_field()
    gateway: str = Field(max_length=20)
    raw_sha256: str = Field(max_length=64)
    raw_sealed: bytes = Field(sa_type=LargeBinary)
    delivery_id: str | None = Field(default=None, max_length=32, index=True)
    outcome: str = Field(max_length=20)
    code: str = Field(default="", max_length=120)
    reported_at: datetime
    received_at: datetime


class ChannelStop(SQLModel, table=True):
    """A channel that was stopped as misconfigured, until somebody resumes it."""

    __tablename__ = "channel_stop"

    __table_args__ = (UniqueConstraint("utility_id", "channel"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    channel: SendingChannel = enum_field(SendingChannel)
    code: str = Field(max_length=120)
    stopped_at: datetime


class Audience(StrEnum):
    """Whom an endpoint reaches: everybody who follows notices, or a regulator (its reports)."""

    public = "public"
    health_regulator = "health_regulator"
    water_regulator = "water_regulator"


class Endpoint(SQLModel, table=True):
    """A webhook, a robot or a regulator's mailbox; address and secret are encrypted."""

    __table_args__ = (UniqueConstraint("utility_id", "channel", "audience", "address_index"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    channel: SendingChannel = enum_field(SendingChannel)
    audience: Audience = enum_field(Audience, default=Audience.public)
    name: str = Field(max_length=100)
    host: str = Field(max_length=255)  # all of the address that may be shown
    address_index: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    secret_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime
    ended_at: datetime | None = None
