"""The proof of an outage as one JSON document: the same over HTTP and from the command line."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from water2.api.outage_notices import NoticeAnswer
from water2.api.shapes import Answer, Instant
from water2.domain.outage import OutageKind, OutageReason, OutageState
from water2.services.outages.proof import OutageProof


class ProvedOutage(Answer):
    """What the proof is of."""

    id: str
    number: str
    kind: OutageKind
    state: OutageState
    reason: OutageReason
    starts_at: Instant
    ends_at: Instant | None
    published_at: Instant | None
    started_at: Instant | None
    restored_at: Instant | None
    cancelled_at: Instant | None
    overran: bool
    update_missed: bool


class ProvedNotified(Answer):
    """How many of the frozen households were told, and by when they had to be."""

    households: int
    told: int
    missing: int
    late: int
    told_by: Instant | None = Field(description="start − 24 h; null of an emergency")
    delivered_required: bool = Field(
        description="the utility demands delivery where acceptance by the provider would do"
    )


class ProvedMessage(Answer):
    """One message: address masked; `code` and `reply_sha256` are what the provider said."""

    revision: int
    channel: str
    address: str
    level: str
    accepted_at: Instant | None
    delivered_at: Instant | None
    failed_at: Instant | None
    attempts: int
    code: str | None
    reply_sha256: str | None
    delivery: str


class ProvedHousehold(Answer):
    """A frozen household by its random id: whether it was told, when, by what."""

    household: str
    building: str
    since_revision: int = Field(description="evidence of this revision and later ones counts")
    told_at: Instant | None
    in_time: bool
    level: str
    channel: str | None
    messages: list[ProvedMessage]


class ProvedPoster(Answer):
    """A poster at a door; the photo by its SHA-256."""

    id: str
    building_id: str
    revision: int
    posted_at: Instant
    posted_by: str | None
    recorded_by: str
    recorded_at: Instant
    photo_sha256: str | None


class ProvedBatch(Answer):
    """The outcomes of a batch of messages: `body` hashes to what its ledger entry holds.

    `body` is a list of [delivery, outcome, code, instant, SHA-256 of the reply, attempts].
    """

    batch: str
    body_sha256: str
    body: str


class ProvedEntry(Answer):
    """An entry of the ledger: its exact bytes, leaf hash (hex), and C2SP receipt once signed."""

    ledger: str
    seq: int
    type: str
    recorded_at: Instant
    leaf: str
    body: str
    receipt: str | None


class ProofAnswer(BaseModel):
    """All that is proved of an outage; nothing in it tells who lives where.

    Receipts verify with `verifier_key` (C2SP vkey); it is null where this node has no key.
    """

    outage: ProvedOutage
    facility_id: str
    facility_code: str
    facility: str
    utility: str
    timezone: str
    verifier_key: str | None
    made_at: Instant
    notified: ProvedNotified
    notices: list[NoticeAnswer]
    households: list[ProvedHousehold]
    posters: list[ProvedPoster]
    batches: list[ProvedBatch]
    entries: list[ProvedEntry]

    @classmethod
    def of(cls, proof: OutageProof, verifier_key: str | None, made_at: datetime) -> Self:
        """Show a proof as it stood at an instant."""
        standing, told = proof.standing, proof.told
        return cls(
            outage=ProvedOutage.model_validate(standing.outage),
            facility_id=standing.facility.id,
            facility_code=standing.facility.code,
            facility=standing.facility.name,
            utility=standing.utility.name,
            timezone=standing.utility.timezone,
            verifier_key=verifier_key,
            made_at=made_at,
            notified=ProvedNotified(
                households=told.households,
                told=told.in_time,
                missing=told.missing_count,
                late=told.late,
                told_by=proof.told_by,
                delivered_required=proof.delivered_required,
            ),
            notices=[NoticeAnswer.model_validate(one) for one in proof.notices],
            households=[ProvedHousehold.model_validate(one) for one in proof.households],
            posters=[ProvedPoster.model_validate(one) for one in proof.posters],
            batches=[ProvedBatch.model_validate(one) for one in proof.batches],
            entries=[ProvedEntry.model_validate(one) for one in proof.entries],
        )
