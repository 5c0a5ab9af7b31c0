"""A visit: one request to a page, with whoever is signed in, in which language, by which clock."""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Request
from sqlmodel import col, select

from water2.clock import DemoClock, wall_clock
from water2.config import Settings
from water2.domain.access import INSPECTORS, Action, Role
from water2.domain.errors import DomainError, NotFound, NotPermitted
from water2.domain.organisation import Utility
from water2.services.demo.clock import Deliver
from water2.services.sign_in import Caller, NotSignedIn, identify
from water2.web.page import Frame, UtilityChoice, Viewer
from water2.words import DEFAULT_LANGUAGE, LANGUAGES, Language
from water2.work import Runtime, Work

SESSION_COOKIE = "water2_session"
FORM_COOKIE = "water2_form"  # the form token of somebody not signed in
LANGUAGE_COOKIE = "water2_language"
MAY_SEE_THE_DESK = INSPECTORS | {Role.manager, Role.administrator}


class FormExpired(DomainError):
    """The form's token is not the visitor's: it was opened before another sign-in, or elsewhere."""


@dataclass(frozen=True)
class Desk:
    """What all pages share; stands in the application's state as `desk`."""

    runtime: Runtime
    settings: Settings
    deliver: Deliver | None = None  # sends what is due; a demonstration's clock passes it

    @property
    def demo_clock(self) -> DemoClock | None:
        """Return the demonstration's settable clock; None outside a demonstration."""
        clock = self.runtime.clock
        return clock if isinstance(clock, DemoClock) else None

    def cookie(self, name: str) -> str:
        """Return a cookie's full name: over HTTPS it is bound to this very host."""
        return f"__Host-{name}" if self.settings.secure_cookies else name


@dataclass(frozen=True)
class Visit:
    """One request to a page."""

    request: Request
    desk: Desk
    language: Language
    caller: Caller | None
    form_token: str

    @property
    def here(self) -> str:
        """Return the page's own address, for the ways back to it."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def address(self) -> str:
        """Return the address the visit comes from, as the server knows it."""
        return self.request.client.host if self.request.client else "unknown"

    def signed_in(self) -> Caller:
        """Return who is signed in.

        Raises:
            NotSignedIn: nobody is.
        """
        if self.caller is None:
            raise NotSignedIn("session_unknown")
        return self.caller

    def frame(self, section: str = "", at: "Place | None" = None) -> Frame:
        """Return what stands around the page's content."""
        zone = ZoneInfo(at.utility.timezone if at else self.desk.settings.timezone)
        return Frame(
            language=self.language,
            here=self.here,
            csrf=self.form_token,
            now=self.desk.runtime.now().astimezone(zone),
            demo=self.desk.demo_clock is not None,
            section=section,
            viewer=_viewer(self.caller) if self.caller else None,
            query=at.query if at else "",
            utility=UtilityChoice(at.utility.id, at.utility.name) if at else None,
            choices=at.choices if at else (),
        )


def _viewer(caller: Caller) -> Viewer:
    actor = caller.actor
    return Viewer(
        username=actor.username,
        role=actor.role,
        may_set_clock=actor.may(Action.administer),
        sees_desk=actor.role in MAY_SEE_THE_DESK,
    )


@dataclass(frozen=True)
class Place:
    """The utility a visitor looks at, among those the visitor sees."""

    utility: Utility
    choices: tuple[UtilityChoice, ...] = field(default=())

    @property
    def query(self) -> str:
        """Return what keeps the choice in links; nothing where there is no choice."""
        return f"?{urlencode({'utility': self.utility.id})}" if len(self.choices) > 1 else ""


async def choose_place(work: Work, utility_id: str | None) -> Place:
    """Return the utility asked for, or the first by name of those the visitor sees.

    Raises:
        NotFound: the visitor sees no such utility, or none at all.
    """
    found = await work.session.exec(
        select(Utility)
        .where(col(Utility.id).in_(work.actor.utility_ids))
        .order_by(Utility.name, Utility.id)
    )
    seen = {utility.id: utility for utility in found}
    utility = seen.get(utility_id) if utility_id else next(iter(seen.values()), None)
    if utility is None:
        raise NotFound("utility", utility_id or "")
    return Place(utility, tuple(UtilityChoice(one.id, one.name) for one in seen.values()))


def language_of(request: Request) -> Language:
    """Return the reader's choice; Chinese before any choice."""
    desk: Desk = request.app.state.desk
    chosen = request.cookies.get(desk.cookie(LANGUAGE_COOKIE))
    return next((language for language in LANGUAGES if language == chosen), DEFAULT_LANGUAGE)


async def open_visit(request: Request) -> Visit:
    """Return the visit with whoever the session's cookie names, if anybody."""
    desk: Desk = request.app.state.desk
    caller = await _caller(desk, request.cookies.get(desk.cookie(SESSION_COOKIE)))
    waiting = request.cookies.get(desk.cookie(FORM_COOKIE)) or secrets.token_urlsafe(32)
    token = caller.csrf_token if caller else waiting
    visit = Visit(request, desk, language_of(request), caller, token)
    request.state.visit = visit
    return visit


def visit_so_far(request: Request) -> Visit:
    """Return the visit as far as it was opened: asks nothing of the database, which may be away."""
    opened: Visit | None = getattr(request.state, "visit", None)
    return opened or Visit(request, request.app.state.desk, language_of(request), None, "")


async def _caller(desk: Desk, token: str | None) -> Caller | None:
    if not token:
        return None
    async with desk.runtime.read() as work:
        try:
            return await identify(work, token, wall_clock())  # sessions end in real time
        except NotSignedIn:
            return None


AnyVisit = Annotated[Visit, Depends(open_visit)]


def desk_visit(visit: AnyVisit) -> Visit:
    """Let in whom the desk is for.

    Raises:
        NotSignedIn: nobody is signed in.
        NotPermitted: the desk is for managers, inspectors and the administrator.
    """
    if visit.signed_in().actor.role not in MAY_SEE_THE_DESK:
        raise NotPermitted("desk")
    return visit


DeskVisit = Annotated[Visit, Depends(desk_visit)]


def checked_form(visit: AnyVisit, csrf: Annotated[str, Form(max_length=100)]) -> None:
    """Refuse a form that this visitor was not given.

    Raises:
        FormExpired: the token is another's, or another site sent the form.
    """
    elsewhere = visit.request.headers.get("sec-fetch-site", "same-origin") not in _OWN_SITE
    if elsewhere or not hmac.compare_digest(csrf.encode(), visit.form_token.encode()):
        raise FormExpired


_OWN_SITE = {"same-origin", "none"}
CheckedForm = Depends(checked_form)
