"""What to look at in a facility: what does not run yet, and whom or what it lacks."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.organisation import Contact, Utility
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.scope import idle_flags
from water2.services.rows import chunks, fetch
from water2.services.rulebooks import book_of
from water2.work import Work

GROUNDS = {
    FlagCode.not_handed_over: "handover",
    FlagCode.no_manager: "team",
    FlagCode.no_contact: "team",
    FlagCode.no_meter: "fees",
    FlagCode.out_of_scope: "scope",
}
"""The obligations flags rest on: what a place does not demand, it does not flag."""


def standing_flags(book: Rulebook, facility: Facility, today: date) -> list[FlagCode]:
    """Return why a facility in scope bears no operating duty yet, and whether nobody manages it."""
    flags = idle_flags(
        book,
        accepted_on=facility.accepted_on,
        handed_over_on=facility.handed_over_on,
        in_service_on=facility.in_service_on,
        today=today,
    )
    nobody = facility.manager_name is None and facility.manager_staff_id is None
    return [*flags, *_demanded(book, today, FlagCode.no_manager, lacks=nobody)]


async def flags_of(work: Work, facilities: Sequence[Facility]) -> dict[str, list[FlagCode]]:
    """Return the flags of facilities by id; none outside the scope, and none out of use."""
    found: dict[str, list[FlagCode]] = {facility.id: [] for facility in facilities}
    reachable = await _reachable(work, list(found))
    for utility_id in sorted({facility.utility_id for facility in facilities}):
        utility = await fetch(work, Utility, utility_id)
        book, today = await book_of(work, utility), work.today(utility.timezone)
        for facility in facilities:
            if facility.utility_id == utility_id:
                found[facility.id] = _flags(book, facility, today, facility.id in reachable)
    return found


def _flags(book: Rulebook, facility: Facility, today: date, reachable: bool) -> list[FlagCode]:
    if not facility.in_scope or facility.out_of_use_on is not None:
        return []
    accepted, used = facility.accepted_on, facility.in_service_on
    irregular = [FlagCode.before_acceptance] if accepted and used and used < accepted else []
    unmetered = facility.electricity_meter is None
    return [
        *irregular,
        *standing_flags(book, facility, today),
        *_demanded(book, today, FlagCode.no_contact, lacks=not reachable),
        *_demanded(book, today, FlagCode.no_meter, lacks=unmetered),
    ]


def _demanded(book: Rulebook, today: date, flag: FlagCode, *, lacks: bool) -> list[FlagCode]:
    return [flag] if lacks and book.obligation(GROUNDS[flag], today) else []


async def _reachable(work: Work, ids: Sequence[str]) -> set[str]:
    """Return which facilities have a telephone or a mail address."""
    found: set[str] = set()
    for chunk in chunks(ids):
        owners = select(Contact.owner_id).where(col(Contact.owner_id).in_(chunk)).distinct()
        found.update(await work.session.exec(owners))
    return found
