"""People: examined in time or late, revoked, leaving, joining."""

from datetime import date, timedelta
from functools import partial

from water2.domain.errors import DomainError
from water2.domain.staff import CertificateKind
from water2.services.certificates import (
    AddCertificate,
    RevokeCertificate,
    add_certificate,
    revoke_certificate,
)
from water2.services.simulation.world import Card, PersonLife, World
from water2.services.staff import AddStaff, LeaveStaff, add_staff, leave

RENEWED_IN_TIME = 0.8
REVOKED_A_DAY = 0.0005
LEAVES_A_DAY = 0.0004
PRINTED_DAYS = (365, 365, 364, 730)
"""How long a card is printed for; one printed for two years counts for one."""


async def employ(world: World, *, examined_on: date | None = None) -> None:
    """Take somebody on who is trained today or soon, and examined on a day or soon."""
    world.at(8)
    code = f"SIM{world.next_number():04d}"
    command = AddStaff(
        code=code,
        name=f"人员{code}",
        employer="simulated",
        handles_water=True,
        utility_id=world.utility.id,
    )
    async with world.runtime.work(world.actor) as work:
        row = await add_staff(work, command)
    world.acts += 1
    person = PersonLife(id=row.id, code=code, since_on=world.today)
    world.people.append(person)
    world.touched.add(person.id)
    if examined_on is not None:
        await _train(world, person)
        await _examine(world, person, examined_on)
    else:
        world.later(world.random.randint(1, 9), partial(_train, person=person))
        world.later(world.random.randint(1, 20), partial(_examine, person=person))


async def _train(world: World, person: PersonLife) -> None:
    if person.left_on is not None:
        return
    command = AddCertificate(
        kind=CertificateKind.training, number=f"PX{person.code}", trained_on=world.today
    )
    person.training_id = await _add(world, person, command)
    person.trained_on = world.today


async def _examine(world: World, person: PersonLife, on: date | None = None) -> None:
    """Have a person examined; the card comes in up to four days later."""
    if person.left_on is not None:
        return
    examined_on = on or world.today - timedelta(days=world.random.randint(0, 4))
    valid_to = examined_on + timedelta(days=world.random.choice(PRINTED_DAYS))
    number = f"JK{world.next_number():06d}"
    command = AddCertificate(
        kind=CertificateKind.health, number=number, examined_on=examined_on, valid_to=valid_to
    )
    id_ = await _add(world, person, command)
    if id_ is None:
        return
    person.cards.append(Card(id_, examined_on, valid_to))
    person.since_on = min(person.since_on, examined_on)
    lapses_on = min(valid_to, examined_on + timedelta(days=365))
    in_time = world.happens(RENEWED_IN_TIME)
    days = -world.random.randint(1, 25) if in_time else world.random.randint(1, 45)
    renewed_in = (lapses_on + timedelta(days=days) - world.today).days
    world.later(renewed_in, partial(_examine, person=person))


async def _add(world: World, person: PersonLife, command: AddCertificate) -> str | None:
    world.at(9)
    try:
        async with world.runtime.work(world.actor) as work:
            card = await add_certificate(work, person.id, command)
    except DomainError as error:
        world.refused("add_certificate", person.code, error)
        return None
    world.acts += 1
    world.touched.add(person.id)
    return card.id


async def live_a_day(world: World) -> None:
    """Revoke a certificate, have somebody leave and somebody else come, now and then."""
    world.at(14)
    for person in [one for one in world.people if one.left_on is None]:
        if person.cards and world.happens(REVOKED_A_DAY):
            await _revoke(world, person)
        if world.happens(LEAVES_A_DAY):
            await _leave(world, person)


async def _revoke(world: World, person: PersonLife) -> None:
    card = max(person.cards, key=lambda one: one.examined_on)
    if card.revoked_on is not None:
        return
    command = RevokeCertificate(on=world.today, reason="simulated")
    async with world.runtime.work(world.actor) as work:
        await revoke_certificate(work, card.id, command)
    card.revoked_on = world.today
    world.acts += 1
    world.touched.add(person.id)
    world.later(world.random.randint(5, 20), partial(_examine, person=person))


async def _leave(world: World, person: PersonLife) -> None:
    async with world.runtime.work(world.actor) as work:
        await leave(work, person.id, LeaveStaff(on=world.today))
    person.left_on = world.today
    world.acts += 1
    world.touched.add(person.id)
    world.later(world.random.randint(1, 10), employ)
