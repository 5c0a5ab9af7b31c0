"""Subscriptions of residents: asked for, confirmed by a code, ended by one click and forgotten.

What is answered never tells whether an address was known before. Of an ended subscription nothing
personal stays: neither its address nor that of the messages it got.
"""

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints
from sqlalchemy import delete
from sqlmodel import col, select

from water2.domain.access import SYSTEM
from water2.domain.command import Code, Command
from water2.domain.contacts import ContactBox
from water2.domain.delivery import Delivery, DeliverySource, DeliveryState, Lane
from water2.domain.errors import Invalid, NotFound
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.sending import SendingChannel
from water2.domain.subscription import Subscription
from water2.services.contacts import Channel, GivenContact, normal_address
from water2.services.public.erasing import erase
from water2.services.public.facilities import facility_in_use
from water2.services.register import record_act
from water2.services.rows import fetch, insert_or_pass
from water2.services.throttling import Limit, note_try
from water2.work import Runtime, Work

VISITOR = replace(SYSTEM, user_id="public", username="public")
"""Who acts where nobody is signed in; handed to the use-cases of this package alone."""
CODE_VALID = timedelta(minutes=30)
CODE_TRIES = 5
_PER_ADDRESS = ((1, timedelta(minutes=2)), (5, timedelta(days=1)))
_PER_CALLER = (20, timedelta(hours=1))
_SENT_BY = {Channel.phone: SendingChannel.sms, Channel.mail: SendingChannel.mail}


class Subscribe(GivenContact):
    """An address that wants to be told of an estate's outages."""

    facility_id: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    language: Literal["zh", "en"] = "zh"


class ConfirmSubscription(Command):
    """The code that was sent to the address."""

    code: Code


async def subscribe(work: Work, command: Subscribe, *, caller_address: str, at: datetime) -> str:
    """Send a code to an address that is to follow an estate; return the subscription's id.

    `caller_address` is that of the network, `at` real time. An address that follows the estate
    already stays confirmed, and gets a code all the same.

    Raises:
        Invalid: the address cannot be one.
        NotFound: there is no such estate.
        Throttled: the address or the caller asked too often.
    """
    address = normal_address(command)
    facility = await facility_in_use(work, command.facility_id)
    # held, so that those who ask at once are counted one after the other
    await fetch(work, Utility, facility.utility_id, lock=True)
    await note_try(work, _limits(work, address, caller_address), at)
    subscription = await _asked(work, facility, command, address)
    code = f"{secrets.randbelow(10**6):06d}"
    subscription.code_sha256 = _code_sha256(subscription.id, code)
    subscription.code_sealed = work.contacts.seal(code)
    subscription.code_tries, subscription.code_expires_at = 0, work.now + CODE_VALID
    subscription.asked_at = work.now
    await _send_code(work, subscription, address)
    return subscription.id


def _limits(work: Work, address: str, caller_address: str) -> list[Limit]:
    # keyed: telephones are few enough to be found again from a plain hash
    mark = work.contacts.index(f"subscribe {address.casefold()}").hex()
    of_address = [Limit("subscribed", mark, most, window) for most, window in _PER_ADDRESS]
    return [*of_address, Limit("subscriber", caller_address, *_PER_CALLER)]


async def _asked(work: Work, facility: Facility, command: Subscribe, address: str) -> Subscription:
    """Return the one row of estate, channel and address, made now or before; it is held."""
    identity = {
        "facility_id": facility.id,
        "channel": command.channel.value,
        "address_index": work.contacts.index(address),
    }
    row = {
        "id": new_id(),
        "utility_id": facility.utility_id,
        "language": command.language,
        "sealed": work.contacts.seal(address),
        "code_tries": 0,
        "asked_at": work.now,
    }
    await work.session.execute(insert_or_pass(work, Subscription).values(identity | row))
    found = await work.session.exec(
        select(Subscription).filter_by(**identity).with_for_update(key_share=True)
    )
    subscription = found.one()
    if subscription.confirmed_at is None:
        subscription.language = command.language
    return subscription


def _code_sha256(id_: str, code: str) -> str:
    return hashlib.sha256(f"{id_}:{code}".encode()).hexdigest()


async def _send_code(work: Work, subscription: Subscription, address: str) -> None:
    """Queue the code; an earlier one that still waits is not sent any more."""
    await work.session.execute(
        delete(Delivery).where(
            col(Delivery.source_id) == subscription.id,
            col(Delivery.source) == DeliverySource.confirmation,
        )
    )
    work.session.add(
        Delivery(
            utility_id=subscription.utility_id,
            source=DeliverySource.confirmation,
            source_id=subscription.id,
            channel=_SENT_BY[Channel(subscription.channel)],
            address_index=subscription.address_index,
            sealed=work.contacts.seal(address),
            lane=Lane.planned,
            state=DeliveryState.ready,
            due_at=work.now,
            expires_at=work.now + CODE_VALID,
        )
    )


async def confirm_subscription(
    runtime: Runtime, id_: str, command: ConfirmSubscription
) -> Subscription:
    """Confirm a subscription by its code; the same code again changes nothing.

    Raises:
        Invalid: the code is wrong, old, or was tried too often, or there is no such subscription:
            which of them is not told. The try counts.
    """
    async with runtime.work(VISITOR) as work:
        subscription = await _try_code(work, id_, command.code.replace(" ", ""))
    if subscription is None:
        raise Invalid.one("code", "code_wrong")
    return subscription


async def _try_code(work: Work, id_: str, code: str) -> Subscription | None:
    subscription = await _held(work, id_)
    if subscription is None or subscription.code_sha256 is None:
        return None
    expires_at = subscription.code_expires_at
    expired = expires_at is None or expires_at <= work.now
    if expired or subscription.code_tries >= CODE_TRIES:
        return None
    subscription.code_tries += 1
    if not hmac.compare_digest(subscription.code_sha256, _code_sha256(id_, code)):
        return None
    subscription.code_sealed = None
    if subscription.confirmed_at is None:
        subscription.confirmed_at = work.now
        await _record(work, subscription, "subscription.confirmed")
    return subscription


def end_token(contacts: ContactBox, id_: str) -> str:
    """Return what ends a subscription by one click: whoever got a message of it holds it."""
    return f"{id_}.{contacts.index(f'end {id_}').hex()}"


def read_end_token(contacts: ContactBox, id_: str, token: str) -> None:
    """Refuse a token that is not the subscription's; no database is asked.

    Raises:
        NotFound: it is another's, or made up.
    """
    if not hmac.compare_digest(end_token(contacts, id_).encode(), token.encode()):
        raise NotFound("subscription", id_)


async def end_subscription(work: Work, id_: str, token: str) -> None:
    """End a subscription and forget its address; ended again, nothing happens.

    Raises:
        NotFound: the token is not this subscription's.
    """
    read_end_token(work.contacts, id_, token)
    subscription = await _held(work, id_)
    if subscription is None or subscription.ended_at is not None:
        return
    was_confirmed = subscription.confirmed_at is not None
    await erase(work, subscription)
    if was_confirmed:
        await _record(work, subscription, "subscription.ended")


async def _held(work: Work, id_: str) -> Subscription | None:
    rows = await work.session.exec(
        select(Subscription).where(Subscription.id == id_).with_for_update(key_share=True)
    )
    return rows.first()


async def _record(work: Work, subscription: Subscription, type_: str) -> None:
    facility = await fetch(work, Facility, subscription.facility_id)
    record_act(work, facility.ledger_id, type_, f"subscription:{subscription.id}", {})
