"""An outage with all it is judged by: locked in one order, its book, its extent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import col, select

from water2.domain.errors import Conflict
from water2.domain.facility import Building, Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageKind, OutageState
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.notice import NoticeDemand, notice_demand
from water2.rules.outages import OutageFacts, outage_flags
from water2.services.instants import civil_day
from water2.services.rows import fetch
from water2.services.rulebooks import rules_of
from water2.work import Work


@dataclass(frozen=True)
class Standing:
    """An outage as it stands in an act.

    `book` is in force on `judged_on`: the day it was published, so that a rule made stricter since
    demands nothing of it after the fact; of a draft it is today. What changes it now is judged by
    `book_today`.
    """

    outage: Outage
    facility: Facility
    utility: Utility
    book: Rulebook
    judged_on: date
    book_today: Rulebook
    today: date

    @property
    def demand(self) -> NoticeDemand | None:
        """Return what demands notice of it."""
        return notice_demand(self.book, self.judged_on)

    @property
    def demand_today(self) -> NoticeDemand | None:
        """Return what demands notice of a change that is made now."""
        return notice_demand(self.book_today, self.today)

    @property
    def planned(self) -> bool:
        """Tell whether it was announced ahead."""
        return self.outage.kind is OutageKind.planned

    def require(self, *allowed: OutageState) -> None:
        """Refuse an outage in another state.

        Raises:
            Conflict: names the state.
        """
        if self.outage.state not in allowed:
            raise Conflict("outage_state", {"state": self.outage.state.value})


async def stand(work: Work, id_: str, *, lock: bool = False) -> Standing:
    """Return an outage with what it is judged by; `lock` holds facility and outage.

    Raises:
        NotFound: there is none, or another utility's.
    """
    outage = await fetch(work, Outage, id_)
    # the facility before the outage, as every act on either: none waits in a circle
    facility = await fetch(work, Facility, outage.facility_id, lock=lock)
    if lock:
        outage = await fetch(work, Outage, id_, lock=True)
    return await standing_of(work, outage, facility)


async def standing_of(work: Work, outage: Outage, facility: Facility) -> Standing:
    """Return the standing of an outage that is at hand."""
    utility = await fetch(work, Utility, facility.utility_id)
    rules = await rules_of(work, utility)
    judged_on = civil_day(outage.published_at or work.now, utility.timezone)
    today = work.today(utility.timezone)
    return Standing(
        outage, facility, utility, rules.on(judged_on), judged_on, rules.on(today), today
    )


def flags_of(standing: Standing, now: datetime) -> list[FlagCode]:
    """Return what is to be looked at, judged by the rules of the day it was announced on."""
    outage = standing.outage
    facts = OutageFacts(
        planned=standing.planned,
        starts_at=outage.starts_at,
        ends_at=outage.ends_at,
        published_at=outage.published_at,
        announced_at=outage.announced_at,
        started_at=outage.started_at,
        restored_at=outage.restored_at,
        cancelled=outage.state is OutageState.cancelled,
        overran=outage.overran,
        update_missed=outage.update_missed,
        approval=bool(outage.approval),
        authority_report=bool(outage.authority_report),
        notice_impossible_because=bool(outage.notice_impossible_because),
        water_points=bool(outage.water_points),
        emergency_supply=bool(outage.emergency_supply),
    )
    return outage_flags(standing.book, facts, now, standing.judged_on)


async def building_names(work: Work, ids: Sequence[str]) -> tuple[str, ...]:
    """Return what residents call buildings, by code; none for the whole facility."""
    if not ids:
        return ()
    rows = await work.session.exec(
        select(Building.name, Building.code)
        .where(col(Building.id).in_(ids))
        .order_by(Building.code)
    )
    return tuple(name or code for name, code in rows)


def record_outage(work: Work, standing: Standing, type_: str, **data: object) -> None:
    """Put an act on an outage on its facility's ledger; free text stays out."""
    outage = standing.outage
    told: dict[str, Any] = {"number": outage.number, "kind": outage.kind.value, **data}
    work.record(
        PendingEntry(
            ledger_id=standing.facility.ledger_id,
            type=type_,
            subject=f"outage:{outage.id}",
            occurred_at=work.now,
            data=told,
        )
    )


def said(at: datetime | None) -> str | None:
    """Write an instant as an entry holds it."""
    return at.isoformat() if at else None
