"""The frame that the feeds in Atom share: identity, title, links."""

from datetime import datetime
from xml.etree.ElementTree import Element

from water2.domain.public import PublicEstate
from water2.edge.facts import instant_text
from water2.edge.feeds.addresses import in_language, of_estate, page, tag
from water2.edge.feeds.markup import add, document_root
from water2.words import Language, Words, words

ATOM_MEDIA_TYPE = "application/atom+xml"
CAP_MEDIA_TYPE = "application/cap+xml"
_ATOM = "http://www.w3.org/2005/Atom"


def title_for(key: str, estate: PublicEstate | None, say: Words) -> str:
    """Return a feed's title, with the estate's name where it tells of that alone."""
    title = say.text(key)
    return f"{title} · {estate.name}" if estate else title


def begin_feed(
    path: str,
    title: str,
    base_url: str,
    updated: datetime,
    language: Language,
    estate: PublicEstate | None,
) -> Element:
    """Begin the feed that lies at `path`, of one estate or of all; `title` is a key of words.

    It names no author: each entry names its own, the utility (RFC 4287, 4.1.1).
    """
    path = of_estate(path, estate.id if estate else None)
    root = document_root("feed", _ATOM, language)
    add(root, "id", tag(base_url, path.removeprefix("/")))
    add(root, "title", title_for(title, estate, words(language)))
    add(root, "updated", instant_text(updated))
    link(root, "self", ATOM_MEDIA_TYPE, page(base_url, in_language(path, language)))
    link(root, "alternate", "text/html", page(base_url, "/"))
    return root


def link(parent: Element, relation: str, media_type: str, address: str) -> None:
    """Add a link to a feed or an entry."""
    add(parent, "link", rel=relation, type=media_type, href=address)
