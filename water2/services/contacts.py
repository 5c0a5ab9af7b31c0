"""Telephones and mail addresses entered one by one: normalised, sealed, shown masked."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints, WithJsonSchema
from sqlmodel import col, select

from water2.domain.command import Command
from water2.domain.contacts import masked
from water2.domain.errors import Invalid
from water2.domain.folding import CellError, fold, read_mail, read_phone
from water2.domain.organisation import Contact
from water2.services.rows import chunks
from water2.work import Work


class Channel(StrEnum):
    """How somebody is reached: by text message or call, or by mail."""

    phone = "phone"
    mail = "mail"

    @classmethod
    def _missing_(cls, value: object) -> "Channel | None":
        return _ALIASES.get(value) if isinstance(value, str) else None


_ALIASES = {"sms": Channel.phone, "email": Channel.mail}


class GivenContact(Command):
    """A telephone number or mail address."""

    channel: Annotated[
        Channel,
        WithJsonSchema(
            {
                "type": "string",
                "enum": [*Channel, *_ALIASES],
                "description": "`sms` is stored as `phone`, `email` as `mail`",
            }
        ),
    ]
    address: Annotated[str, StringConstraints(min_length=1, max_length=120)]


_READ = {Channel.phone: read_phone, Channel.mail: read_mail}


def normal_address(contact: GivenContact, field: str = "address") -> str:
    """Return the text of a contact, equal where two mean the same.

    Raises:
        Invalid: names the field at fault, never its text.
    """
    try:
        return _READ[contact.channel](fold(contact.address))
    except CellError as error:
        raise Invalid.one(field, error.code, **error.facts) from None


def _normal(given: Sequence[GivenContact]) -> set[tuple[str, str]]:
    """Return channel and text of each."""
    return {
        (contact.channel.value, normal_address(contact, f"contacts.{at}.address"))
        for at, contact in enumerate(given)
    }


async def settle_contacts(
    work: Work, owner: tuple[str, str], utility_id: str, given: Sequence[GivenContact]
) -> bool:
    """Make an owner's (type, id) contacts the given ones; tell whether that changed any."""
    owner_type, owner_id = owner
    wanted = {(channel, work.contacts.index(text)): text for channel, text in _normal(given)}
    rows = await work.session.exec(select(Contact).where(Contact.owner_id == owner_id))
    stored = {(row.channel, row.index): row for row in rows}
    for mark in stored.keys() - wanted.keys():
        await work.session.delete(stored[mark])
    new = sorted(wanted.keys() - stored.keys())
    for channel, index in new:
        work.session.add(
            Contact(
                utility_id=utility_id,
                owner_type=owner_type,
                owner_id=owner_id,
                channel=channel,
                sealed=work.contacts.seal(wanted[channel, index]),
                index=index,
            )
        )
    return stored.keys() != wanted.keys()


async def masked_contacts(work: Work, owner_ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return owners' contacts as anybody may see them."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for ids in chunks(owner_ids):
        rows = await work.session.exec(
            select(Contact)
            .where(col(Contact.owner_id).in_(ids))
            .order_by(Contact.owner_id, Contact.channel, Contact.id)
        )
        for row in rows:
            address = masked(work.contacts.open(row.sealed))
            found[row.owner_id].append({"channel": row.channel, "address": address})
    return found
