"""The register's use-cases: what they record, and what they refuse whatever the edge."""

from datetime import date

import pytest
from sqlmodel import select

from water2.domain.access import SYSTEM, Role
from water2.domain.duty import Duty
from water2.domain.entry import parse_entry
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted, RuleViolation
from water2.domain.facility import Facility, FacilityKind, Tank
from water2.domain.ledger import LedgerEntry
from water2.services.buildings import AddBuilding, add_building
from water2.services.certificates import (
    AddCertificate,
    RevokeCertificate,
    add_certificate,
    revoke_certificate,
)
from water2.services.commissioning import PutIntoService, put_into_service
from water2.services.contacts import GivenContact, masked_contacts
from water2.services.endings import EndOfLife, end_facility, end_tank
from water2.services.facilities import (
    EditFacility,
    RegisterFacility,
    edit_facility,
    register_facility,
)
from water2.services.households import AddHousehold, MoveOut, add_household, move_out
from water2.services.register import chosen_utility
from water2.services.staff import AddStaff, LeaveStaff, add_staff, leave
from water2.services.tanks import AddTank, EditTank, add_tank, edit_tank

TODAY = date(2026, 11, 23)


def a_command(**changes) -> RegisterFacility:
    given = {
        "code": "BY-001",
        "name": "听松苑",
        "kind": "high_rise_residential",
        "address": "古城路202号",
        "accepted_on": "2023-09-03",
        "handed_over_on": "2023-10-22",
        "in_service_on": "2023-11-18",
    }
    return RegisterFacility.model_validate(given | changes)


async def registered(lishui, **changes) -> Facility:
    async with lishui.runtime.work(lishui.manager) as work:
        return await register_facility(work, a_command(**changes))


async def a_tank_of(lishui, facility, code="1#") -> Tank:
    command = AddTank(code=code, volume_m3="20", isolable=True)
    async with lishui.runtime.work(lishui.manager) as work:
        return await add_tank(work, facility.id, command)


async def entries_of(lishui, ledger_id):
    async with lishui.runtime.read() as work:
        rows = await work.session.exec(
            select(LedgerEntry.body)
            .where(LedgerEntry.ledger_id == ledger_id)
            .order_by(LedgerEntry.seq)
        )
        return [parse_entry(body) for body in rows]


async def test_a_facilitys_ledger_begins_with_its_registration(lishui):
    facility = await registered(lishui)
    (entry,) = await entries_of(lishui, facility.ledger_id)
    assert (entry["type"], entry["subject"]) == (
        "facility.recorded",
        f"facility:{facility.id}",
    )
    assert entry["data"]["handed_over_on"] == "2023-10-22"
    assert entry["actor"] == lishui.manager.user_id


async def test_every_act_of_a_facilitys_life_is_one_entry_more(lishui):
    facility = await registered(lishui)
    tank = await a_tank_of(lishui, facility)
    end = EndOfLife(on=TODAY)
    async with lishui.runtime.work(lishui.manager) as work:
        building = await add_building(work, facility.id, AddBuilding(code="1幢"))
    async with lishui.runtime.work(lishui.manager) as work:
        command = AddHousehold(code="300", building_id=building.id, room="602")
        household = await add_household(work, command)
    async with lishui.runtime.work(lishui.manager) as work:
        await move_out(work, household.id, MoveOut(on=TODAY))
    async with lishui.runtime.work(lishui.manager) as work:
        await edit_tank(work, tank.id, EditTank(isolable=False), 1)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_tank(work, tank.id, end)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_facility(work, facility.id, end)
    assert [entry["type"] for entry in await entries_of(lishui, facility.ledger_id)] == [
        "facility.recorded",
        "tank.recorded",
        "building.recorded",
        "household.recorded",
        "household.moved_out",
        "tank.updated",
        "tank.ended",
        "facility.ended",
    ]


async def test_people_and_their_certificates_are_on_the_utilitys_ledger_without_names(lishui):
    command = AddStaff(code="LS001", name="周行", employer="瓯城供水", handles_water=True)
    card = AddCertificate(kind="health", number="JK1", examined_on=date(2026, 3, 1))
    async with lishui.runtime.work(lishui.manager) as work:
        person = await add_staff(work, command)
    async with lishui.runtime.work(lishui.manager) as work:
        certificate = await add_certificate(work, person.id, card)
    revoke = RevokeCertificate(on=TODAY, reason="更正")
    async with lishui.runtime.work(lishui.manager) as work:
        await revoke_certificate(work, certificate.id, revoke)
    async with lishui.runtime.work(lishui.manager) as work:
        await leave(work, person.id, LeaveStaff(on=TODAY))
    entries = await entries_of(lishui, lishui.utility.ledger_id)
    assert [entry["type"] for entry in entries[1:]] == [
        "staff.recorded",
        "certificate.recorded",
        "certificate.revoked",
        "staff.left",
    ]
    assert "周行" not in str(entries)


@pytest.mark.parametrize(
    "role", [Role.administrator, Role.crew, Role.health_inspector, Role.water_inspector]
)
async def test_only_managers_keep_the_register(lishui, role):
    with pytest.raises(NotPermitted):
        async with lishui.runtime.work(lishui.actor(role)) as work:
            await register_facility(work, a_command())


async def test_outsiders_are_told_that_nothing_is_there(lishui):
    facility = await registered(lishui)
    for act in (
        lambda work: edit_facility(work, facility.id, EditFacility(name="x"), None),
        lambda work: put_into_service(work, facility.id, PutIntoService(on=TODAY)),
        lambda work: end_facility(work, facility.id, EndOfLife(on=TODAY)),
        lambda work: add_building(work, facility.id, AddBuilding(code="x")),
    ):
        with pytest.raises(NotFound):
            async with lishui.runtime.work(lishui.outsider) as work:
                await act(work)


async def test_a_refused_act_leaves_neither_fact_nor_entry(lishui):
    facility = await registered(lishui, handed_over_on=None, in_service_on=None)
    with pytest.raises(RuleViolation) as refused:
        async with lishui.runtime.work(lishui.manager) as work:
            await put_into_service(work, facility.id, PutIntoService(on=TODAY))
    assert refused.value.refused.provision.obligation == "handover"
    assert len(await entries_of(lishui, facility.ledger_id)) == 1
    async with lishui.runtime.read() as work:
        assert (await work.session.get_one(Facility, facility.id)).in_service_on is None


async def test_a_tank_makes_a_tankless_facility_have_tanks(lishui):
    facility = await registered(lishui, supply_mode="direct_boost")
    assert facility.tankless
    await a_tank_of(lishui, facility)
    async with lishui.runtime.read() as work:
        assert not (await work.session.get_one(Facility, facility.id)).tankless


async def test_scope_is_judged_anew_when_the_kind_changes(lishui):
    facility = await registered(lishui)
    async with lishui.runtime.work(lishui.manager) as work:
        edited = await edit_facility(
            work, facility.id, EditFacility(kind=FacilityKind.fire), facility.version
        )
    assert (edited.in_scope, edited.version) == (False, 2)


async def test_equal_contacts_are_one_and_an_edit_replaces_them(lishui):
    contacts = [
        GivenContact(channel="phone", address="199 0578 0108"),
        GivenContact(channel="phone", address="+86-199-0578-0108"),
    ]
    facility = await registered(lishui, contacts=[one.model_dump() for one in contacts])
    async with lishui.runtime.work(lishui.manager) as work:
        shown = await masked_contacts(work, [facility.id])
        assert [one["address"] for one in shown[facility.id]] == ["199****0108"]
        other = [GivenContact(channel="phone", address="19905780109")]
        await edit_facility(work, facility.id, EditFacility(contacts=other), None)
    async with lishui.runtime.read() as work:
        shown = await masked_contacts(work, [facility.id])
    assert [one["address"] for one in shown[facility.id]] == ["199****0109"]
    changed = (await entries_of(lishui, facility.ledger_id))[-1]["data"]["changed"]
    assert changed == {"contacts": "changed"}


async def test_an_end_is_not_set_twice_and_not_ahead(lishui):
    facility = await registered(lishui)
    tank = await a_tank_of(lishui, facility)
    with pytest.raises(Invalid):
        async with lishui.runtime.work(lishui.manager) as work:
            await end_tank(work, tank.id, EndOfLife(on=date(2026, 11, 24)))
    async with lishui.runtime.work(lishui.manager) as work:
        await end_tank(work, tank.id, EndOfLife(on=TODAY))
    with pytest.raises(Conflict):
        async with lishui.runtime.work(lishui.manager) as work:
            await end_tank(work, tank.id, EndOfLife(on=TODAY))


async def test_a_facilitys_end_is_that_of_its_tanks_in_use_and_for_the_same_reason(lishui):
    facility, other = await registered(lishui), await registered(lishui, code="BY-002")
    tank, ended = await a_tank_of(lishui, facility), await a_tank_of(lishui, facility, "2#")
    earlier = date(2026, 11, 1)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_tank(work, ended.id, EndOfLife(on=earlier))
    async with lishui.runtime.work(lishui.manager) as work:
        command = EndOfLife(on=TODAY, reason="merged", merged_into=other.id)
        await end_facility(work, facility.id, command)
    async with lishui.runtime.read() as work:
        rows = await work.session.exec(select(Tank).order_by(Tank.code))
        assert [one.out_of_use_on for one in rows] == [TODAY, earlier]
        duties = await work.session.exec(select(Duty).order_by(Duty.due_on))
        reasons = {duty.subject_id: (duty.ended_on, duty.end_reason) for duty in duties}
    assert reasons[tank.id] == (TODAY, "merged")
    assert reasons[ended.id] == (earlier, "out_of_use")
    entry = (await entries_of(lishui, facility.ledger_id))[-1]
    assert (entry["type"], entry["data"]["tanks"]) == ("facility.ended", ["1#"])


@pytest.mark.parametrize("written", ["ＢＹ－００１", " BY-001 ", "BY-\u200b001"])
async def test_one_code_is_one_facility_however_it_is_typed(lishui, written):
    assert (await registered(lishui)).code == a_command(code=written).code
    with pytest.raises(Conflict):
        await registered(lishui, code=written)


async def test_a_tank_merges_into_one_of_its_own_facility_alone(lishui):
    facility, other = await registered(lishui), await registered(lishui, code="BY-002")
    tank, elsewhere = await a_tank_of(lishui, facility), await a_tank_of(lishui, other)
    beside = await a_tank_of(lishui, facility, "2#")

    async def merge(target):
        async with lishui.runtime.work(lishui.manager) as work:
            command = EndOfLife(on=TODAY, reason="merged", merged_into=target.id)
            return await end_tank(work, tank.id, command)

    with pytest.raises(Invalid):
        await merge(elsewhere)
    assert (await merge(beside)).merged_into_id == beside.id


async def test_the_system_chooses_the_only_utility_there_is(lishui):
    async with lishui.runtime.read(SYSTEM) as work:
        assert (await chosen_utility(work)).id == lishui.utility.id
    async with lishui.runtime.read(lishui.outsider) as work:
        with pytest.raises(NotFound):
            await chosen_utility(work)
