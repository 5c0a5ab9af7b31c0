"""Outages as an Atom feed (RFC 4287): one entry each, which changes while its id stays."""

from collections.abc import Sequence
from datetime import datetime
from xml.etree.ElementTree import Element

from water2.domain.public import PublicEstate, PublicOutage
from water2.edge.facts import instant_text
from water2.edge.feeds.addresses import OUTAGES_PATH, alert_file, notice_page, tag
from water2.edge.feeds.frame import CAP_MEDIA_TYPE, begin_feed, link
from water2.edge.feeds.markup import add, document
from water2.edge.feeds.texts import both_texts, title_of
from water2.words import DEFAULT_LANGUAGE, Language, words


def outages_atom(
    outages: Sequence[PublicOutage],
    *,
    base_url: str,
    updated: datetime,
    language: Language = DEFAULT_LANGUAGE,
    estate: PublicEstate | None = None,
) -> bytes:
    """Write the feed, its entries in the order given; `updated` is that of the whole feed.

    `estate`: it tells of that alone.
    """
    root = begin_feed(OUTAGES_PATH, "feed.outages", base_url, updated, language, estate)
    for outage in outages:
        _add_outage(root, outage, base_url, language)
    return document(root)


def _add_outage(root: Element, outage: PublicOutage, base_url: str, language: Language) -> None:
    say, notice = words(language), outage.latest
    entry = add(root, "entry")
    add(entry, "id", tag(base_url, f"outages/{outage.number}"))
    add(entry, "title", title_of(notice, language))
    add(entry, "published", instant_text(outage.notices[0].published_at))
    add(entry, "updated", instant_text(outage.updated_at))
    add(add(entry, "author"), "name", outage.utility)
    link(entry, "alternate", "text/html", notice_page(base_url, outage.number))
    alert = alert_file(base_url, outage.number, notice.revision)
    link(entry, "related", CAP_MEDIA_TYPE, alert)
    for scheme, group, term in (
        ("urn:water2:outage-state", "state", outage.state),
        ("urn:water2:outage-kind", "event", outage.kind),
    ):
        label = say.text(f"feed.{group}_{term}")
        add(entry, "category", term=term, scheme=scheme, label=label)
    add(entry, "content", both_texts(notice, language), type="text")
