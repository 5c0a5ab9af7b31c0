"""The contexts of the pages about anomalies and reports, named as their templates are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from water2.domain.regulator_report import Regulator
from water2.edge.clocks import ClockLine
from water2.rules.provision import Provision
from water2.services.anomalies.timeline import Happening
from water2.services.anomaly_detail import AnomalyPage as AnomalyView
from water2.services.anomaly_lists import ReportRow, RequestRow
from water2.services.board_lists import Listed
from water2.services.report_detail import ReportDetail
from water2.services.report_text import Line
from water2.web.page import Page
from water2.web.pages import AnomalyLine, ListPage


@dataclass(frozen=True)
class ReportLine:
    """A report with its clocks in words; `waits`: for how long it has not been acknowledged."""

    row: ReportRow
    clocks: Sequence[ClockLine]
    waits: str | None


@dataclass(frozen=True)
class RequestLine:
    """A request with how long it has had no answer."""

    row: RequestRow
    waits: str


@dataclass(frozen=True)
class HappeningLine:
    """One thing of the timeline in words; `by` is an account's name, None: the program's."""

    one: Happening
    text: str
    by: str | None


@dataclass(frozen=True)
class Sheet:
    """A report as it is printed, in Chinese whatever the page's language."""

    title: str
    salutation: str
    lines: Sequence[Line]
    receipts: Sequence[Line]
    signatures: tuple[str, str, str]


@dataclass(frozen=True)
class Typed:
    """What was sent in a form that was refused, to be mended: `problem` says why."""

    problem: str
    status: int
    form: str
    text: str


@dataclass(frozen=True, kw_only=True)
class InspectPage(Page):
    """What waits for an inspector."""

    template = "inspect.html"
    regulator: Regulator
    other: Regulator
    waiting: Listed[ReportLine]
    owed: Listed[ReportLine]
    others: Listed[ReportLine]
    settled: Listed[ReportLine]
    anomalies: Listed[AnomalyLine]
    requests: Listed[RequestLine]


@dataclass(frozen=True, kw_only=True)
class ReportPage(Page):
    """One report; `form_key` makes a form that is sent twice be taken once."""

    template = "inspect_report.html"
    detail: ReportDetail
    line: ReportLine
    sheet: Sheet | None
    may_acknowledge: bool
    may_ask: bool
    may_answer: bool
    unanswered: frozenset[str]
    form_key: str
    typed: Typed | None


@dataclass(frozen=True, kw_only=True)
class AnomalyPage(Page):
    """One anomaly."""

    template = "inspect_anomaly.html"
    view: AnomalyView
    line: AnomalyLine
    timeline: Sequence[HappeningLine]
    reports: Sequence[ReportLine]


@dataclass(frozen=True, kw_only=True)
class AnomaliesPage(ListPage):
    """A utility's current anomalies, and the reports it owes."""

    template = "anomalies.html"
    rows: Sequence[AnomalyLine]
    requests: Listed[RequestLine]
    owed: Listed[ReportLine]
    sent: Listed[ReportLine]
    historical: int
    grounds: Mapping[str, Provision]
