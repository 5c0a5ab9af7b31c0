"""A page: a typed context rendered by one helper. Templates hold no queries and no rules."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, tzinfo
from functools import cache, partial
from importlib.resources import files
from typing import Any, ClassVar

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from water2.domain.access import INSPECTORS, Role
from water2.web.times import span, when
from water2.words import Language, words
from water2.words.citation import cite

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Viewer:
    """Who looks at the page, as its head shows them."""

    username: str
    role: Role
    may_set_clock: bool
    sees_desk: bool

    @property
    def inspects(self) -> bool:
        """Whether the pages of inspectors are the viewer's."""
        return self.role in INSPECTORS


@dataclass(frozen=True)
class UtilityChoice:
    """A utility the viewer may look at."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What every page shows around its content.

    `now` is the installation's instant in the utility's zone; `demo` tells that it can be moved.
    `here` is the page's own address for the language switch; `query` keeps an inspector's choice of
    utility in the links. `csrf` goes into every form.
    """

    language: Language
    here: str
    csrf: str
    now: datetime
    demo: bool = False
    section: str = ""
    query: str = ""
    viewer: Viewer | None = None
    utility: UtilityChoice | None = None
    choices: tuple[UtilityChoice, ...] = ()

    @property
    def other_language(self) -> Language:
        """Return the language the switch leads to."""
        return "en" if self.language == "zh" else "zh"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The context of one template; each subclass is one page."""

    template: ClassVar[str]
    frame: Frame


def render(page: Page, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """Render a page in its reader's language, with the headers every page bears."""
    language = page.frame.language
    context: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    context |= {
        "t": words(language).text,
        "cite": partial(cite, language),
        "own": partial(_own_words, language),
        "when": partial(when, language),
        "span": partial(span, language),
    }
    body = load_template(page.template).render(context)
    return HTMLResponse(
        body, status, {**PAGE_HEADERS, "Content-Language": language, **(headers or {})}
    )


def load_template(name: str) -> Template:
    """Return a template of the environment all pages share."""
    return environment().get_template(name)


@cache
def environment() -> Environment:
    """Return the environment: everything is escaped, an unknown name is an error."""
    found = Environment(
        loader=PackageLoader("water2.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["style_version"] = _style_version("desk.css")
    found.globals["inspect_style_version"] = _style_version("inspect.css")
    found.globals["public_style_version"] = _style_version("public.css")
    found.filters["civil"] = _civil
    found.filters["instant"] = _instant
    return found


def _style_version(sheet: str) -> str:
    """Tell caches apart: a changed style sheet gets another address."""
    style = files("water2.web").joinpath("static", sheet).read_bytes()
    return hashlib.sha256(style).hexdigest()[:12]


def _own_words(language: Language, thing: object, name: str) -> str | None:
    """Return a text the rulebook holds in both languages (`title`, `title_en`)."""
    text: str | None = getattr(thing, name if language == "zh" else f"{name}_en")
    return text


def _civil(day: date) -> str:
    return day.isoformat()


def _instant(at: datetime, zone: tzinfo | None) -> str:
    """Show an instant in the reader's zone, to the minute."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
