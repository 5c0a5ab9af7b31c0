"""Reading duties: states derived from the dates, in one keyset-paged statement."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    bindparam,
    case,
    inspect,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

from water2.domain.access import Action
from water2.domain.duty import Duty, DutyDates, DutyState, days_overdue, state_of
from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.rules.book import Rulebook
from water2.rules.cadence import missed_periods
from water2.services.duty_subjects import subject_codes
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
    return _in_state(state, today, today + timedelta(days=due_soon_days))


def _in_state(state: DutyState, today: Any, soon: Any) -> ColumnElement[bool]:
    ended, satisfied, due = col(Duty.ended_on), col(Duty.satisfied_on), col(Duty.due_on)
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


# what each filter narrows to; its value is given when the statement runs
_NARROWED: dict[str, ColumnElement[bool]] = {
    "obligation": col(Duty.obligation) == bindparam("obligation"),
    "facility": col(Duty.facility_id).in_(
        select(col(Facility.id)).where(
            col(Facility.utility_id) == bindparam("utility"),
            or_(
                col(Facility.id) == bindparam("facility"),
                col(Facility.code) == bindparam("facility"),
            ),
        )
    ),
    "subject": col(Duty.subject_id) == bindparam("subject"),
    "due_before": col(Duty.due_on) < bindparam("due_before"),
    "after_on": tuple_(col(Duty.due_on), col(Duty.id))
    > tuple_(bindparam("after_on", type_=Date), bindparam("after_id", type_=String)),
}


@cache  # to build the statement costs more than to run it
def _page_of(state: DutyState | None, given: frozenset[str]) -> Select[Any]:
    """Return the statement of a page narrowed by a state and by the filters named."""
    conditions = [condition for name, condition in _NARROWED.items() if name in given]
    if state:
        conditions.append(_in_state(state, bindparam("today"), bindparam("soon")))
    return (
        select(*_COLUMNS)
        .select_from(Duty)
        .outerjoin(Facility, col(Facility.id) == Duty.facility_id)
        .outerjoin(Tank, col(Tank.id) == Duty.subject_id)
        .outerjoin(Staff, col(Staff.id) == Duty.subject_id)
        .where(
            col(Duty.utility_id) == bindparam("utility"),
            # what is handed over but not yet in use has no duty yet, only a day it will run from
            col(Duty.runs_from) <= bindparam("today"),
            *conditions,
        )
        .order_by(col(Duty.due_on), col(Duty.id))
        .limit(bindparam("rows"))
    )


async def list_duties(work: Work, utility: Utility, filters: DutyFilters) -> DutyPage:
    """Return one page of a utility's duties.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    work.require(Action.read)
    today = work.today(utility.timezone)
    book = await book_of(work, utility)
    given = _given(filters)
    always = {
        "utility": utility.id,
        "today": today,
        "soon": today + timedelta(days=book.number("due_soon_days")),
        "rows": filters.limit + 1,
    }
    statement = _page_of(filters.state, frozenset(given))
    rows = (await work.session.execute(statement, always | given)).all()
    shown = rows[: filters.limit]
    following = _cursor(shown[-1]) if len(rows) > len(shown) else None
    show = _Shown(await subject_codes(work, utility, shown), book, today)
    return DutyPage([show.duty(row) for row in shown], following)


def _given(filters: DutyFilters) -> dict[str, Any]:
    """Return the filters' values that narrow, but for the state."""
    names = ("obligation", "facility", "subject", "due_before")
    given = {name: value for name in names if (value := getattr(filters, name))}
    return given | (_after(filters.cursor) if filters.cursor else {})


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.due_on.isoformat(), row.id]).encode()).decode()


def _after(cursor: str) -> dict[str, Any]:
    try:
        day, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return {"after_on": date.fromisoformat(day), "after_id": str(id_)}
    except (ValueError, TypeError) as error:
        raise Invalid.one("cursor", "cursor_unknown") from error


class _Shown:
    """Turns rows into what the API shows; looks each obligation up once."""

    def __init__(self, codes: Mapping[str, str], book: Rulebook, today: date) -> None:
        self._book, self._today = book, today
        self._codes = codes  # of subjects that no join tells the code of
        self._due_soon_days = book.number("due_soon_days")
        self._grounds: dict[str, tuple[str, str | None, str | None, Any]] = {}

    def _ground(self, obligation: str) -> tuple[str, str | None, str | None, Any]:
        """Give article, basis of the first day and of the later ones, and the period to keep."""
        if obligation not in self._grounds:
            found = self._book.obligation(obligation, self._today)
            self._grounds[obligation] = (
                (found.provision.article, found.first_due_basis, found.due_basis, found.period)
                if found
                else ("", None, None, None)
            )
        return self._grounds[obligation]

    def duty(self, row: Any) -> dict[str, Any]:
        article, at_first, later, period = self._ground(row.obligation)
        dates = DutyDates(row.due_on, row.opens_on, row.satisfied_on, row.ended_on)
        missed = self._missed(row, period)
        code = self._codes.get(row.subject_id, row.code)
        return {
            "id": row.id,
            "obligation": row.obligation,
            "article": article,
            "basis": at_first if row.ordinal == 1 else later,
            "subject": {"type": row.subject_type, "id": row.subject_id, "code": code},
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
