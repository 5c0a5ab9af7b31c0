"""Facilities: registered with their past, and edited."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Flag, Name, Number
from water2.domain.errors import Invalid
from water2.domain.facility import Disinfectant, Facility, FacilityKind, SupplyMode
from water2.domain.ledger import LedgerKind, new_ledger
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.rules.commissioning import judge_put_into_service
from water2.rules.scope import judge_scope
from water2.services.contacts import GivenContact, settle_contacts
from water2.services.duties import rederive
from water2.services.instruments.stamps import stamp_register
from water2.services.register import (
    apply_changes,
    chosen_utility,
    entry_data,
    record_act,
    require_free,
    require_order,
    require_past,
    require_version,
)
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.verdicts import require_allowed
from water2.work import Work

Address = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Longitude = Annotated[Number, Field(ge=Decimal(-180), le=Decimal(180))]
Latitude = Annotated[Number, Field(ge=Decimal(-90), le=Decimal(90))]
_TOLD = (
    "code",
    "kind",
    "supply_mode",
    "tankless",
    "inside_area",
    "disinfectant",
    "accepted_on",
    "handed_over_on",
    "in_service_on",
    "in_scope",
    "scope_clause",
)
_PERSONAL = ("manager_name",)


class _FacilityFields(Command):
    """What may be left out."""

    district: Annotated[str, StringConstraints(max_length=100)] | None = None
    supply_mode: SupplyMode | None = None
    pressure_zones: Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    accepted_on: Day | None = None
    handed_over_on: Day | None = None
    in_service_on: Day | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    electricity_meter: Code | None = None
    manager_name: Person | None = None
    manager: Code | None = None  # 工号


class RegisterFacility(_FacilityFields):
    """A facility, with its past where it has one. A planned first day in use may lie ahead."""

    code: Code
    name: Name
    kind: FacilityKind
    address: Address
    tankless: Flag | None = None  # left out: follows from the supply mode
    inside_area: Flag = True
    disinfectant: Disinfectant = Disinfectant.chlorine
    contacts: list[GivenContact] = Field(default_factory=list, max_length=10)
    utility_id: str | None = None


class EditFacility(_FacilityFields):
    """Only what is given changes; `null` empties."""

    name: Name | None = None
    kind: FacilityKind | None = None
    address: Address | None = None
    tankless: Flag | None = None
    inside_area: Flag | None = None
    disinfectant: Disinfectant | None = None
    contacts: Annotated[list[GivenContact], Field(max_length=10)] | None = None


async def register_facility(work: Work, command: RegisterFacility) -> Facility:
    """Enter a facility, open its ledger and derive its duties.

    Raises:
        Conflict: the code is taken.
        Invalid: its days cannot be true.
    """
    work.require(Action.keep_register)
    utility = await chosen_utility(work, command.utility_id)
    await require_free(work, Facility, "code", utility_id=utility.id, code=command.code)
    given = command.model_dump(exclude={"utility_id", "contacts", "manager", "tankless"})
    facility = Facility.model_validate(given | {"utility_id": utility.id, "ledger_id": ""})
    boosted = command.supply_mode is SupplyMode.direct_boost
    facility.tankless = boosted if command.tankless is None else command.tankless
    facility.manager_staff_id = await _manager(work, utility, command.manager)
    ledger = new_ledger(utility.id, LedgerKind.facility, facility.id)
    facility.ledger_id = ledger.id
    _require_true_days(work, utility, facility)
    await _judge(work, utility, facility)
    work.session.add_all([ledger, facility])
    await settle_contacts(work, ("facility", facility.id), utility.id, command.contacts)
    record_act(
        work,
        facility.ledger_id,
        "facility.recorded",
        f"facility:{facility.id}",
        entry_data(facility, _TOLD),
    )
    await rederive(work, utility, facility_ids=[facility.id])
    return facility


async def edit_facility(
    work: Work, id_: str, command: EditFacility, version: int | None
) -> Facility:
    """Change a facility's record; scope and duties are judged anew.

    Raises:
        Conflict: edited meanwhile, or out of use.
        RuleViolation: a first day in use where none was, without acceptance or handover.
    """
    work.require(Action.keep_register)
    facility = await fetch(work, Facility, id_, lock=True)
    require_version(facility, version)
    utility = await fetch(work, Utility, facility.utility_id)
    was_in_service = facility.in_service_on is not None
    changed = apply_changes(facility, command, private=_PERSONAL, ignored=("contacts", "manager"))
    if "manager" in command.model_fields_set:
        facility.manager_staff_id = await _manager(work, utility, command.manager)
        changed["manager_staff_id"] = "changed"
    if command.contacts is not None and await settle_contacts(
        work, ("facility", facility.id), utility.id, command.contacts
    ):
        changed["contacts"] = "changed"
    if command.model_fields_set & {"accepted_on", "handed_over_on"}:
        _require_true_days(work, utility, facility)
    if facility.in_service_on is not None and not was_in_service:
        await require_commissioned(work, utility, facility)
    await _judge(work, utility, facility)
    if "disinfectant" in changed:
        await stamp_register(work, utility.id)
    return await record_facility(work, utility, facility, "facility.updated", {"changed": changed})


async def record_facility(
    work: Work, utility: Utility, facility: Facility, type_: str, data: dict[str, object]
) -> Facility:
    """Put a change of a facility on its ledger and derive its duties anew."""
    facility.version += 1
    record_act(work, facility.ledger_id, type_, f"facility:{facility.id}", data)
    await rederive(work, utility, facility_ids=[facility.id])
    return facility


def _require_true_days(work: Work, utility: Utility, facility: Facility) -> None:
    """Refuse days that cannot be true.

    A first day in use before the handover can be: older facilities were taken over in use.
    """
    today = work.today(utility.timezone)
    accepted, handed_over = facility.accepted_on, facility.handed_over_on
    require_past("accepted_on", accepted, today)
    require_past("handed_over_on", handed_over, today)
    require_order(("accepted_on", accepted), ("handed_over_on", handed_over))


async def _judge(work: Work, utility: Utility, facility: Facility) -> None:
    """Judge the scope anew."""
    scope = judge_scope(
        await book_of(work, utility),
        kind=facility.kind.value,
        accepted_on=facility.accepted_on,
        handed_over_on=facility.handed_over_on,
        inside_area=facility.inside_area,
    )
    facility.in_scope, facility.scope_clause = scope.in_scope, scope.clause


async def _manager(work: Work, utility: Utility, code: str | None) -> str | None:
    if code is None:
        return None
    found = await work.session.exec(
        select(Staff.id).where(
            Staff.utility_id == utility.id, Staff.code == code, col(Staff.left_on).is_(None)
        )
    )
    staff_id = found.first()
    if staff_id is None:
        raise Invalid.one("manager", "unknown_person", code)
    return staff_id


async def require_commissioned(work: Work, utility: Utility, facility: Facility) -> None:
    """Refuse a first day in use before acceptance and handover.

    Raises:
        RuleViolation: art. 9 or 10 stands against it.
    """
    on = facility.in_service_on or work.today(utility.timezone)
    verdict = judge_put_into_service(
        await book_of(work, utility),
        accepted_on=facility.accepted_on,
        handed_over_on=facility.handed_over_on,
        on=on,
    )
    require_allowed(verdict, utility)
