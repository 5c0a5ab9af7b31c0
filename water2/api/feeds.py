"""Feeds of outages for machines: Atom, CAP 1.2 and iCalendar. No account, at the root."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from pydantic import BaseModel, ConfigDict, Field

from water2.api.public_shapes import updated_of
from water2.api.state import state_of
from water2.domain.errors import NotFound
from water2.domain.public import PublicEstate, PublicOutage
from water2.edge.feeds.atom import outages_atom
from water2.edge.feeds.calendar import CALENDAR_MEDIA_TYPE, outages_ics
from water2.edge.feeds.cap import cap_alert, cap_atom
from water2.edge.feeds.frame import ATOM_MEDIA_TYPE, CAP_MEDIA_TYPE
from water2.edge.kept import kept_answer
from water2.edge.language import language_of
from water2.services.public.facilities import estate
from water2.services.public.outages import latest_public_outages, public_outage

router = APIRouter(prefix="/feeds", tags=["feeds"])

MOST_IN_A_FEED = 200
_NAME = re.compile(r"[A-Za-z0-9.:-]+", re.ASCII)
_REVISION = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_ENDING = ".xml"


class FeedQuery(BaseModel):
    """Of which estate, in which language first."""

    model_config = ConfigDict(extra="forbid")

    facility: Annotated[str, Field(max_length=60, pattern=r"^[\x21-\x7e]*$")] | None = None
    lang: Annotated[str, Field(max_length=10)] | None = Field(None, description="`zh` or `en`")


Asked = Annotated[FeedQuery, Given()]


@dataclass(frozen=True)
class _Told:
    """What a feed is made of."""

    outages: list[PublicOutage]
    given: dict[str, Any]
    updated: datetime


def _feed(path: str, media_type: str) -> Callable[[Any], Any]:
    """Return what makes a function answer GET and HEAD, documented by its media type."""
    kind = media_type.partition(";")[0]
    documented: dict[int | str, dict[str, Any]] = {
        200: {"content": {kind: {}}, "description": "The feed"},
        304: {"description": "Not changed since the asker's ETag"},
    }

    def decorate(function: Any) -> Any:
        for method in (router.get, router.head):
            method(path, response_class=Response, responses=documented)(function)
        return function

    return decorate


def base_url_of(request: Request) -> str:
    """Return where residents reach this installation: as set, else as this request did."""
    settings = state_of(request).settings
    return (settings.public_url or str(request.base_url)).rstrip("/")


def _domain(base_url: str) -> str:
    """Return the installation's own name; `localhost` where a request made one up."""
    try:
        name = urlsplit(base_url).hostname or ""
    except ValueError:
        name = ""
    return name if _NAME.fullmatch(name) else "localhost"


async def _told(request: Request, query: FeedQuery) -> _Told:
    language = language_of(query.lang, None)
    async with state_of(request).runtime.read() as work:
        of: PublicEstate | None = None
        if query.facility is not None:
            of = (await estate(work, query.facility)).estate
        outages = await latest_public_outages(
            work, facility_id=query.facility, limit=MOST_IN_A_FEED
        )
        updated = updated_of(outages, work.now)
    given = {"base_url": base_url_of(request), "language": language, "estate": of}
    return _Told(outages, given, updated)


@_feed("/outages.atom", ATOM_MEDIA_TYPE)
async def show_outages_atom(request: Request, query: Asked) -> Response:
    """Show outages as an Atom feed, the last announced first."""
    told = await _told(request, query)
    body = outages_atom(told.outages, updated=told.updated, **told.given)
    return kept_answer(request, body, ATOM_MEDIA_TYPE)


@_feed("/cap.atom", ATOM_MEDIA_TYPE)
async def show_alerts_atom(request: Request, query: Asked) -> Response:
    """Show the alerts (CAP 1.2) as an Atom feed that leads to each, the last published first."""
    told = await _told(request, query)
    body = cap_atom(told.outages, updated=told.updated, **told.given)
    return kept_answer(request, body, ATOM_MEDIA_TYPE)


@_feed("/outages.ics", CALENDAR_MEDIA_TYPE)
async def show_calendar(request: Request, query: Asked) -> Response:
    """Show outages as a calendar to subscribe to; a cancelled one stays for seven days."""
    told = await _told(request, query)
    domain = _domain(told.given["base_url"])
    body = outages_ics(told.outages, domain=domain, **told.given)
    return kept_answer(request, body, CALENDAR_MEDIA_TYPE)


@_feed("/cap/{file}", CAP_MEDIA_TYPE)
async def show_alert(request: Request, file: str) -> Response:
    """Show one revision's alert, `{number}-{revision}.xml`; a demonstration's is an exercise."""
    number, _, revision = file.removesuffix(_ENDING).rpartition("-")
    if not file.endswith(_ENDING) or not _REVISION.fullmatch(revision):
        raise NotFound("notice", file)
    state = state_of(request)
    async with state.runtime.read() as work:
        outage = await public_outage(work, number)
    base_url = base_url_of(request)
    try:
        body = cap_alert(
            outage,
            int(revision),
            sender=_domain(base_url),
            base_url=base_url,
            status="Actual" if state.move_clock is None else "Exercise",
        )
    except LookupError:
        raise NotFound("notice", file) from None
    return kept_answer(request, body, CAP_MEDIA_TYPE)
