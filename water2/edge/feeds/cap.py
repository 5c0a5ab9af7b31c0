"""Notices as alerts of the Common Alerting Protocol (CAP 1.2, OASIS) and the Atom index of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from water2.domain.notice import NoticeKind
from water2.domain.public import PublicEstate, PublicNotice, PublicOutage
from water2.edge.facts import instant_text
from water2.edge.feeds.addresses import (
    ALERTS_PATH,
    alert_file,
    alert_id,
    notice_page,
    plain_number,
    tag,
)
from water2.edge.feeds.bearing import bearing_of, concerns_health
from water2.edge.feeds.frame import CAP_MEDIA_TYPE, begin_feed, link
from water2.edge.feeds.markup import LANGUAGE_TAGS, add, document, document_root
from water2.edge.feeds.texts import both_texts, place_of, text_of, title_of
from water2.words import DEFAULT_LANGUAGE, LANGUAGES, Language, words

Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]

STAYS_SHOWN = timedelta(hours=24)
"""Reading: CAP leaves open how long the end of an event is told; a day, so that all can flush."""
RADIUS_KM = "1"
"""Reading: an estate and its pump room; wide enough for coordinates in a map's shifted datum."""
_CAP = "urn:oasis:names:tc:emergency:cap:1.2"
_RESTRICTED = frozenset(" ,<&")  # section 3.2.1, of sender and identifier


def cap_alert(
    outage: PublicOutage,
    revision_number: int,
    *,
    sender: str,
    base_url: str,
    status: Status = "Actual",
) -> bytes:
    """Write the alert of one revision, whatever followed it; the telephone is today's.

    `sender` is a name that is the installation's alone, such as an address or a domain. A
    demonstration sends `Exercise`. A cancelled outage cancels the alerts before it, since what they
    told will not come true; a restored one updates them: it was true, and now all is clear.

    Raises:
        LookupError: the outage has no such revision.
        ValueError: the sender holds a space, a comma, `<` or `&`.
    """
    if not sender or _RESTRICTED & {*sender}:
        raise ValueError(f"not a CAP sender: {sender!r}")
    notice = _revision(outage, revision_number)
    earlier = [one for one in outage.notices if one.revision < revision_number]
    root = document_root("alert", _CAP)
    add(root, "identifier", alert_id(outage.number, revision_number))
    add(root, "sender", sender)
    add(root, "sent", cap_time(notice.published_at, outage.timezone))
    add(root, "status", status)
    add(root, "msgType", _message_type(notice, earlier))
    add(root, "scope", "Public")
    if status == "Exercise":
        add(root, "note", " / ".join(words(one).text("feed.exercise") for one in LANGUAGES))
    if earlier:
        add(root, "references", " ".join(_reference(outage, one, sender) for one in earlier))
    add(root, "incidents", plain_number(outage.number))
    for language in LANGUAGES:
        _add_info(root, outage, notice, base_url, language)
    return document(root)


def cap_time(at: datetime, timezone: str) -> str:
    """Write an instant to the second with its numeric offset, UTC as `-00:00` (CAP, 3.3.2)."""
    written = at.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")
    return written.replace("+00:00", "-00:00")


def _revision(outage: PublicOutage, number: int) -> PublicNotice:
    for notice in outage.notices:
        if notice.revision == number:
            return notice
    raise LookupError(f"{outage.number} has no revision {number}")


def _message_type(notice: PublicNotice, earlier: Sequence[PublicNotice]) -> str:
    if not earlier:
        return "Alert"
    return "Cancel" if notice.kind == NoticeKind.cancelled else "Update"


def _reference(outage: PublicOutage, notice: PublicNotice, sender: str) -> str:
    sent = cap_time(notice.published_at, outage.timezone)
    return f"{sender},{alert_id(outage.number, notice.revision)},{sent}"


def _add_info(
    root: Element, outage: PublicOutage, notice: PublicNotice, base_url: str, language: Language
) -> None:
    say, bearing = words(language), bearing_of(outage, notice)
    health = concerns_health(outage, notice)
    info = add(root, "info")
    add(info, "language", LANGUAGE_TAGS[language])
    for category in ("Infra", "Health") if health else ("Infra",):
        add(info, "category", category)
    add(info, "event", say.text(f"feed.event_{'quality' if health else outage.kind}"))
    add(info, "responseType", bearing.response)
    add(info, "urgency", bearing.urgency)
    add(info, "severity", bearing.severity)
    add(info, "certainty", bearing.certainty)
    add(info, "effective", cap_time(notice.published_at, outage.timezone))
    add(info, "onset", cap_time(notice.starts_at, outage.timezone))
    expires = _expires(notice)
    if expires is not None:
        add(info, "expires", cap_time(expires, outage.timezone))
    add(info, "senderName", outage.utility)
    add(info, "headline", title_of(notice, language))
    add(info, "description", text_of(notice, language))
    add(info, "instruction", say.text(f"feed.instruction_{bearing.instruction}"))
    add(info, "web", notice_page(base_url, outage.number))
    if outage.phone:
        add(info, "contact", outage.phone)
    _add_area(info, outage, notice, language)


def _expires(notice: PublicNotice) -> datetime | None:
    """Return when what a revision tells is over; None: nobody knows, each reader decides."""
    shown = notice.published_at + STAYS_SHOWN
    if notice.kind == NoticeKind.restored:
        return shown
    if notice.kind == NoticeKind.cancelled:  # until nobody waits for the water to stop
        return max(shown, notice.ends_at or shown)
    if notice.ends_at is None or notice.ends_at <= notice.published_at:
        return None
    return notice.ends_at


def _add_area(
    info: Element, outage: PublicOutage, notice: PublicNotice, language: Language
) -> None:
    area = add(info, "area")
    add(area, "areaDesc", place_of(outage, notice, words(language)))
    latitude, longitude = _degrees(outage.latitude, 90), _degrees(outage.longitude, 180)
    if latitude is not None and longitude is not None:
        add(area, "circle", f"{latitude},{longitude} {RADIUS_KM}")


def _degrees(written: str | None, limit: int) -> str | None:
    """Return a coordinate in plain decimals; None where it is none on this earth."""
    try:
        degrees = Decimal(written or "")
    except InvalidOperation:
        return None
    return f"{degrees:f}" if degrees.is_finite() and abs(degrees) <= limit else None


def cap_atom(
    outages: Sequence[PublicOutage],
    *,
    base_url: str,
    updated: datetime,
    language: Language = DEFAULT_LANGUAGE,
    estate: PublicEstate | None = None,
) -> bytes:
    """Write the index of alerts, one entry for each revision, the last published first.

    `estate`: it tells of that alone.
    """
    root = begin_feed(ALERTS_PATH, "feed.alerts", base_url, updated, language, estate)
    pairs = [(outage, notice) for outage in outages for notice in outage.notices]
    pairs.sort(key=lambda pair: (pair[1].published_at, pair[1].revision), reverse=True)
    for outage, notice in pairs:
        entry = add(root, "entry")
        identifier = alert_id(outage.number, notice.revision)
        add(entry, "id", tag(base_url, f"feeds/cap/{identifier}"))
        add(entry, "title", title_of(notice, language))
        add(entry, "updated", instant_text(notice.published_at))
        add(add(entry, "author"), "name", outage.utility)
        file = alert_file(base_url, outage.number, notice.revision)
        link(entry, "alternate", CAP_MEDIA_TYPE, file)
        link(entry, "related", "text/html", notice_page(base_url, outage.number))
        add(entry, "summary", both_texts(notice, language), type="text")
    return document(root)
