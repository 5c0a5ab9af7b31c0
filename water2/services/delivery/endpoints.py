"""Endpoints: the webhooks and group robots a utility publishes to; they prove no household told."""

import os
from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command
from water2.domain.delivery import Audience, Endpoint
from water2.domain.errors import Conflict, Invalid
from water2.domain.organisation import Utility
from water2.domain.sending import ENDPOINT_CHANNELS, REPORT_CHANNELS, SendingChannel
from water2.services.contacts import Channel, GivenContact, normal_address
from water2.services.delivery.escalating import supersede_of_endpoint
from water2.services.register import chosen_utility, record_act
from water2.services.rows import fetch, utility_of
from water2.work import Work

SECRET_BYTES = 24  # Standard Webhooks: between 24 and 64


class AddEndpoint(Command):
    """Where to publish, or, of an `audience` that is a regulator, where it wants its reports.

    A webhook's secret is made where none is given. `url` of a mailbox is its address.
    """

    channel: SendingChannel
    audience: Audience = Audience.public
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    secret: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    utility_id: str | None = None


class AddedEndpoint(NamedTuple):
    """A new endpoint, and the secret that was made for it: told this once."""

    endpoint: Endpoint
    secret: str | None


async def add_endpoint(
    work: Work, command: AddEndpoint, check: Callable[[str], None]
) -> AddedEndpoint:
    """Enter an endpoint; one that was ended before is used again under its new name and secret.

    `check` refuses addresses that may not be reached.

    Raises:
        Invalid: the channel takes no address of a utility, or the address may not be reached.
        Conflict: it is entered already.
    """
    work.require(Action.keep_deliveries)
    utility = await chosen_utility(work, command.utility_id)
    public = command.audience is Audience.public
    if command.channel not in (ENDPOINT_CHANNELS if public else REPORT_CHANNELS):
        raise Invalid.one("channel", "not_an_endpoint", command.channel.value)
    address = _address(command, check)
    secret, made = command.secret, None
    if secret is None and command.channel is SendingChannel.webhook:
        secret = made = f"whsec_{b64encode(os.urandom(SECRET_BYTES)).decode()}"
    endpoint = await _row(work, utility, command, address)
    endpoint.secret_sealed = work.contacts.seal(secret) if secret else None
    work.session.add(endpoint)
    told = {
        "endpoint": endpoint.id,
        "channel": endpoint.channel.value,
        "audience": endpoint.audience.value,
        "host": endpoint.host,
    }
    record_act(work, utility.ledger_id, "endpoint.added", f"endpoint:{endpoint.id}", told)
    return AddedEndpoint(endpoint, made)


def _address(command: AddEndpoint, check: Callable[[str], None]) -> str:
    if command.channel is SendingChannel.mail:
        return normal_address(GivenContact(channel=Channel.mail, address=command.url), "url")
    check(command.url)
    return command.url


def _host(address: str) -> str:
    """Return all of an address that may be shown: of a mailbox what follows the @."""
    return ((urlsplit(address).hostname or "") or address.rpartition("@")[2])[:255]


async def _row(work: Work, utility: Utility, command: AddEndpoint, address: str) -> Endpoint:
    index = work.contacts.index(address)
    found = await work.session.exec(
        select(Endpoint)
        .where(
            Endpoint.utility_id == utility.id,
            Endpoint.channel == command.channel,
            Endpoint.audience == command.audience,
            Endpoint.address_index == index,
        )
        .with_for_update()
    )
    endpoint = found.first()
    if endpoint is None:
        return Endpoint(
            utility_id=utility.id,
            channel=command.channel,
            audience=command.audience,
            name=command.name,
            host=_host(address),
            address_index=index,
            sealed=work.contacts.seal(address),
            created_at=work.now,
        )
    if endpoint.ended_at is None:
        raise Conflict("endpoint_exists", {"id": endpoint.id})
    endpoint.name, endpoint.ended_at, endpoint.created_at = command.name, None, work.now
    return endpoint


async def list_endpoints(work: Work, utility: Utility) -> list[dict[str, Any]]:
    """Return the utility's endpoints that are in use; of their addresses only the hosts."""
    work.require(Action.read)
    rows = await work.session.exec(
        select(Endpoint)
        .where(Endpoint.utility_id == utility.id, col(Endpoint.ended_at).is_(None))
        .order_by(Endpoint.id)
    )
    return [
        {
            "id": row.id,
            "channel": row.channel.value,
            "audience": row.audience.value,
            "name": row.name,
            "host": row.host,
            "signed": row.secret_sealed is not None,
            "created_at": row.created_at,
        }
        for row in rows
    ]


async def end_endpoint(work: Work, id_: str) -> Endpoint:
    """Publish to an endpoint no longer; what it has not been sent yet is taken back.

    Raises:
        NotFound: no such endpoint, or another utility's.
        Conflict: it was ended before.
    """
    work.require(Action.keep_deliveries)
    endpoint = await fetch(work, Endpoint, id_, lock=True)
    if endpoint.ended_at is not None:
        raise Conflict("endpoint_ended", {"ended_at": endpoint.ended_at})
    endpoint.ended_at = work.now
    work.session.add(endpoint)
    await supersede_of_endpoint(work, endpoint.id)
    utility = await utility_of(work, endpoint)
    told = {"endpoint": endpoint.id, "channel": endpoint.channel.value}
    record_act(work, utility.ledger_id, "endpoint.ended", f"endpoint:{endpoint.id}", told)
    return endpoint
