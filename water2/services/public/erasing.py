"""Forgetting the addresses of subscriptions that ended, or that nobody confirmed."""

import secrets
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, case, delete, update
from sqlmodel import col, select

from water2.domain.delivery import Delivery, DeliverySource, DeliveryState
from water2.domain.notice import Notice
from water2.domain.outage import Outage
from water2.domain.subscription import Subscription
from water2.services.rows import changed_rows
from water2.work import Work

UNCONFIRMED_KEPT = timedelta(days=1)
_INDEX_BYTES = 32  # as many as an index has, so that the two cannot be told apart
_UNSETTLED = (
    DeliveryState.held,
    DeliveryState.ready,
    DeliveryState.leased,
    DeliveryState.in_doubt,
    DeliveryState.dead,
)


async def erase(work: Work, subscription: Subscription) -> None:
    """End a subscription that is held; its address goes, here and on every message it got.

    What was not sent yet is not sent; a worker that has it in hand has lost its lease.
    """
    nothing = secrets.token_bytes(_INDEX_BYTES)
    for messages in _messages_of(subscription):
        await _erase_messages(work, messages, nothing)
    subscription.address_index, subscription.sealed = nothing, b""
    subscription.code_sha256 = subscription.code_sealed = subscription.code_expires_at = None
    subscription.ended_at = work.now


def _messages_of(subscription: Subscription) -> list[list[ColumnElement[bool]]]:
    """Select the code's message and those of notices, each by the index of sources."""
    notices = (
        select(Notice.id)
        .join(Outage, col(Outage.id) == Notice.outage_id)
        .where(Outage.facility_id == subscription.facility_id)
    )
    return [
        [col(Delivery.source_id) == subscription.id],
        [
            col(Delivery.source_id).in_(notices),
            col(Delivery.address_index) == subscription.address_index,
            col(Delivery.subscription_id) == subscription.id,
        ],
    ]


async def _erase_messages(work: Work, messages: list[ColumnElement[bool]], nothing: bytes) -> None:
    table = cast("Any", Delivery).__table__.c
    unsettled = table.state.in_(_UNSETTLED)
    await work.session.execute(
        update(Delivery)
        .where(*messages)
        .values(
            address_index=nothing,
            sealed=b"",
            lease_token=table.lease_token + 1,
            state=case((unsettled, DeliveryState.superseded), else_=table.state),
            settled_at=case((unsettled, work.now), else_=table.settled_at),
        )
        .execution_options(synchronize_session=False)
    )


async def forget_unconfirmed(work: Work) -> int:
    """Delete what was asked for and not confirmed in time; return how many."""
    stale = select(Subscription.id).where(
        col(Subscription.confirmed_at).is_(None),
        col(Subscription.ended_at).is_(None),
        col(Subscription.asked_at) < work.now - UNCONFIRMED_KEPT,
    )
    await work.session.execute(
        delete(Delivery).where(
            col(Delivery.source) == DeliverySource.confirmation,
            col(Delivery.source_id).in_(stale),
        )
    )
    return await changed_rows(work, delete(Subscription).where(col(Subscription.id).in_(stale)))
