"""Outages as a calendar to subscribe to (RFC 5545, published as RFC 5546 has it)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from water2.domain.outage import OutageState
from water2.domain.public import PublicEstate, PublicOutage
from water2.edge.feeds.addresses import (
    CALENDAR_PATH,
    in_language,
    notice_page,
    of_estate,
    page,
)
from water2.edge.feeds.frame import title_for
from water2.edge.feeds.markup import LANGUAGE_TAGS, clean
from water2.edge.feeds.texts import both_texts, place_of, title_of
from water2.words import DEFAULT_LANGUAGE, Language, Words, words

CALENDAR_MEDIA_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"
ASK_AGAIN = timedelta(minutes=15)
OPEN_END = timedelta(hours=1)
"""Reading: how long an emergency without an estimate is shown on from its last word.

An event without an end takes no time (RFC 5545, 3.6.1), and calendars show it as over at once or
not at all. So it gets an end that each update moves, and its text says that this is provisional.
"""


def outages_ics(
    outages: Sequence[PublicOutage],
    *,
    base_url: str,
    domain: str,
    language: Language = DEFAULT_LANGUAGE,
    estate: PublicEstate | None = None,
) -> bytes:
    """Write one event per outage; a cancelled one stays, as cancelled, so that readers drop it.

    `domain` is the installation's for good: with the number it makes the UID. `estate`: the
    calendar tells of that alone.
    """
    say = words(language)
    calendar = Calendar()
    calendar.add("prodid", f"-//water2//outages//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title_for("feed.outages", estate, say))
    calendar.add("refresh-interval", ASK_AGAIN, {"VALUE": "DURATION"})
    path = in_language(of_estate(CALENDAR_PATH, estate.id if estate else None), language)
    calendar.add("source", page(base_url, path), {"VALUE": "URI"})
    for outage in outages:
        calendar.add_component(_event(outage, base_url, domain, say))
    if outages:
        # the zones' rules for the years shown: their whole past and future is of no use
        years = [at.year for outage in outages for at in _window(outage)]
        calendar.add_missing_timezones(date(min(years) - 1, 1, 1), date(max(years) + 2, 1, 1))
    written: bytes = calendar.to_ical()
    return written


def _event(outage: PublicOutage, base_url: str, domain: str, say: Words) -> Event:
    zone, notice = ZoneInfo(outage.timezone), outage.latest
    start, end = _window(outage)
    event = Event()
    event.add("uid", _text(f"{outage.number}@{domain}"))
    event.add("sequence", notice.revision - 1)
    event.add("dtstamp", notice.published_at)
    event.add("created", outage.notices[0].published_at)
    event.add("last-modified", notice.published_at)
    event.add("dtstart", start.astimezone(zone))
    if end > start:  # else it takes no time: an end must be later (3.8.2.2)
        event.add("dtend", end.astimezone(zone))
    cancelled = outage.state == OutageState.cancelled
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # nobody is busy for it
    organizer = vCalAddress(page(base_url, "/"))  # publishing demands one; mail goes nowhere
    organizer.params["CN"] = _parameter(outage.utility)
    event.add("organizer", organizer)
    tagged = {"LANGUAGE": LANGUAGE_TAGS[say.language]}
    event.add("summary", _text(title_of(notice, say.language)), tagged)
    event.add("description", _description(outage, say), tagged)
    event.add("location", _text(place_of(outage, notice, say)), tagged)
    event.add("categories", [say.text(f"feed.event_{outage.kind}")])
    event.add("url", notice_page(base_url, outage.number))
    return event


def _window(outage: PublicOutage) -> tuple[datetime, datetime]:
    """Return from when to when the water is or was off, as announced until it is known."""
    if outage.restored_at is not None:
        return outage.started_at or outage.starts_at, outage.restored_at
    if outage.ends_at is not None:
        return outage.starts_at, outage.ends_at
    return outage.starts_at, max(outage.starts_at, outage.latest.published_at) + OPEN_END


def _description(outage: PublicOutage, say: Words) -> str:
    text = both_texts(outage.latest, say.language)
    over = outage.state in (OutageState.restored, OutageState.cancelled)
    if outage.ends_at is None and not over:
        text = f"{say.text('feed.end_open')}\n\n{text}"
    return _text(text)


def _text(value: str) -> str:
    """Drop what a calendar's text cannot hold (RFC 5545, 3.1): all controls but tab and newline."""
    return clean(value).replace("\x7f", "")


def _parameter(value: str) -> str:
    """Keep a name to one line without double quotes: a parameter cannot escape them (3.2)."""
    return " ".join(_text(value).replace('"', " ").split())
