"""How surely somebody was told: the one truth of levels and instants, in Python and in SQL.

A failure undoes acceptance: from then on nothing proves that the address was reached, until the
provider tells of a delivery later than the failure. What a person acknowledged no failure undoes.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, case, func

from water2.domain.delivery import DeliveryState, EvidenceLevel
from water2.domain.sending import Outcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """The instants of a delivery, by the installation's clock."""

    accepted_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether a failure stands: at the instant of a delivery it does."""
        if self.failed_at is None:
            return False
        return self.delivered_at is None or self.delivered_at <= self.failed_at

    @property
    def stands(self) -> bool:
        """Whether it is proved at level accepted or above."""
        return self.accepted_at is not None and not self.failed

    def told_at(self, delivered_required: bool) -> datetime | None:
        """Return the instant this proves that the address was told at; None: it does not.

        After a failure only the delivery proves it. `delivered_required`: acceptance by the
        provider is not enough for the utility.
        """
        if self.failed:
            return None
        broken = self.failed_at is not None
        return self.delivered_at if broken or delivered_required else self.accepted_at


def with_word(evidence: Evidence, outcome: Outcome, at: datetime) -> Evidence:
    """Return the evidence after a provider's word of an instant, in whatever order words come.

    `accepted` never lowers `delivered`. The earliest acceptance is kept, and the latest delivery
    and failure: a message sent in parts has arrived when its last part has.
    """
    if outcome is Outcome.failed:
        return replace(evidence, failed_at=_latest(evidence.failed_at, at))
    accepted = at if evidence.accepted_at is None else min(evidence.accepted_at, at)
    if outcome is Outcome.accepted:
        return replace(evidence, accepted_at=accepted)
    return replace(evidence, accepted_at=accepted, delivered_at=_latest(evidence.delivered_at, at))


def _latest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def level_of(delivery: Any) -> EvidenceLevel:
    """Return the level of a delivery's row (any row with its columns)."""
    evidence = Evidence(delivery.accepted_at, delivery.delivered_at, delivery.failed_at)
    if delivery.acknowledged_at is not None:
        return EvidenceLevel.acknowledged
    if evidence.stands:
        delivered = evidence.delivered_at is not None
        return EvidenceLevel.delivered if delivered else EvidenceLevel.accepted
    if delivery.attempts > 0:
        return EvidenceLevel.attempted
    if delivery.state in (DeliveryState.superseded, DeliveryState.expired):
        return EvidenceLevel.none
    return EvidenceLevel.queued


def evidence_instant(
    delivery_table: Any, delivered_required: bool
) -> ColumnElement[datetime | None]:
    """Return `Evidence.told_at`, or what the person acknowledged; NULL: nothing proves it.

    `delivery_table` is the table or an alias of it.
    """
    row = delivery_table.c
    told = case(
        (row.failed_at.is_(None), row.delivered_at if delivered_required else row.accepted_at),
        (row.delivered_at > row.failed_at, row.delivered_at),
    )
    return cast(
        "ColumnElement[datetime | None]",
        func.coalesce(told, row.acknowledged_at, type_=row.accepted_at.type),
    )
