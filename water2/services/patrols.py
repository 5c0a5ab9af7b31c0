"""Patrol rounds that were made (art. 17(3))."""

from typing import Any

from pydantic import Field

from water2.domain.access import Action
from water2.domain.command import Code, Command
from water2.domain.errors import Invalid
from water2.domain.facility import Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.patrol import Patrol, PatrolKind
from water2.domain.telling import measured
from water2.services.anomalies.from_patrols import flags_of_values, open_by_patrol
from water2.services.assignments import people_by_code
from water2.services.duties import rederive
from water2.services.instants import Instant, civil_day, read_instant
from water2.services.lateness import lateness_of
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work

EVIDENCE = {PatrolKind.hygiene: "hygiene_patrol", PatrolKind.equipment: "equipment_patrol"}


class RecordPatrol(Command):
    """A round: `record` holds checklist and readings, `abnormal` the items that were not normal."""

    facility_id: str
    kind: PatrolKind = PatrolKind.hygiene
    patrolled_at: Instant
    patrolled_by: Code | None = None  # 工号
    record: dict[str, Any] = Field(default_factory=dict)
    abnormal: list[str] = Field(default_factory=list, max_length=100)
    late_reason: str | None = Field(default=None, max_length=500)


async def record_patrol(work: Work, command: RecordPatrol) -> Patrol:
    """Record a round; it satisfies the facility's duty of that kind.

    A water value of it outside its limit opens an anomaly; one that cannot be true flags it.
    """
    work.require(Action.do_work)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    patrolled_at = read_instant(command.patrolled_at, utility.timezone)
    if patrolled_at > work.now:
        raise Invalid.one("patrolled_at", "in_future", command.patrolled_at)
    book = await book_of(work, utility)
    late = lateness_of(book, patrolled_at, work.now, command.late_reason)
    walker = (
        (await people_by_code(work, utility, [command.patrolled_by]))[0]
        if command.patrolled_by
        else None
    )
    patrol = Patrol(
        utility_id=utility.id,
        facility_id=facility.id,
        kind=command.kind,
        patrolled_at=patrolled_at,
        patrolled_on=civil_day(patrolled_at, utility.timezone),
        patrolled_by=walker.id if walker else None,
        record=command.record,
        abnormal=command.abnormal,
        recorded_at=work.now,
        late_reason=late.reason,
        flags=list(late.flags),
    )
    patrol.flags += flags_of_values(facility, patrol, book)
    work.session.add(patrol)
    await open_by_patrol(work, utility, facility, patrol, book)
    await rederive(work, utility, facility_ids=[facility.id], evidence={EVIDENCE[patrol.kind]})
    _enter(work, facility, patrol)
    return patrol


def _enter(work: Work, facility: Facility, patrol: Patrol) -> None:
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type="patrol.recorded",
            subject=f"facility:{facility.id}",
            occurred_at=patrol.patrolled_at,
            data={
                "patrol": patrol.id,
                "kind": patrol.kind.value,
                "by": patrol.patrolled_by,
                "record": measured(patrol.record),
                "abnormal": len(patrol.abnormal),
                "flags": patrol.flags,
                "late_reason_given": patrol.late_reason is not None,
            },
        )
    )
