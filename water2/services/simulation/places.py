"""Places: facilities and tanks that come into use and go out of it, and the rounds made there."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from water2.domain.facility import FacilityKind
from water2.domain.patrol import PatrolKind
from water2.services.commissioning import PutIntoService, put_into_service
from water2.services.endings import EndOfLife, end_tank
from water2.services.facilities import RegisterFacility, register_facility
from water2.services.patrols import RecordPatrol, record_patrol
from water2.services.simulation.world import FacilityLife, TankLife, World
from water2.services.tanks import AddTank, add_tank

TANK_ENDS_A_DAY = 0.0003
ROUND_DAYS = {PatrolKind.hygiene: (25, 34), PatrolKind.equipment: (5, 9)}
WRITTEN_LATE = 0.1
WEEKLY_ONE_IN = 9
"""One facility in so many has its equipment looked at weekly; the others never, and are overdue."""


async def open_facility(world: World, in_service_on: date | None, *, tanks: int) -> None:
    """Register a facility with so many tanks; without a day it is put into service weeks later."""
    world.at(8)
    number = world.next_number()
    known_on = in_service_on or world.today
    command = RegisterFacility(
        code=f"SIM-{number:03d}",
        name=f"模拟小区{number}",
        kind=FacilityKind.high_rise_residential,
        address="simulated",
        tankless=tanks == 0,
        accepted_on=known_on - timedelta(days=60),
        handed_over_on=known_on - timedelta(days=20),
        in_service_on=in_service_on,
        utility_id=world.utility.id,
    )
    async with world.runtime.work(world.actor) as work:
        row = await register_facility(work, command)
    world.acts += 1
    weekly = number % WEEKLY_ONE_IN == 0
    facility = FacilityLife(row.id, row.code, in_service_on, weekly_rounds=weekly)
    if tanks == 0:
        facility.tanks.append(TankLife(row.id, row.code, facility, None))
    world.facilities.append(facility)
    for _ in range(tanks):
        await _open_tank(world, facility, None)
    if in_service_on is None:
        world.later(world.random.randint(5, 40), partial(_put_into_service, facility=facility))
    else:
        _begin_rounds(world, facility)


async def _open_tank(world: World, facility: FacilityLife, in_use_on: date | None) -> None:
    code = f"{len(facility.tanks) + 1}#"
    command = AddTank(code=code, volume_m3=Decimal(18), isolable=True, in_use_on=in_use_on)
    async with world.runtime.work(world.actor) as work:
        row = await add_tank(work, facility.id, command)
    world.acts += 1
    facility.tanks.append(TankLife(row.id, code, facility, in_use_on))
    world.touched.add(row.id)


async def _put_into_service(world: World, facility: FacilityLife) -> None:
    async with world.runtime.work(world.actor) as work:
        await put_into_service(work, facility.id, PutIntoService(on=world.today))
    facility.duties_from = world.today
    world.acts += 1
    world.touched.add(facility.id)
    _begin_rounds(world, facility)


def _begin_rounds(world: World, facility: FacilityLife) -> None:
    for kind, (least, most) in ROUND_DAYS.items():
        if kind is PatrolKind.hygiene or facility.weekly_rounds:
            days = world.random.randint(least, most)
            facility.next_round[kind] = world.today + timedelta(days=days)
    facility.next_test = world.today + timedelta(days=world.random.randint(20, 80))


async def change_tanks(world: World) -> None:
    """Take a tank out of use now and then; another comes into use weeks later."""
    world.at(15)
    for tank in world.subjects:
        tankless = tank.id == tank.facility.id
        in_use_on = tank.in_use_on or tank.facility.duties_from
        if tank.ended_on or tankless or in_use_on is None or in_use_on >= world.today:
            continue
        if world.happens(TANK_ENDS_A_DAY):
            async with world.runtime.work(world.actor) as work:
                await end_tank(work, tank.id, EndOfLife(on=world.today))
            tank.ended_on = world.today
            world.acts += 1
            world.touched.add(tank.id)
            world.later(world.random.randint(3, 30), partial(_replace, facility=tank.facility))


async def _replace(world: World, facility: FacilityLife) -> None:
    await _open_tank(world, facility, world.today)


async def make_rounds(world: World) -> None:
    """Make the rounds whose day has come; some are written down days later."""
    world.at(16)
    for facility in world.facilities:
        for kind, on in facility.next_round.items():
            if on > world.today:
                continue
            least, most = ROUND_DAYS[kind]
            facility.next_round[kind] = world.today + timedelta(
                days=world.random.randint(least, most)
            )
            job = partial(_write_round, facility=facility, kind=kind, on=world.today)
            if world.happens(WRITTEN_LATE):
                world.later(world.random.randint(2, 12), job)
            else:
                await job(world)


async def _write_round(world: World, facility: FacilityLife, kind: PatrolKind, on: date) -> None:
    late = on < world.today
    command = RecordPatrol(
        facility_id=facility.id,
        kind=kind,
        patrolled_at=world.instant(on, 9),
        record={"lid_locked": True},
        late_reason="paper" if late else None,
    )
    async with world.runtime.work(world.actor) as work:
        patrol = await record_patrol(work, command)
    world.acts += 1
    world.rounds[facility.id, kind].append((on, patrol.id))
    world.touched.add(facility.id)
