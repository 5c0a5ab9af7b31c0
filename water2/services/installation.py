"""Founding a utility, the regulators above it, and the laboratories that report to it."""

from dataclasses import dataclass

from sqlmodel import select

from water2.domain.access import Action, Role
from water2.domain.errors import Conflict
from water2.domain.ids import new_id
from water2.domain.ledger import LedgerKind, PendingEntry, new_ledger
from water2.domain.organisation import Jurisdiction, Organisation, OrganisationKind, Utility
from water2.rules.book import load_book
from water2.services.duties import rederive
from water2.work import Work


@dataclass(frozen=True)
class FoundUtility:
    """A new utility: `place` is its rulebook's key; the zone is the rulebook's unless given."""

    code: str
    name: str
    place: str
    timezone: str | None = None


async def found_utility(work: Work, command: FoundUtility) -> Utility:
    """Found a utility with its ledgers and its own duties; today is its first day of operation.

    Raises:
        Conflict: the code or the name is taken.
        UnknownPlace: there is no rulebook of that key.
    """
    work.require(Action.administer)
    await _refuse_taken(work, command)
    book = load_book(command.place)
    timezone = command.timezone or book.timezone
    organisation = Organisation(kind=OrganisationKind.utility, name=command.name)
    utility_id = new_id()
    own = new_ledger(utility_id, LedgerKind.utility, utility_id)
    rollup = new_ledger(utility_id, LedgerKind.rollup, utility_id)
    utility = Utility(
        id=utility_id,
        organisation_id=organisation.id,
        code=command.code,
        name=command.name,
        place=book.key,
        timezone=timezone,
        first_day_on=work.today(timezone),
        ledger_id=own.id,
        rollup_ledger_id=rollup.id,
        rules_mark=book.mark_on(work.today(timezone)),
    )
    work.session.add_all([organisation, own, rollup])
    await work.session.flush()  # the utility refers to them
    work.session.add(utility)
    await rederive(work, utility, itself=True)
    _enter(work, utility)
    return utility


def _enter(work: Work, utility: Utility) -> None:
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="utility.founded",
            subject=f"utility:{utility.id}",
            occurred_at=work.now,
            data={"code": utility.code, "place": utility.place, "timezone": utility.timezone},
        )
    )


async def _refuse_taken(work: Work, command: FoundUtility) -> None:
    taken = await work.session.exec(select(Utility.id).where(Utility.code == command.code))
    if taken.first():
        raise Conflict("code_taken", {"code": command.code})
    if await find_organisation(work, OrganisationKind.utility, command.name):
        raise Conflict("utility_name_taken", {"name": command.name})


async def find_organisation(work: Work, kind: OrganisationKind, name: str) -> Organisation | None:
    """Return the organisation of a kind and name, where there is one."""
    found = await work.session.exec(
        select(Organisation).where(Organisation.kind == kind, Organisation.name == name)
    )
    return found.first()


async def put_under(
    work: Work, utility: Utility, kind: OrganisationKind, name: str
) -> Organisation:
    """Put a utility under a regulator (art. 4), founding the regulator's organisation if new.

    A laboratory is let report to it the same way.

    Only the machine's own operator puts a utility under one that is there already: its people are
    others' to manage, and read the utility's records from then on.

    Raises:
        Conflict: `organisation_exists`, for an administrator; `under_already`.
    """
    work.require(Action.administer)
    known = await find_organisation(work, kind, name)
    if known is not None:
        await _refuse_known(work, utility, known)
    regulator = known or Organisation(kind=kind, name=name)
    work.session.add(regulator)
    await work.session.flush()  # the jurisdiction refers to it
    work.session.add(Jurisdiction(organisation_id=regulator.id, utility_id=utility.id))
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="jurisdiction.recorded",
            subject=f"organisation:{regulator.id}",
            occurred_at=work.now,
            data={"kind": kind.value},
        )
    )
    return regulator


async def _refuse_known(work: Work, utility: Utility, regulator: Organisation) -> None:
    if work.actor.role is not Role.system:
        raise Conflict("organisation_exists", {"name": regulator.name})
    standing = await work.session.exec(
        select(Jurisdiction.id).where(
            Jurisdiction.organisation_id == regulator.id, Jurisdiction.utility_id == utility.id
        )
    )
    if standing.first():
        raise Conflict("under_already", {"name": regulator.name})
