"""The lists of the board: overdue tanks and lapsing certificates, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_
from sqlmodel import SQLModel, col, select

from water2.domain.cleaning import Cleaning, Inspection
from water2.domain.duty import Duty, DutyState
from water2.domain.facility import Facility, Tank
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.rules.cadence import missed_periods
from water2.services.board import BoardView
from water2.services.paging import Page, read_page
from water2.work import Work

Row = TypeVar("Row")
Table = TypeVar("Table", bound=SQLModel)


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """One page of a list, how many there are in all, and the cursor of the next page."""

    rows: Sequence[Row]
    total: int
    next: str | None


@dataclass(frozen=True)
class OverdueTank:
    """A tank (or a facility without one) whose cleaning or inspection is overdue."""

    facility_code: str
    facility_name: str
    tank_code: str | None
    due_on: date
    days_late: int
    last_done_on: date | None  # the last act, credited or not
    credited_act_on: date | None  # the act the term runs from
    credited_on: date | None  # the day of its passing sample
    missed: tuple[str, ...]


@dataclass(frozen=True)
class LapsingCertificate:
    """A person whose health check or training has lapsed, lacks, or lapses soon."""

    obligation: str
    staff_code: str
    staff_name: str
    employer: str
    examined_on: date | None
    revoked_on: date | None
    due_on: date
    days_left: int  # negative: lapsed so many days ago


async def list_overdue_tanks(
    work: Work,
    view: BoardView,
    *,
    before_first_day: bool,
    limit: int,
    cursor: str | None = None,
) -> Listed[OverdueTank]:
    """Return overdue tanks, latest first; what lapsed before the first day stands apart.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    apart = col(Duty.due_on) < view.utility.first_day_on
    overdue = and_(view.is_in(DutyState.overdue), apart if before_first_day else ~apart)
    page, total = await _page(work, view, "tank", overdue, limit, cursor)
    subjects = [duty.subject_id for duty in page.items]
    facilities = await _rows(work, Facility, [duty.facility_id for duty in page.items])
    tanks = await _rows(work, Tank, subjects)
    acts = await _last_acts(work, subjects)
    rows = [
        _overdue_tank(
            view,
            duty,
            facilities[duty.facility_id],
            tanks.get(duty.subject_id),
            acts[duty.subject_id],
        )
        for duty in page.items
    ]
    return Listed(rows, total, page.next)


async def list_lapsing_certificates(
    work: Work, view: BoardView, *, limit: int, cursor: str | None = None
) -> Listed[LapsingCertificate]:
    """Return people whose certificate lapsed, lacks or lapses soon, the longest lapsed first.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    lapsing = or_(view.is_in(DutyState.overdue), view.is_in(DutyState.due_soon))
    page, total = await _page(work, view, "person", lapsing, limit, cursor)
    ids = [duty.subject_id for duty in page.items]
    people, cards = await _rows(work, Staff, ids), await _last_cards(work, ids)
    rows = [
        _lapsing(view, duty, people[duty.subject_id], cards.get(duty.subject_id))
        for duty in page.items
    ]
    return Listed(rows, total, page.next)


async def _page(
    work: Work,
    view: BoardView,
    subject: str,
    condition: ColumnElement[bool],
    limit: int,
    cursor: str | None,
) -> tuple[Page[Any], int]:
    """Read one page of the duties about a kind of subject by due day, and count them all."""
    ids = [obligation.id for obligation in view.obligations(subject)]
    own = and_(col(Duty.utility_id) == view.utility.id, col(Duty.obligation).in_(ids))
    which = and_(own, condition)
    total = (await work.session.exec(select(func.count()).select_from(Duty).where(which))).one()
    statement: Select[Any] = select(Duty).where(which)
    keys = (col(Duty.due_on), col(Duty.id))
    return await read_page(work, statement, keys, limit, cursor), total


async def _rows(work: Work, table: type[Table], ids: Sequence[str]) -> dict[str, Table]:
    """Read rows by id."""
    key: Any = table.id  # type: ignore[attr-defined]  # every table here has one
    found = await work.session.exec(select(table).where(key.in_(sorted(set(ids)))))
    return {row.id: row for row in found}  # type: ignore[attr-defined]  # as above


@dataclass
class _LastActs:
    """What was last done to a tank, and the last of it that was credited."""

    done_on: date | None = None
    credited_act_on: date | None = None
    credited_on: date | None = None


async def _last_acts(work: Work, subject_ids: Sequence[str]) -> dict[str, _LastActs]:
    """Read the acts of one page's subjects, oldest first, so that the last one stays."""
    found = {subject_id: _LastActs() for subject_id in subject_ids}
    columns: tuple[Any, ...] = (Cleaning.subject_id, Cleaning.cleaned_on, Cleaning.credited_on)
    cleanings = await work.session.execute(
        select(*columns)
        .where(col(Cleaning.subject_id).in_(subject_ids))
        .order_by(col(Cleaning.cleaned_on))
    )
    for subject_id, done_on, credited_on in cleanings:
        found[subject_id].done_on = done_on
        if credited_on is not None:
            found[subject_id].credited_act_on = done_on
            found[subject_id].credited_on = credited_on
    inspections = await work.session.exec(
        select(Inspection.tank_id, func.max(Inspection.inspected_on))
        .where(col(Inspection.tank_id).in_(subject_ids))
        .group_by(Inspection.tank_id)
    )
    for subject_id, done_on in inspections:
        found[subject_id] = _LastActs(done_on, done_on, done_on)
    return found


def _overdue_tank(
    view: BoardView, duty: Duty, facility: Facility, tank: Tank | None, last: _LastActs
) -> OverdueTank:
    obligation = view.book.obligation(duty.obligation, view.today)
    period = obligation.period if obligation else None
    return OverdueTank(
        facility_code=facility.code,
        facility_name=facility.name,
        tank_code=tank.code if tank else None,
        due_on=duty.due_on,
        days_late=(view.today - duty.due_on).days,
        last_done_on=last.done_on,
        credited_act_on=last.credited_act_on,
        credited_on=last.credited_on,
        missed=missed_periods(
            period, duty.runs_from, duty.ended_on, view.today, duty.covered_periods
        )
        if period
        else (),
    )


async def _last_cards(work: Work, staff_ids: Sequence[str]) -> dict[str, Certificate]:
    """Return each person's last health certificate."""
    cards = await work.session.exec(
        select(Certificate)
        .where(col(Certificate.staff_id).in_(staff_ids), Certificate.kind == CertificateKind.health)
        .order_by(col(Certificate.done_on))
    )
    return {card.staff_id: card for card in cards}


def _lapsing(
    view: BoardView, duty: Duty, staff: Staff, card: Certificate | None
) -> LapsingCertificate:
    return LapsingCertificate(
        obligation=duty.obligation,
        staff_code=staff.code,
        staff_name=staff.name,
        employer=staff.employer,
        examined_on=card.done_on if card else None,
        revoked_on=card.revoked_on if card else None,
        due_on=duty.due_on,
        days_left=(duty.due_on - view.today).days,
    )
