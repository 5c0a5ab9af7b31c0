"""Inspections of tanks, where a rulebook demands them (New York)."""

from typing import Any

from pydantic import Field
from sqlmodel import select

from water2.domain.access import Action
from water2.domain.cleaning import Inspection
from water2.domain.command import Command, Day
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.telling import measured
from water2.services.duties import rederive
from water2.services.order_closing import close_served_orders
from water2.services.register import require_in_use
from water2.services.rows import fetch
from water2.work import Work


class RecordInspection(Command):
    """An inspection of one tank; `code` is the report's number with the tank's, unique."""

    tank_id: str
    inspected_on: Day
    code: str = Field(min_length=1, max_length=60)
    record: dict[str, Any] = Field(default_factory=dict)


async def record_inspection(work: Work, command: RecordInspection) -> Inspection:
    """Record an inspection that happened; it satisfies the tank's duty of its period.

    Raises:
        Invalid: it lies in the future, or while the tank was not in use.
        Conflict: the code stands on record.
    """
    work.require(Action.do_work)
    tank = await fetch(work, Tank, command.tank_id)
    facility = await fetch(work, Facility, tank.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    await _refuse_untrue(work, utility, tank, command)
    inspection = Inspection(
        **command.model_dump(),
        utility_id=utility.id,
        facility_id=facility.id,
        recorded_at=work.now,
    )
    work.session.add(inspection)
    await rederive(work, utility, facility_ids=[facility.id], evidence=["inspection"])
    await close_served_orders(work, utility, [facility.id])
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type="inspection.recorded",
            subject=f"tank:{tank.id}",
            occurred_at=work.now,
            data={
                "inspection": inspection.id,
                "inspected_on": inspection.inspected_on and inspection.inspected_on.isoformat(),
                "record": measured(inspection.record),
            },
        )
    )
    return inspection


async def _refuse_untrue(
    work: Work, utility: Utility, tank: Tank, command: RecordInspection
) -> None:
    if command.inspected_on > work.today(utility.timezone):
        raise Invalid.one("inspected_on", "in_future", command.inspected_on)
    require_in_use("inspected_on", tank, command.inspected_on)
    taken = await work.session.exec(
        select(Inspection.id).where(
            Inspection.utility_id == utility.id, Inspection.code == command.code
        )
    )
    if taken.first():
        raise Conflict("code_taken", {"code": command.code})
