"""What else the board shows: facilities to look at, assignments that were withdrawn."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_
from sqlmodel import col, select

from water2.domain.facility import Facility, FacilityKind
from water2.domain.staff import Staff
from water2.domain.work_order import Assignment, WithdrawnBecause, WorkOrder, WorkOrderKind
from water2.rules.flags import FlagCode
from water2.rules.provision import Provision
from water2.services.board import BoardView
from water2.services.board_lists import Listed
from water2.services.facility_flags import GROUNDS, standing_flags
from water2.services.paging import read_page
from water2.work import Work

WITHDRAWN_SHOWN_DAYS = 30
UNFIT = (
    WithdrawnBecause.certificate_lapsed,
    WithdrawnBecause.certificate_revoked,
    WithdrawnBecause.left,
)


SHOWN = (
    FlagCode.not_handed_over,
    FlagCode.not_in_use,
    FlagCode.no_manager,
    FlagCode.out_of_scope,
)
"""The flags that make a facility worth a look on the board."""


@dataclass(frozen=True)
class FlaggedFacility:
    """A facility with the reasons to look at it; `scope_clause` says why it is out of scope."""

    code: str
    name: str
    kind: FacilityKind
    scope_clause: str
    flags: tuple[FlagCode, ...]


@dataclass(frozen=True)
class WithdrawnAssignment:
    """A person taken off a work order."""

    staff_code: str
    staff_name: str
    facility_code: str
    facility_name: str
    order_kind: WorkOrderKind
    planned_on: date | None
    withdrawn_at: datetime
    because: WithdrawnBecause


def flag_provision(view: BoardView, flag: FlagCode) -> Provision | None:
    """Return the provision a flag rests on, where the place has one."""
    obligation = view.book.obligation(GROUNDS.get(flag, ""), view.today)
    return obligation.provision if obligation else None


def _worth_a_look(view: BoardView) -> ColumnElement[bool]:
    """Return the condition that finds facilities with a flag; `_flags_of` says which."""
    inside, handed_over = col(Facility.in_scope), col(Facility.handed_over_on)
    found = [~inside]
    if view.book.scope.handover_required:
        accepted = col(Facility.accepted_on) <= view.today
        waiting = or_(handed_over.is_(None), handed_over > view.today)
        used = col(Facility.in_service_on)
        found.append(and_(inside, accepted, waiting))
        found.append(and_(inside, ~waiting, or_(used.is_(None), used > view.today)))
    if flag_provision(view, FlagCode.no_manager):
        unnamed = col(Facility.manager_name).is_(None)
        found.append(and_(inside, unnamed, col(Facility.manager_staff_id).is_(None)))
    return or_(*found)


def _flags_of(view: BoardView, facility: Facility) -> tuple[FlagCode, ...]:
    """Return the flags of a facility. What a place does not demand, it does not flag."""
    if not facility.in_scope:
        return (FlagCode.out_of_scope,)
    return tuple(standing_flags(view.book, facility, view.today))


async def list_flagged_facilities(
    work: Work, view: BoardView, *, limit: int, cursor: str | None = None
) -> Listed[FlaggedFacility]:
    """Return facilities in use or to come that carry a flag, by code.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    out_of_use = col(Facility.out_of_use_on)
    which = and_(
        col(Facility.utility_id) == view.utility.id,
        or_(out_of_use.is_(None), out_of_use > view.today),
        _worth_a_look(view),
    )
    count = select(func.count()).select_from(Facility).where(which)
    total = (await work.session.exec(count)).one()
    statement: Select[Any] = select(Facility).where(which)
    page = await read_page(work, statement, [col(Facility.code)], limit, cursor)
    return Listed([_flagged(view, facility) for facility in page.items], total, page.next)


def _flagged(view: BoardView, facility: Facility) -> FlaggedFacility:
    return FlaggedFacility(
        code=facility.code,
        name=facility.name,
        kind=facility.kind,
        scope_clause=facility.scope_clause,
        flags=_flags_of(view, facility),
    )


async def list_withdrawn_assignments(
    work: Work, view: BoardView, *, limit: int
) -> list[WithdrawnAssignment]:
    """Return the assignments lately withdrawn because the person may not work, the last first."""
    since = work.now - timedelta(days=WITHDRAWN_SHOWN_DAYS)
    statement = (
        select(Assignment, Staff, WorkOrder, Facility)
        .join(Staff, col(Staff.id) == Assignment.staff_id)
        .join(WorkOrder, col(WorkOrder.id) == Assignment.work_order_id)
        .join(Facility, col(Facility.id) == WorkOrder.facility_id)
        .where(
            WorkOrder.utility_id == view.utility.id,
            col(Assignment.withdrawn_at) >= since,
            col(Assignment.withdrawn_because).in_(UNFIT),
        )
        .order_by(col(Assignment.withdrawn_at).desc(), col(Assignment.id))
        .limit(limit)
    )
    return [_withdrawn(*row) for row in await work.session.execute(statement)]


def _withdrawn(
    assignment: Assignment, staff: Staff, order: WorkOrder, facility: Facility
) -> WithdrawnAssignment:
    if assignment.withdrawn_at is None or assignment.withdrawn_because is None:
        raise ValueError(assignment.id)  # the statement asked for both
    return WithdrawnAssignment(
        staff_code=staff.code,
        staff_name=staff.name,
        facility_code=facility.code,
        facility_name=facility.name,
        order_kind=order.kind,
        planned_on=order.planned_on,
        withdrawn_at=assignment.withdrawn_at,
        because=assignment.withdrawn_because,
    )
