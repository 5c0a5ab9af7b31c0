"""The contexts of the pages, one dataclass each, named as their templates are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from water2.edge.clocks import ClockLine
from water2.rules.articles import Amendment, Article
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.obligation import Obligation
from water2.rules.provision import Provision
from water2.services.anomaly_lists import AnomalyRow
from water2.services.board import ProvisionCount
from water2.services.board_flags import FlaggedFacility, WithdrawnAssignment
from water2.services.board_lists import LapsingCertificate, OverdueTank
from water2.services.board_outages import FoundStop
from water2.services.outages.listing import OutageView
from water2.web.page import Page


@dataclass(frozen=True)
class Tallies:
    """The board's figures at a glance."""

    overdue_tanks: int
    days_late: int
    due_soon: int
    due_soon_days: int
    certificates: int
    certificates_lapsed: int
    missed: int


@dataclass(frozen=True)
class OutageRow:
    """An outage with its progress in words."""

    view: OutageView
    progress: str


@dataclass(frozen=True)
class AnomalyLine:
    """An anomaly with its clocks in words."""

    row: AnomalyRow
    clocks: Sequence[ClockLine]


@dataclass(frozen=True, kw_only=True)
class SignInPage(Page):
    """The way in. `problem` is a key of the sign-in words."""

    template = "sign_in.html"
    back: str
    username: str = ""
    problem: str | None = None
    wait_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class PasswordPage(Page):
    """One's own new password. `problem` is a key of the password words."""

    template = "password.html"
    required: bool
    shortest: int
    problem: str | None = None
    wait_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """What went wrong, in words; a refusal by rule with its ground, article and quote."""

    template = "error.html"
    status: int
    text: str
    ground: str | None = None
    article: str | None = None
    quote: str | None = None


@dataclass(frozen=True, kw_only=True)
class BoardPage(Page):
    """The compliance board."""

    template = "board.html"
    today: date
    first_day_on: date
    book: Rulebook
    tallies: Tallies
    law: Sequence[ProvisionCount]
    targets: Sequence[ProvisionCount]
    later: Sequence[Article]
    overdue: Sequence[OverdueTank]
    overdue_total: int
    earlier: Sequence[OverdueTank]
    earlier_total: int
    certificates: Sequence[LapsingCertificate]
    certificates_total: int
    certificates_ground: Provision | None
    withdrawn: Sequence[WithdrawnAssignment]
    withdrawn_days: int
    flagged: Sequence[FlaggedFacility]
    flagged_total: int
    timezone: str
    outages: Sequence[OutageRow]
    outages_total: int
    anomalies: Sequence[AnomalyLine]
    anomalies_total: int
    waiting: int
    grounds: Mapping[FlagCode, Provision]


@dataclass(frozen=True, kw_only=True)
class ListPage(Page):
    """A part of a list: `next` leads on from it, `paged` says that it is not the first."""

    total: int
    next: str | None
    paged: bool


@dataclass(frozen=True, kw_only=True)
class OverduePage(ListPage):
    """Overdue tanks, all of them a page at a time; `earlier`: those from before the first day."""

    template = "overdue.html"
    earlier: bool
    first_day_on: date
    rows: Sequence[OverdueTank]


@dataclass(frozen=True, kw_only=True)
class CertificatesPage(ListPage):
    """People whose certificate lapsed, lacks or lapses soon."""

    template = "certificates.html"
    ground: Provision | None
    due_soon_days: int
    rows: Sequence[LapsingCertificate]


@dataclass(frozen=True, kw_only=True)
class FacilitiesPage(ListPage):
    """Facilities that need a look."""

    template = "facilities.html"
    rows: Sequence[FlaggedFacility]
    grounds: Mapping[FlagCode, Provision]


@dataclass(frozen=True, kw_only=True)
class OutagesPage(ListPage):
    """Outages at hand with who is told, and stops without right; `timezone` is the utility's."""

    template = "outages.html"
    timezone: str
    rows: Sequence[OutageRow]
    ground: Provision | None
    stops: Sequence[FoundStop]
    stops_total: int
    stops_ground: Provision | None


@dataclass(frozen=True, kw_only=True)
class LawPage(Page):
    """The articles in their own words, what was changed, and the targets with their grounds."""

    template = "law.html"
    book: Rulebook
    articles: Sequence[Article]
    amendments: Sequence[Amendment]
    higher: Sequence[Obligation]
    targets: Sequence[Obligation]
