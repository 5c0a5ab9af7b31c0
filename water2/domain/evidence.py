"""How surely somebody was told: the one truth of levels and instants, in Python and in SQL.

A failure undoes acceptance: from then on nothing proves that the address was reached, until the
provider tells of a delivery later than the failure. What a person acknowledged no failure undoes.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, func, or_

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


def with_word(evidence: Evidence, outcome: Outcome, at: datetime) -> Evidence:
    """Return the evidence after a provider's word of an instant, in whatever order words come.

    `accepted` never lowers `delivered`; of two failures or deliveries the later one is kept.
    """
    if outcome is Outcome.failed:
        return replace(evidence, failed_at=_later(evidence.failed_at, at))
    accepted = _earlier(evidence.accepted_at, at)
    if outcome is Outcome.accepted:
        return replace(evidence, accepted_at=accepted)
    delivered = evidence.delivered_at
    if delivered is None or evidence.failed:
        delivered = _later(delivered, at)
    return replace(evidence, accepted_at=accepted, delivered_at=delivered)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else one


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
    """Return the instant a delivery proves that its address was told at; NULL: it does not.

    `delivery_table` is the table or an alias of it. `delivered_required`: acceptance by the
    provider is not enough for the utility.
    """
    row = delivery_table.c
    unbroken = or_(
        row.failed_at.is_(None),
        and_(row.delivered_at.is_not(None), row.delivered_at > row.failed_at),
    )
    told = row.delivered_at if delivered_required else row.accepted_at
    return cast(
        "ColumnElement[datetime | None]",
        func.coalesce(case((unbroken, told)), row.acknowledged_at, type_=row.accepted_at.type),
    )
