"""The contexts of the board and of the law, put together from the read queries."""

from collections.abc import Sequence

from water2.edge.progress import progress_sentence
from water2.rules.flags import FlagCode
from water2.rules.notice import PLANNED, UNAUTHORISED
from water2.rules.obligation import Obligation
from water2.rules.provision import Provision
from water2.services.board import BoardView, ProvisionCount, count_provisions
from water2.services.board_flags import (
    SHOWN,
    WITHDRAWN_SHOWN_DAYS,
    flag_provision,
    list_flagged_facilities,
    list_withdrawn_assignments,
)
from water2.services.board_lists import (
    Listed,
    OverdueTank,
    list_lapsing_certificates,
    list_overdue_tanks,
)
from water2.services.board_outages import list_outages_at_hand, list_unsettled_stops
from water2.services.inspecting import count_waiting
from water2.web.inspect_page import current_anomalies
from water2.web.page import Frame
from water2.web.pages import BoardPage, LawPage, OutageRow, OutagesPage, Tallies
from water2.words import words
from water2.work import Work

ROWS_ON_THE_BOARD = 10
ANOMALIES_ON_THE_BOARD = 4  # each with its clocks


async def board_page(work: Work, view: BoardView, frame: Frame) -> BoardPage:
    """Return the board of a utility as of today."""
    counts = await count_provisions(work, view)
    few = ROWS_ON_THE_BOARD
    overdue = await list_overdue_tanks(work, view, before_first_day=False, limit=few)
    earlier = await list_overdue_tanks(work, view, before_first_day=True, limit=few)
    certificates = await list_lapsing_certificates(work, view, limit=few)
    withdrawn = await list_withdrawn_assignments(work, view, limit=few)
    flagged = await list_flagged_facilities(work, view, limit=few)
    outages = await outage_rows(work, view, frame, limit=few)
    anomalies = await current_anomalies(work, view, frame, limit=ANOMALIES_ON_THE_BOARD)
    return BoardPage(
        frame=frame,
        today=view.today,
        first_day_on=view.utility.first_day_on,
        book=view.book,
        tallies=_tallies(view, counts, [*earlier.rows, *overdue.rows], certificates.total),
        law=[count for count in counts if count.obligation.basis == "law"],
        targets=[count for count in counts if count.obligation.basis == "target"],
        later=[article for article in view.book.articles if article.status == "later"],
        overdue=overdue.rows,
        overdue_total=overdue.total,
        earlier=earlier.rows,
        earlier_total=earlier.total,
        certificates=certificates.rows,
        certificates_total=certificates.total,
        certificates_ground=certificates_ground(view),
        withdrawn=withdrawn,
        withdrawn_days=WITHDRAWN_SHOWN_DAYS,
        flagged=flagged.rows,
        flagged_total=flagged.total,
        timezone=view.utility.timezone,
        outages=outages.rows,
        outages_total=outages.total,
        anomalies=anomalies.rows,
        anomalies_total=anomalies.total,
        waiting=await count_waiting(work),
        grounds=flag_grounds(view),
    )


def _tallies(
    view: BoardView,
    counts: Sequence[ProvisionCount],
    latest: Sequence[OverdueTank],
    certificates: int,
) -> Tallies:
    tanks = [count for count in counts if count.obligation.subject == "tank"]
    people = [count for count in counts if count.obligation.subject == "person"]
    return Tallies(
        overdue_tanks=sum(count.overdue for count in tanks),
        days_late=max((tank.days_late for tank in latest), default=0),
        due_soon=sum(count.due_soon for count in counts if count.obligation.basis == "law"),
        due_soon_days=view.due_soon_days,
        certificates=certificates,
        certificates_lapsed=sum(count.overdue for count in people),
        missed=sum(count.missed for count in tanks),
    )


async def outage_rows(
    work: Work, view: BoardView, frame: Frame, *, limit: int, cursor: str | None = None
) -> Listed[OutageRow]:
    """Return the outages at hand, each with its progress in the reader's words."""
    found = await list_outages_at_hand(work, view, limit=limit, cursor=cursor)
    say = words(frame.language)
    rows = [OutageRow(one, progress_sentence(one, say)) for one in found.rows]
    return Listed(rows, found.total, found.next)


async def outages_page(
    work: Work, view: BoardView, frame: Frame, *, limit: int, cursor: str | None
) -> OutagesPage:
    """Return a page of the outages at hand, with the stops without right."""
    found = await outage_rows(work, view, frame, limit=limit, cursor=cursor)
    stops = await list_unsettled_stops(work, view, limit=limit)
    return OutagesPage(
        frame=frame,
        timezone=view.utility.timezone,
        rows=found.rows,
        total=found.total,
        next=found.next,
        paged=cursor is not None,
        ground=_ground(view, PLANNED),
        stops=stops.rows,
        stops_total=stops.total,
        stops_ground=_ground(view, UNAUTHORISED),
    )


def _ground(view: BoardView, obligation: str) -> Provision | None:
    found = view.book.obligation(obligation, view.today)
    return found.provision if found else None


def certificates_ground(view: BoardView) -> Provision | None:
    """Return the provision on the people's certificates, where the place has one."""
    demands = view.obligations("person")
    return demands[0].provision if demands else None


def flag_grounds(view: BoardView) -> dict[FlagCode, Provision]:
    """Return the provisions the facilities' flags rest on, where the place has them."""
    found = {flag: flag_provision(view, flag) for flag in SHOWN}
    return {flag: provision for flag, provision in found.items() if provision is not None}


def law_page(view: BoardView, frame: Frame) -> LawPage:
    """Return the articles, and what stands beside them."""
    in_force = view.book.obligations_on(view.today)
    own = view.book.instrument
    return LawPage(
        frame=frame,
        book=view.book,
        articles=view.book.articles,
        amendments=view.book.amendments,
        higher=[o for o in in_force if o.provision.instrument != own],
        targets=[o for o in in_force if _has_targets(o)],
    )


def _has_targets(obligation: Obligation) -> bool:
    settings = obligation.values.values()
    return any(setting.basis == "target" and setting.source for setting in settings)
