"""Contacts as anybody may see them."""

from pydantic import Field

from water2.api.shapes import Answer
from water2.services.contacts import masked_contacts
from water2.work import Work


class ContactAnswer(Answer):
    """A telephone number or mail address."""

    channel: str
    address: str = Field(description="masked")


async def contacts_of(work: Work, owner_id: str) -> list[ContactAnswer]:
    """Show one owner's contacts."""
    found = await masked_contacts(work, [owner_id])
    return [ContactAnswer.model_validate(contact) for contact in found.get(owner_id, [])]
