"""Addresses and lasting names of what the feeds tell of."""

from urllib.parse import quote, urlencode, urlsplit

from water2.words import DEFAULT_LANGUAGE, Language

OUTAGES_PATH = "/feeds/outages.atom"
ALERTS_PATH = "/feeds/cap.atom"
CALENDAR_PATH = "/feeds/outages.ics"
_SINCE = "2026"  # a tag URI names a date on which its authority had the name (RFC 4151)


def page(base_url: str, path: str) -> str:
    """Return the address of a path that begins with a slash."""
    return base_url.rstrip("/") + path


def of_estate(path: str, facility_id: str | None) -> str:
    """Return the path of a feed, of one estate where that is asked for."""
    return path if facility_id is None else f"{path}?{urlencode({'facility': facility_id})}"


def in_language(path: str, language: Language) -> str:
    """Return the path of a feed in a language; the default one needs no word."""
    if language == DEFAULT_LANGUAGE:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'lang': language})}"


def plain_number(number: str) -> str:
    """Return a number as addresses and CAP take it: no space, comma, `<`, `&`.

    All but letters, digits and `-._~` is percent-encoded, so that no two numbers fall together.
    """
    return quote(number, safe="")


def notice_page(base_url: str, number: str) -> str:
    """Return where a notice is shown with its revisions."""
    return page(base_url, f"/notices/{plain_number(number)}")


def alert_id(number: str, revision: int) -> str:
    """Return a CAP identifier: one revision's, for good."""
    return f"{plain_number(number)}-{revision}"


def alert_file(base_url: str, number: str, revision: int) -> str:
    """Return where one revision's CAP alert is."""
    return page(base_url, f"/feeds/cap/{alert_id(number, revision)}.xml")


def tag(base_url: str, specific: str) -> str:
    """Name a thing for good, wherever it is served under this host (a tag URI, RFC 4151).

    The host is in it, since a number is one's own within an installation only.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "localhost").replace(":", "-")  # no tag may hold an IPv6 address
    path = "/".join(filter(None, (parts.path.strip("/"), specific)))
    return f"tag:{host},{_SINCE}:{quote(path)}"
