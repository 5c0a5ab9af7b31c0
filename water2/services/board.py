"""The compliance board: how the duties under each provision stand. Read-only, set-based."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from sqlalchemy import ColumnElement, and_, case, func
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.duty import Duty, DutyState
from water2.domain.errors import NotFound
from water2.domain.organisation import Utility
from water2.rules.book import Rulebook
from water2.rules.cadence import missed_periods
from water2.rules.obligation import Obligation, SubjectKind
from water2.services.duty_queries import in_state
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class BoardView:
    """What every list of the board stands on: whose duties, by which book, on which day."""

    utility: Utility
    book: Rulebook
    today: date

    @property
    def due_soon_days(self) -> int:
        """Return how long before its due day a duty is shown as due soon."""
        return self.book.number("due_soon_days")

    def obligations(self, *subjects: str) -> list[Obligation]:
        """Return the obligations in force today that are demanded of such subjects."""
        return [o for o in self.book.obligations_on(self.today) if o.subject in subjects]

    def is_in(self, state: DutyState) -> ColumnElement[bool]:
        """Return the condition under which a duty is in a state today."""
        return in_state(state, self.today, self.due_soon_days)

    @property
    def lapsed_before(self) -> ColumnElement[bool]:
        """Return the condition under which a duty was overdue before the first day of operation."""
        return and_(self.is_in(DutyState.overdue), col(Duty.due_on) < self.utility.first_day_on)


@dataclass(frozen=True)
class ProvisionCount:
    """How many duties under one obligation stand where.

    `overdue` includes `lapsed_before` (the first day of operation). `missed` counts the calendar
    periods without an act that stay on record, over all subjects.
    """

    obligation: Obligation
    met: int = 0
    met_late: int = 0
    upcoming: int = 0
    open: int = 0
    due_soon: int = 0
    overdue: int = 0
    lapsed_before: int = 0
    missed: int = 0

    @property
    def in_time(self) -> int:
        """Return the unsatisfied duties that are not even due soon."""
        return self.upcoming + self.open

    @property
    def in_force(self) -> int:
        """Return the unsatisfied duties: one for each subject."""
        return self.in_time + self.due_soon + self.overdue


async def view_board(work: Work, utility: Utility) -> BoardView:
    """Return what the board of a utility stands on today.

    Raises:
        NotFound: the utility is not the actor's to see.
    """
    work.require(Action.read)
    if not work.actor.sees(utility.id):
        raise NotFound("utility", utility.id)
    return BoardView(utility, await book_of(work, utility), work.today(utility.timezone))


async def count_provisions(work: Work, view: BoardView) -> list[ProvisionCount]:
    """Return the counts of every obligation that makes duties, in the rulebook's order."""
    counts = await _counts(work, view)
    missed = await _missed(work, view)
    return [
        ProvisionCount(obligation, **counts.get(obligation.id, {}), missed=missed[obligation.id])
        for obligation in view.obligations(*get_args(SubjectKind))
        if obligation.evidence and obligation.cadence
    ]


async def _counts(work: Work, view: BoardView) -> dict[str, dict[str, int]]:
    """Count each state in one pass over the utility's duties."""
    late = and_(view.is_in(DutyState.satisfied), col(Duty.satisfied_on) > col(Duty.due_on))
    conditions = {
        "met": view.is_in(DutyState.satisfied),
        "met_late": late,
        "upcoming": view.is_in(DutyState.upcoming),
        "open": view.is_in(DutyState.open),
        "due_soon": view.is_in(DutyState.due_soon),
        "overdue": view.is_in(DutyState.overdue),
        "lapsed_before": view.lapsed_before,
    }
    columns: list[Any] = [col(Duty.obligation)]
    columns += [func.sum(case((when, 1), else_=0)).label(name) for name, when in conditions.items()]
    rows = await work.session.execute(
        select(*columns).where(Duty.utility_id == view.utility.id).group_by(Duty.obligation)
    )
    return {row.obligation: {name: int(getattr(row, name)) for name in conditions} for row in rows}


async def _missed(work: Work, view: BoardView) -> Counter[str]:
    """Count missed periods by obligation: the database groups subjects that missed the same ones.

    The chain's last duty holds the periods covered, whether it is awaited or has ended.
    """
    found: Counter[str] = Counter()
    for obligation in view.obligations("tank", "facility"):
        if obligation.period is None:
            continue
        alike = (Duty.runs_from, Duty.ended_on, Duty.covered_periods)
        columns: tuple[Any, ...] = (*alike, func.count())
        rows = await work.session.execute(
            select(*columns)
            .where(
                col(Duty.utility_id) == view.utility.id,
                col(Duty.obligation) == obligation.id,
                col(Duty.satisfied_on).is_(None),
            )
            .group_by(*alike)
        )
        for runs_from, ended_on, covered, count in rows:
            missed = missed_periods(obligation.period, runs_from, ended_on, view.today, covered)
            found[obligation.id] += len(missed) * count
    return found
