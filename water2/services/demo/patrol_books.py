"""The demonstration's patrol books of the past: no file has them, so they come in as they are."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.patrol import Patrol, PatrolKind
from water2.domain.staff import Staff
from water2.services.duties import rederive
from water2.services.rows import insert_rows
from water2.work import Work

PATROL_EVERY_DAYS = {PatrolKind.hygiene: 29, PatrolKind.equipment: 7}


async def take_up_patrols(work: Work, utility: Utility, random: Random, today: date) -> None:
    """Take up the patrol books of the past, a whole book of a facility as one act."""
    facilities = (
        await work.session.exec(
            select(Facility)
            .where(
                Facility.utility_id == utility.id,
                col(Facility.in_scope),
                col(Facility.in_service_on) < today,
            )
            .order_by(Facility.code)
        )
    ).all()
    walkers = (
        await work.session.exec(
            select(Staff.id).where(Staff.utility_id == utility.id, Staff.post == "运维")
        )
    ).all()
    for number, facility in enumerate(facilities):
        behind = 20 if number % 11 == 3 else 0
        book = [
            _patrol(work, utility, facility, kind, on, random.choice(walkers))
            for kind, every in PATROL_EVERY_DAYS.items()
            for on in _rounds(random, facility.in_service_on or today, today, every, behind)
        ]
        await insert_rows(work, Patrol, book)
        _enter_book(work, facility, book)
    await rederive(work, utility, facility_ids=[facility.id for facility in facilities])


def _rounds(random: Random, since: date, today: date, every: int, behind: int) -> list[date]:
    """Return the days of rounds; `behind` days before today they stop."""
    days, on = [], since + timedelta(days=every - 1)
    while on <= today - timedelta(days=behind):
        days.append(on)
        on += timedelta(days=every - random.choice((0, 0, 1)))
    return days


def _patrol(
    work: Work, utility: Utility, facility: Facility, kind: PatrolKind, on: date, walker: str
) -> dict[str, Any]:
    at = datetime.combine(on, time(9, 30), ZoneInfo(utility.timezone))
    return {
        "id": new_id(),
        "utility_id": utility.id,
        "facility_id": facility.id,
        "kind": kind,
        "patrolled_at": min(at, work.now),
        "patrolled_on": on,
        "patrolled_by": walker,
        "record": {"lid_locked": True, "room_dry": True, "pump_noise": "normal"},
        "abnormal": [],
        "recorded_at": work.now,
        "late_reason": "import",
        "flags": [],
    }


def _enter_book(work: Work, facility: Facility, book: Sequence[Mapping[str, Any]]) -> None:
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type="patrols.taken_up",
            subject=f"facility:{facility.id}",
            occurred_at=work.now,
            data={"patrols": [patrol["id"] for patrol in book], "count": len(book)},
        )
    )
