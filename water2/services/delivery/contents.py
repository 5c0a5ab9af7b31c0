"""The messages of claimed deliveries: the address opened, the words of their source."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from sqlmodel import col, select

from water2.domain.delivery import DeliverySource, Endpoint
from water2.domain.organisation import Utility
from water2.domain.sending import Message, SendingChannel
from water2.domain.subscription import Subscription
from water2.services.delivery.claiming import Claimed
from water2.services.delivery.saying import Saying, Sayings
from water2.services.delivery.sayings import say
from water2.services.delivery.texts import text
from water2.services.public.subscriptions import end_token
from water2.work import Work

ENGLISH = "en"


async def contents_of(
    work: Work, utility: Utility, claimed: Sequence[Claimed], *, public_url: str | None
) -> dict[str, Message]:
    """Return the message of each delivery of a utility, by the delivery's id.

    One whose source or address is gone is left out. `public_url` is where residents reach the
    pages; without it no message holds a link.
    """
    sayings = await _sayings(work, utility, claimed)
    languages = await _languages(work, claimed)
    secrets = await _secrets(work, claimed)
    found = {}
    for one in claimed:
        saying, address = sayings.get(one.source_id), open_address(work, one)
        if saying is None or address is None:
            continue
        language = languages.get(one.subscription_id or "", saying.language)
        end_url = _end_url(work, one.subscription_id, public_url)
        title, whole, short = _worded(saying, one.channel, language)
        links = _links(saying, language, public_url, end_url)
        if links and one.channel == SendingChannel.mail:
            whole = "\n\n".join((whole, *links))
        found[one.id] = Message(
            id=one.id,
            channel=SendingChannel(one.channel),
            address=address,
            title=title,
            text=whole,
            short=short,
            language=language,
            secret=secrets.get(one.endpoint_id or ""),
            end_url=end_url,
            links=links,
            data=saying.data,
        )
    return found


async def _sayings(work: Work, utility: Utility, claimed: Sequence[Claimed]) -> Sayings:
    by_source: dict[str, set[str]] = defaultdict(set)
    for one in claimed:
        by_source[one.source].add(one.source_id)
    found: Sayings = {}
    for source, ids in by_source.items():
        found |= await say(work, utility, DeliverySource(source), ids)
    return found


async def _languages(work: Work, claimed: Sequence[Claimed]) -> dict[str, str]:
    ids = {one.subscription_id for one in claimed if one.subscription_id}
    if not ids:
        return {}
    rows = await work.session.exec(
        select(Subscription.id, Subscription.language).where(col(Subscription.id).in_(ids))
    )
    return dict(rows.all())


async def _secrets(work: Work, claimed: Sequence[Claimed]) -> dict[str, str]:
    ids = {one.endpoint_id for one in claimed if one.endpoint_id}
    if not ids:
        return {}
    rows = await work.session.exec(
        select(Endpoint.id, Endpoint.secret_sealed).where(col(Endpoint.id).in_(ids))
    )
    return {id_: work.contacts.open(sealed) for id_, sealed in rows if sealed}


def open_address(work: Work, delivery: Any) -> str | None:
    """Open the address of any row of a delivery; None: erased, or sealed with another key."""
    if not delivery.sealed:
        return None
    try:
        return work.contacts.open(delivery.sealed)
    except InvalidTag:
        return None


def _end_url(work: Work, subscription_id: str | None, public_url: str | None) -> str | None:
    if subscription_id is None or public_url is None:
        return None
    token = end_token(work.contacts, subscription_id)
    return f"{public_url.rstrip('/')}/subscriptions/{subscription_id}/end?token={token}"


def _links(
    saying: Saying, language: str, public_url: str | None, end_url: str | None
) -> tuple[str, ...]:
    """Return the lines with links: to see that the notice is genuine, to end the subscription."""
    found = []
    if public_url and saying.number:
        url = f"{public_url.rstrip('/')}/notices/{quote(saying.number, safe='')}"
        found.append(text("verify_line", language, url=url))
    if end_url:
        found.append(text("end_line", language, url=end_url))
    return tuple(found)


def _worded(saying: Saying, channel: str, language: str) -> tuple[str, str, str]:
    """Return title, text and short text: the reader's language first, the other one below."""
    if not saying.text_en or channel != SendingChannel.mail:
        if language == ENGLISH and saying.title_en:
            return saying.title_en, saying.text_en, saying.title_en
        return saying.title, saying.text, saying.short
    chinese = f"{saying.title}\n\n{saying.text}"
    english = f"{saying.title_en}\n\n{saying.text_en}"
    if language == ENGLISH:
        return saying.title_en, f"{saying.text_en}\n\n{chinese}", saying.title_en
    return saying.title, f"{saying.text}\n\n{english}", saying.short
