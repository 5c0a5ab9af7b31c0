"""Samples: a cleaning's own, with results days later, and the routine ones."""

from datetime import date, timedelta
from functools import partial

from water2.domain.errors import DomainError
from water2.domain.water import Point, Purpose, Sample
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, RecordSample, add_results, record_sample
from water2.services.simulation.papers import FAILING, PASSING
from water2.services.simulation.world import FacilityLife, TankLife, World

NEVER_TAKEN = 0.04
TAKEN_DAYS_LATER = 0.12
FAILS = 0.07
WRITTEN_LATE = 0.1


def take_own_sample(world: World, subject_id: str) -> None:
    """Have the sample of a cleaning taken: mostly at once, sometimes days later, or never."""
    if world.happens(NEVER_TAKEN):
        return
    days = world.random.randint(1, 6) if world.happens(TAKEN_DAYS_LATER) else 0
    on = world.today + timedelta(days=days)
    passes = not world.happens(FAILS)
    written = days + (world.random.randint(2, 25) if world.happens(WRITTEN_LATE) else 0)
    job = partial(_record_own_sample, subject_id=subject_id, on=on, passes=passes)
    world.later(max(written, 1), job)


async def _record_own_sample(world: World, subject_id: str, on: date, passes: bool) -> None:
    world.at(11)
    tank = _tank(world, subject_id)
    if tank.ended_on is not None and tank.ended_on < on:
        return
    world.touched.add(tank.id)
    together = world.happens(WRITTEN_LATE)
    command = _sample(world, tank, on, Purpose.after_cleaning, Point.outlet)
    if together:
        command = command.model_copy(update={"results": _results(passes)})
    sample = await _record(world, command)
    if sample is None:
        return
    world.own_samples[subject_id].append(on)
    if together:
        _note(world, subject_id, on, passes)
    else:
        job = partial(
            _give_results, subject_id=subject_id, sample_id=sample.id, on=on, passes=passes
        )
        world.later(world.random.randint(4, 8), job)


async def _give_results(
    world: World, subject_id: str, sample_id: str, on: date, passes: bool
) -> None:
    world.at(12)
    try:
        async with world.runtime.work(world.actor) as work:
            await add_results(work, sample_id, AddResults(results=_results(passes)))
    except DomainError as error:
        world.refused("add_results", sample_id, error)
        return
    world.acts += 1
    _note(world, subject_id, on, passes)


def _note(world: World, subject_id: str, on: date, passes: bool) -> None:
    world.touched.add(subject_id)
    if passes:
        world.passed_samples[subject_id].append(on)


async def take_routine_samples(world: World) -> None:
    """Sample the facilities whose day has come; the second point may follow days later."""
    world.at(13)
    for facility in world.facilities:
        if facility.duties_from is None or facility.next_test > world.today:
            continue
        facility.next_test = world.today + timedelta(days=world.random.randint(78, 110))
        tank = next((one for one in facility.tanks if one.ended_on is None), None)
        if tank is None:
            continue
        later = world.random.randint(1, 9) if world.happens(WRITTEN_LATE) else 0
        await _take_routine(world, facility, tank, Point.outlet)
        job = partial(_take_routine, facility=facility, tank=tank, point=Point.terminal)
        if later:
            world.later(later, job)
        else:
            await job(world)


async def _take_routine(world: World, facility: FacilityLife, tank: TankLife, point: Point) -> None:
    on = world.today - timedelta(days=world.random.randint(0, 3) if world.happens(0.2) else 0)
    if tank.ended_on is not None and point is Point.outlet:
        return
    command = _sample(world, tank, on, Purpose.routine, point)
    sample = await _record(world, command.model_copy(update={"results": _results(passes=True)}))
    if sample is not None:
        world.tests[facility.id].append((on, point, sample.id))
        world.touched.add(facility.id)


def _sample(world: World, tank: TankLife, on: date, purpose: Purpose, point: Point) -> RecordSample:
    has_tank = tank.id != tank.facility.id and point is Point.outlet
    return RecordSample(
        facility_id=tank.facility.id,
        tank_id=tank.id if has_tank else None,
        point=point,
        purpose=purpose,
        sampled_at=min(world.instant(on, 17), world.clock.now),
        report_number=f"SIM{world.next_number():06d}",
        late_reason="paper" if on < world.today else None,
    )


def _results(passes: bool) -> list[GivenResult]:
    given = PASSING if passes else FAILING
    return [GivenResult(parameter=key, raw=raw) for key, raw in given.items()]


async def _record(world: World, command: RecordSample) -> Sample | None:
    try:
        async with world.runtime.work(world.actor) as work:
            sample = await record_sample(work, command)
    except DomainError as error:
        world.refused("record_sample", command.facility_id, error)
        return None
    world.acts += 1
    return sample


def _tank(world: World, subject_id: str) -> TankLife:
    return next(tank for tank in world.subjects if tank.id == subject_id)
