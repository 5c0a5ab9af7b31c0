"""What all public pages share: they need no account, no script and no cookie, and may be kept."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.routing import APIRoute

from water2.edge.kept import kept_answer
from water2.web.errors import page_problem
from water2.web.page import PAGE_HEADERS, Frame, Page, render
from water2.web.public_pages import PublicErrorPage
from water2.web.visit import LANGUAGE_COOKIE, Desk, FormExpired, language_of
from water2.words import LANGUAGES, Language, words

_A_YEAR = 365 * 24 * 3600
_OWN_SITE = {"same-origin", "none"}
_HTML = "text/html; charset=utf-8"
# the language may come from a cookie; caches keep the two apart
_VARY = "Cookie"
_POLICY = {name: value for name, value in PAGE_HEADERS.items() if name != "Cache-Control"}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, kw_only=True)
class PublicFrame(Frame):
    """The frame of a page for anybody; `query` keeps a language that was asked for in the links.

    `switch` is the same page in the other language.
    """

    csrf: str = ""
    switch: str = "/"


def desk_of(request: Request) -> Desk:
    """Return what all pages share."""
    desk: Desk = request.app.state.desk
    return desk


def frame_of(request: Request) -> PublicFrame:
    """Return what stands around a public page; nothing is asked of the database."""
    desk, asked = desk_of(request), _asked_language(request)
    language = asked or language_of(request)
    zone = ZoneInfo(desk.settings.timezone)
    return PublicFrame(
        language=language,
        here=request.url.path,
        now=desk.runtime.now().astimezone(zone),
        demo=desk.demo_clock is not None,
        query=f"?{urlencode({'lang': asked})}" if asked else "",
        switch=_switch(request, "en" if language == "zh" else "zh"),
    )


def _asked_language(request: Request) -> Language | None:
    asked = request.query_params.get("lang")
    return next((language for language in LANGUAGES if language == asked), None)


def _switch(request: Request, to: Language) -> str:
    """Return the page's own address in another language; what a form posted is not repeated."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return f"?{urlencode([*kept, ('lang', to)])}"


def kept_page(request: Request, page: Page) -> Response:
    """Answer with a page that is the same for everybody, or with 304."""
    body = bytes(render(page).body)
    headers = {**_POLICY, "Content-Language": page.frame.language}
    return kept_answer(request, body, _HTML, vary=_VARY, headers=headers)


def require_own_form(request: Request) -> None:
    """Refuse a form that another site sent, as far as a browser tells: there is no session to lose.

    Raises:
        FormExpired: it came from elsewhere.
    """
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if site is not None:
        elsewhere = site not in _OWN_SITE
    else:
        elsewhere = origin is not None and _host(origin) not in _own_hosts(request)
    if elsewhere:
        raise FormExpired


def _own_hosts(request: Request) -> set[str | None]:
    """Return the names residents reach this site by; ports a proxy may have dropped."""
    public_url = desk_of(request).settings.public_url or ""
    named = {_host(f"//{request.headers.get('host', '')}"), _host(public_url)}
    return named - {None}


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def address_of(request: Request) -> str:
    """Return the address a request came from, as the server knows it."""
    return request.client.host if request.client else "unknown"


class PublicRoute(APIRoute):
    """Answers errors as public pages, and remembers a language that an address asks for."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler FastAPI makes."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:
                response = answer_error(request, error)
            _remember_language(request, response)
            return response

        return answer


def _remember_language(request: Request, response: Response) -> None:
    asked, desk = _asked_language(request), desk_of(request)
    if asked is None or language_of(request) == asked:
        return
    response.set_cookie(
        desk.cookie(LANGUAGE_COOKIE),
        asked,
        max_age=_A_YEAR,
        path="/",
        secure=desk.settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def answer_error(request: Request, error: Exception) -> Response:
    """Return the page that tells of an error."""
    frame = frame_of(request)
    say = words(frame.language)
    problem = page_problem(request, say, error)
    not_found = problem.status == 404
    own = f"error.{problem.reason}"
    text = say.text(own) if say.has(own) else problem.detail
    page = PublicErrorPage(
        frame=frame,
        status=problem.status,
        text=say.text("public.not_found") if not_found else text,
    )
    return render(page, problem.status, problem.headers)


def wait_of(seconds: int) -> tuple[str, int]:
    """Return how long to wait in the unit people would name, rounded up."""
    for unit, long in (("hours", 3600), ("minutes", 60)):
        if seconds > long:
            return unit, -(-seconds // long)
    return "seconds", seconds
