"""The contexts of the public pages, one dataclass each, named as their templates are."""

from collections.abc import Sequence
from dataclasses import dataclass

from water2.domain.public import PublicEstate, PublicNotice, PublicOutage
from water2.services.public.facilities import EstateView, Hotline
from water2.web.page import Page


@dataclass(frozen=True)
class Card:
    """An outage as a page shows it. `passed`: its announced end, while the water is off.

    `state` is the outage's own, or `due` once its announced start has come, `unused` after its end.
    """

    outage: PublicOutage
    state: str
    passed: bool = False


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    """What is off now and next; my estate; is this notice genuine."""

    template = "public_home.html"
    q: str
    found: Sequence[PublicEstate] | None
    following: str | None
    now: Sequence[Card]
    coming: Sequence[Card]
    most: int
    hotlines: Sequence[Hotline]


@dataclass(frozen=True, kw_only=True)
class EstatePage(Page):
    """An estate, its outages, and the form to be told of them. `problem` is a key of words."""

    template = "public_estate.html"
    view: EstateView
    now: Sequence[Card]
    coming: Sequence[Card]
    ended: Sequence[Card]
    address: str = ""
    problem: str | None = None
    wait: tuple[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class NoticePage(Page):
    """A notice that was published, with all revisions."""

    template = "public_notice.html"
    card: Card
    notice: PublicNotice


@dataclass(frozen=True, kw_only=True)
class NotGenuinePage(Page):
    """That no such notice was published, and whom to ask."""

    template = "public_not_genuine.html"
    number: str
    hotlines: Sequence[Hotline]


@dataclass(frozen=True, kw_only=True)
class CodePage(Page):
    """The form for the code; it tells nothing of whether there is such a subscription."""

    template = "public_code.html"
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConfirmedPage(Page):
    """That a subscription is confirmed; `end_way` ends it."""

    template = "public_confirmed.html"
    facility_id: str
    end_way: str


@dataclass(frozen=True, kw_only=True)
class EndPage(Page):
    """The button that ends a subscription, or that it has ended."""

    template = "public_end.html"
    ended: bool


@dataclass(frozen=True, kw_only=True)
class PublicErrorPage(Page):
    """What went wrong, in words."""

    template = "public_error.html"
    status: int
    text: str
