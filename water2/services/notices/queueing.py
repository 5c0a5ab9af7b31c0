"""Queueing a notice: one delivery to each address, set-wise, in the act that publishes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Insert, Select, and_, case, insert, literal, or_, true, update
from sqlalchemy import select as select_columns

from water2.domain.delivery import (
    NO_CHANNEL,
    Audience,
    Delivery,
    DeliverySource,
    DeliveryState,
    Endpoint,
    Lane,
)
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.organisation import Contact
from water2.domain.sending import SendingChannel
from water2.domain.subscription import Subscription
from water2.services.rows import changed_rows, ids_of_rows, insert_or_pass, one_of_each
from water2.work import Work

_CONTACT = cast("Any", Contact).__table__.c
_RECIPIENT = cast("Any", NoticeRecipient).__table__
_NOTICE = cast("Any", Notice).__table__.c
_DELIVERY = cast("Any", Delivery).__table__
_ENDPOINT = cast("Any", Endpoint).__table__.c
_SUBSCRIPTION = cast("Any", Subscription).__table__.c
UNSENT = (DeliveryState.ready, DeliveryState.held)


@dataclass(frozen=True)
class Dispatch:
    """When a notice goes out: `deadline_at` is the last instant to be told at.

    `next_at`: from then on the second channel is used for whoever is not told.
    """

    lane: Lane
    due_at: datetime
    next_at: datetime
    deadline_at: datetime | None
    expires_at: datetime


async def queue_to_households(work: Work, notice: Notice, dispatch: Dispatch) -> int:
    """Queue one message to each address frozen with the notice; return how many.

    An address that is the first of one household and the second of another is sent to at once.
    """
    first = _to_households(work, notice, dispatch, DeliveryState.ready)
    # nothing was queued for the notice before: no address can be taken yet
    found = await changed_rows(work, insert(_DELIVERY).from_select(_COLUMNS, first))
    others = _to_households(work, notice, dispatch, DeliveryState.held)
    return found + await changed_rows(work, _queued(work, others))


def _to_households(
    work: Work, notice: Notice, dispatch: Dispatch, state: DeliveryState
) -> Select[Any]:
    recipient = _RECIPIENT.c
    contacts = and_(
        _CONTACT.owner_id == recipient.household_id,
        _CONTACT.owner_type == "household",
        _CONTACT.index == recipient.address_index,
    )
    addresses = (
        select_columns(recipient.channel, recipient.address_index, _CONTACT.sealed)
        .select_from(_RECIPIENT.join(_CONTACT.id.table, contacts))
        .where(
            recipient.notice_id == notice.id,
            recipient.channel != NO_CHANNEL,
            recipient.rank == 0 if state is DeliveryState.ready else recipient.rank > 0,
        )
    )
    one = one_of_each(work, addresses, recipient.channel, recipient.address_index).subquery().c
    address = (one.address_index, one.sealed)
    return _delivered_columns(
        work, notice, dispatch, channel=one.channel, address=address, state=state
    )


async def queue_to_reached(work: Work, notice: Notice, dispatch: Dispatch) -> int:
    """Queue a message to every address that earlier revisions reached, or may have reached."""
    old = _DELIVERY.alias().c
    reached = or_(
        old.state.in_([DeliveryState.leased, DeliveryState.in_doubt, DeliveryState.done]),
        old.accepted_at.is_not(None),
    )
    source = (
        _delivered_columns(
            work,
            notice,
            dispatch,
            channel=old.channel,
            address=(old.address_index, old.sealed),
        )
        .join(_NOTICE.id.table, _NOTICE.id == old.source_id)
        .where(
            _NOTICE.outage_id == notice.outage_id,
            _NOTICE.id != notice.id,
            old.endpoint_id.is_(None),
            old.subscription_id.is_(None),  # subscribers still there are queued to by themselves
            reached,
        )
    )
    return await changed_rows(work, _queued(work, source))


async def queue_to_subscribers(work: Work, notice: Notice, dispatch: Dispatch) -> int:
    """Queue a message to every confirmed subscriber who is not among the households."""
    source = _delivered_columns(
        work,
        notice,
        dispatch,
        channel=case(
            (_SUBSCRIPTION.channel == "phone", SendingChannel.sms.value),
            else_=SendingChannel.mail.value,
        ),
        address=(_SUBSCRIPTION.address_index, _SUBSCRIPTION.sealed),
        subscription=_SUBSCRIPTION.id,
    ).where(
        _SUBSCRIPTION.facility_id == notice.facility_id,
        _SUBSCRIPTION.confirmed_at.is_not(None),
        _SUBSCRIPTION.ended_at.is_(None),
    )
    return await changed_rows(work, _queued(work, source))


async def queue_to_endpoints(work: Work, notice: Notice, dispatch: Dispatch) -> int:
    """Queue the notice to the utility's webhooks and robots: they publish, at any hour."""
    source = _delivered_columns(
        work,
        notice,
        dispatch,
        channel=_ENDPOINT.channel,
        address=(_ENDPOINT.address_index, _ENDPOINT.sealed),
        endpoint=_ENDPOINT.id,
        due_at=work.now,
    ).where(
        _ENDPOINT.utility_id == notice.utility_id,
        _ENDPOINT.audience == Audience.public,
        _ENDPOINT.ended_at.is_(None),
    )
    return await changed_rows(work, _queued(work, source))


async def supersede(work: Work, notice: Notice) -> int:
    """Take back what earlier revisions have not sent yet; return how many.

    What is under way or in doubt meanwhile is not sent again either: `completing` sees to it.
    """
    earlier = select_columns(_NOTICE.id).where(
        _NOTICE.outage_id == notice.outage_id, _NOTICE.id != notice.id
    )
    return await changed_rows(
        work,
        update(_DELIVERY)
        .where(_DELIVERY.c.source_id.in_(earlier), _DELIVERY.c.state.in_(UNSENT))
        .values(state=DeliveryState.superseded, settled_at=work.now),
    )


def _delivered_columns(
    work: Work,
    notice: Notice,
    dispatch: Dispatch,
    *,
    channel: Any,
    address: tuple[Any, Any],
    state: DeliveryState = DeliveryState.ready,
    endpoint: Any = None,
    subscription: Any = None,
    due_at: datetime | None = None,
) -> Select[Any]:
    """Select a delivery's columns, in the order of `_COLUMNS`."""
    instant = _DELIVERY.c.due_at.type
    due = dispatch.next_at if state is DeliveryState.held else due_at or dispatch.due_at
    index, sealed = address
    return select_columns(
        ids_of_rows(work, index),
        literal(notice.utility_id),
        literal(DeliverySource.notice, _DELIVERY.c.source.type),
        literal(notice.id),
        channel,
        index,
        sealed,
        literal(None, _DELIVERY.c.endpoint_id.type) if endpoint is None else endpoint,
        literal(None, _DELIVERY.c.endpoint_id.type) if subscription is None else subscription,
        literal(int(dispatch.lane)),
        literal(state, _DELIVERY.c.state.type),
        literal(due, instant),
        literal(dispatch.deadline_at, instant),
        literal(dispatch.expires_at, instant),
        literal(0),
        literal(0),
    )


_COLUMNS = (
    "id",
    "utility_id",
    "source",
    "source_id",
    "channel",
    "address_index",
    "sealed",
    "endpoint_id",
    "subscription_id",
    "lane",
    "state",
    "due_at",
    "deadline_at",
    "expires_at",
    "attempts",
    "lease_token",
)


def _queued(work: Work, source: Select[Any]) -> Insert:
    """Insert deliveries and pass over addresses the notice goes to already."""
    # SQLite would read ON CONFLICT as a join's ON where the selection has no WHERE
    return insert_or_pass(work, Delivery).from_select(_COLUMNS, source.where(true()))
