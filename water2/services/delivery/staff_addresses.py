"""Who of the utility's own people is told, and where: managers, people in charge, endpoints."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from water2.domain.access import Role, User
from water2.domain.delivery import (
    Audience,
    Delivery,
    DeliverySource,
    DeliveryState,
    Endpoint,
    Lane,
)
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.organisation import Contact, Utility
from water2.domain.sending import ENDPOINT_CHANNELS, REPORT_CHANNELS, SendingChannel
from water2.domain.staff import Staff
from water2.services.rows import among, insert_or_pass
from water2.work import Work

_CHANNELS = {"phone": SendingChannel.sms, "mail": SendingChannel.mail}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: sealed, with the index that finds equal ones."""

    channel: SendingChannel
    index: bytes
    sealed: bytes
    endpoint_id: str | None = None
    subscription_id: str | None = None


async def addresses_of_staff(
    work: Work, utility: Utility, staff_ids: Collection[str]
) -> dict[str, list[Address]]:
    """Return the own contacts of people of the utility; who has none is left out."""
    rows = await work.session.exec(
        select(Contact)
        .where(
            Contact.utility_id == utility.id,
            Contact.owner_type == "staff",
            among(work, Contact.owner_id, set(staff_ids)),
        )
        .order_by(Contact.owner_id, Contact.channel, Contact.id)
    )
    found: dict[str, list[Address]] = {}
    for row in rows:
        address = Address(_CHANNELS[row.channel], row.index, row.sealed)
        found.setdefault(row.owner_id, []).append(address)
    return found


async def addresses_of_managers(work: Work, utility: Utility) -> list[Address]:
    """Return the own contacts of the utility's managers, each once.

    They are the people of active manager accounts and those in charge of a facility.
    """
    accounts = await work.session.exec(
        select(User.staff_id).where(
            User.organisation_id == utility.organisation_id,
            User.role == Role.manager,
            col(User.active),
            col(User.staff_id).is_not(None),
        )
    )
    in_charge = await work.session.exec(
        select(Facility.manager_staff_id)
        .where(Facility.utility_id == utility.id, col(Facility.manager_staff_id).is_not(None))
        .distinct()
    )
    people = {id_ for id_ in [*accounts.all(), *in_charge.all()] if id_}
    still_there = await work.session.exec(
        select(Staff.id).where(among(work, Staff.id, people), col(Staff.left_on).is_(None))
    )
    contacts = await addresses_of_staff(work, utility, still_there.all())
    return [*dict.fromkeys(address for those in contacts.values() for address in those)]


async def addresses_of_regulator(work: Work, utility_id: str, audience: Audience) -> list[Address]:
    """Return where a regulator wants the utility's reports, beside the inbox in the program."""
    return await _endpoints(work, utility_id, audience, REPORT_CHANNELS)


async def endpoints_of(
    work: Work, utility_id: str, channels: Collection[SendingChannel] = ENDPOINT_CHANNELS
) -> list[Address]:
    """Return the utility's endpoints of some channels that are in use."""
    return await _endpoints(work, utility_id, Audience.public, channels)


async def _endpoints(
    work: Work, utility_id: str, audience: Audience, channels: Collection[SendingChannel]
) -> list[Address]:
    rows = await work.session.exec(
        select(Endpoint)
        .where(
            Endpoint.utility_id == utility_id,
            Endpoint.audience == audience,
            col(Endpoint.channel).in_(sorted(channels)),
            col(Endpoint.ended_at).is_(None),
        )
        .order_by(Endpoint.id)
    )
    return [Address(row.channel, row.address_index, row.sealed, row.id) for row in rows]


async def queue_to(
    work: Work,
    utility: Utility,
    source: DeliverySource,
    source_id: str,
    addresses: Sequence[Address],
    *,
    lane: Lane,
    due_at: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Queue a message to addresses; what was queued before is not queued again."""
    rows = [
        {
            "id": new_id(),
            "utility_id": utility.id,
            "source": source,
            "source_id": source_id,
            "channel": address.channel,
            "address_index": address.index,
            "sealed": address.sealed,
            "endpoint_id": address.endpoint_id,
            "subscription_id": address.subscription_id,
            "lane": lane.value,
            "state": DeliveryState.ready,
            "due_at": due_at,
            "expires_at": expires_at,
            "attempts": 0,
            "lease_token": 0,
        }
        for address in addresses
    ]
    if rows:
        await work.session.execute(insert_or_pass(work, Delivery), rows)
