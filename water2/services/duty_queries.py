"""Reading duties: states derived from the dates, in one keyset-paged statement."""

import base64
import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, inspect, or_, select, tuple_
from sqlmodel import col

from water2.domain.access import Action
from water2.domain.duty import Duty, DutyDates, DutyState, days_overdue, state_of
from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.rules.book import Rulebook
from water2.rules.cadence import missed_periods
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class DutyFilters:
    """What to list; empty fields do not narrow. `due_before` is excluded itself."""

    obligation: str | None = None
    facility: str | None = None  # id or code
    subject: str | None = None  # id
    state: DutyState | None = None
    due_before: date | None = None
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True)
class DutyPage:
    """Duties as the API shows them, by due day; `next` is the cursor of the following page."""

    items: list[dict[str, Any]]
    next: str | None


def in_state(state: DutyState, today: date, due_soon_days: int) -> ColumnElement[bool]:
    """Return the condition under which a stored duty is in a state today."""
    ended, soon = col(Duty.ended_on), today + timedelta(days=due_soon_days)
    satisfied, due = col(Duty.satisfied_on), col(Duty.due_on)
    live = and_(satisfied.is_(None), ended.is_(None))
    conditions = {
        DutyState.satisfied: satisfied.is_not(None),
        DutyState.withdrawn: and_(satisfied.is_(None), ended.is_not(None)),
        DutyState.overdue: and_(live, due < today),
        DutyState.due_soon: and_(live, due >= today, due <= soon),
        DutyState.open: and_(live, due > soon, col(Duty.opens_on) <= today),
        DutyState.upcoming: and_(live, due > soon, col(Duty.opens_on) > today),
    }
    return conditions[state]


UNSHOWN = {"utility_id", "opened_at", "wake_on"}  # columns for the sweep alone
_SUBJECT_CODE = case(
    (col(Tank.id).is_not(None), Tank.code),
    (col(Staff.id).is_not(None), Staff.code),
    else_=Facility.code,
)


_COLUMNS = (
    *(column for column in inspect(Duty).columns if column.key not in UNSHOWN),
    _SUBJECT_CODE.label("code"),
    col(Facility.code).label("facility_code"),
)


async def list_duties(work: Work, utility: Utility, filters: DutyFilters) -> DutyPage:
    """Return one page of a utility's duties.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    work.require(Action.read)
    today = work.today(utility.timezone)
    book = await book_of(work, utility)
    statement = (
        select(*_COLUMNS)
        .select_from(Duty)
        .outerjoin(Facility, col(Facility.id) == Duty.facility_id)
        .outerjoin(Tank, col(Tank.id) == Duty.subject_id)
        .outerjoin(Staff, col(Staff.id) == Duty.subject_id)
        .where(col(Duty.utility_id) == utility.id, *_conditions(utility, filters, today, book))
        .order_by(col(Duty.due_on), col(Duty.id))
        .limit(filters.limit + 1)
    )
    rows = (await work.session.execute(statement)).all()
    shown = rows[: filters.limit]
    following = _cursor(shown[-1]) if len(rows) > len(shown) else None
    show = _Shown(book, today)
    return DutyPage([show.duty(row) for row in shown], following)


def _conditions(
    utility: Utility, filters: DutyFilters, today: date, book: Rulebook
) -> list[ColumnElement[bool]]:
    # what is handed over but not yet in use has no operating duty yet, only a day it will run from
    found: list[ColumnElement[bool]] = [col(Duty.runs_from) <= today]
    if filters.obligation:
        found.append(col(Duty.obligation) == filters.obligation)
    if filters.facility:
        named = or_(col(Facility.id) == filters.facility, col(Facility.code) == filters.facility)
        own = select(col(Facility.id)).where(col(Facility.utility_id) == utility.id, named)
        found.append(col(Duty.facility_id).in_(own))
    if filters.subject:
        found.append(col(Duty.subject_id) == filters.subject)
    if filters.state:
        found.append(in_state(filters.state, today, book.number("due_soon_days")))
    if filters.due_before:
        found.append(col(Duty.due_on) < filters.due_before)
    if filters.cursor:
        found.append(tuple_(col(Duty.due_on), col(Duty.id)) > _after(filters.cursor))
    return found


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.due_on.isoformat(), row.id]).encode()).decode()


def _after(cursor: str) -> Any:
    try:
        day, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return tuple_(date.fromisoformat(day), str(id_))
    except (ValueError, TypeError) as error:
        raise Invalid.one("cursor", "cursor_unknown") from error


class _Shown:
    """Turns rows into what the API shows; looks each obligation up once."""

    def __init__(self, book: Rulebook, today: date) -> None:
        self._book, self._today = book, today
        self._due_soon_days = book.number("due_soon_days")
        self._articles: dict[str, tuple[str, Any]] = {}

    def _law(self, obligation: str) -> tuple[str, Any]:
        if obligation not in self._articles:
            found = self._book.obligation(obligation, self._today)
            article = found.provision.article if found else ""
            self._articles[obligation] = (article, found.period if found else None)
        return self._articles[obligation]

    def duty(self, row: Any) -> dict[str, Any]:
        article, period = self._law(row.obligation)
        dates = DutyDates(row.due_on, row.opens_on, row.satisfied_on, row.ended_on)
        missed = self._missed(row, period)
        return {
            "id": row.id,
            "obligation": row.obligation,
            "article": article,
            "subject": {"type": row.subject_type, "id": row.subject_id, "code": row.code},
            "facility_id": row.facility_id,
            "facility_code": row.facility_code,
            "ordinal": row.ordinal,
            "due_on": dates.due_on.isoformat(),
            "state": state_of(dates, self._today, self._due_soon_days),
            "days_overdue": days_overdue(dates, self._today),
            "satisfied_on": dates.satisfied_on and dates.satisfied_on.isoformat(),
            "satisfied_by": row.satisfied_by,
            "ended_on": dates.ended_on and dates.ended_on.isoformat(),
            "end_reason": row.end_reason,
            "missed_halves": missed if period == "half" else [],
            "missed_periods": missed,
        }

    def _missed(self, row: Any, period: Any) -> list[str]:
        if period is None or row.satisfied_on is not None:
            return []  # shown with the chain's unsatisfied duty alone
        covered = row.covered_periods
        return list(missed_periods(period, row.runs_from, row.ended_on, self._today, covered))
