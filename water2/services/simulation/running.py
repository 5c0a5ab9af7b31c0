"""The simulation: a world made, lived day by day, and checked after each."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from water2.domain.access import SYSTEM, Actor, Role
from water2.domain.errors import DomainError
from water2.rules.calendar import add_months
from water2.services.installation import FoundUtility, found_utility
from water2.services.simulation import crews, old_files, people, places, sampling
from water2.services.simulation.checks import check_day
from water2.services.simulation.ledger_checks import LedgerWatch
from water2.services.simulation.world import SimulatedClock, SimulationReport, World
from water2.services.sweep import sweep
from water2.work import Runtime

Progress = Callable[[int, int], None]
FIRST_DAY = date(2023, 8, 31)
"""A month's end whose half-year ends in a leap February."""
PEOPLE_PER_FACILITY = 0.6
FEWEST_PEOPLE = 6
THOROUGH_EVERY_DAYS = 30
WORKER_DOWN = 0.5
"""How often the worker sleeps until the evening."""
ENOUGH_VIOLATIONS = 20


def _silent(_day: int, _days: int) -> None:
    """Tell nobody."""


@dataclass
class Simulation:
    """A world with what was seen of its ledgers."""

    world: World
    watch: LedgerWatch = field(default_factory=LedgerWatch)

    @classmethod
    async def begin(
        cls, runtime: Runtime, *, place: str, facilities: int, seed: int
    ) -> "Simulation":
        """Found a utility of its own on the runtime's database, under a clock of its own."""
        world = await _begin(runtime, place, seed)
        await _populate(world, facilities)
        return cls(world)

    async def live_a_day(self, *, thoroughly: bool = False) -> None:
        """Live today, check the invariants, and go on to tomorrow."""
        await _live(self.world)
        await self.check(thoroughly=thoroughly)
        self.world.today += timedelta(days=1)

    async def check(self, *, thoroughly: bool) -> None:
        """Check the invariants; `thoroughly`: of all that ever was, and rebuild the ledgers."""
        self.world.at(23, 30)
        await check_day(self.world, thoroughly=thoroughly)
        await self.watch.check_day(self.world, thoroughly=thoroughly)


async def simulate(
    runtime: Runtime,
    *,
    place: str,
    facilities: int,
    years: int,
    seed: int,
    progress: Progress = _silent,
) -> SimulationReport:
    """Simulate years of a utility in a place whose duties are as obligations.md has them.

    The runtime's database is best an empty one.

    It ends early once enough invariants are broken. The same seed lives the same life.
    """
    simulation = await Simulation.begin(runtime, place=place, facilities=facilities, seed=seed)
    world = simulation.world
    days = (add_months(FIRST_DAY, 12 * years) - FIRST_DAY).days
    lived = 0
    while lived < days and len(world.violations) < ENOUGH_VIOLATIONS:
        lived += 1
        thoroughly = lived % THOROUGH_EVERY_DAYS == 0 or lived == days
        await simulation.live_a_day(thoroughly=thoroughly)
        progress(lived, days)
    entries = simulation.watch.entries
    return SimulationReport(seed, lived, world.acts, entries, tuple(world.violations))


async def _begin(runtime: Runtime, place: str, seed: int) -> World:
    clock = SimulatedClock(datetime.combine(FIRST_DAY, time(7), ZoneInfo("UTC")))
    runtime = replace(runtime, clock=clock)
    async with runtime.work(SYSTEM) as work:
        utility = await found_utility(work, FoundUtility(f"SIM{seed}", "simulated", place))
    actor = Actor(user_id="simulation", role=Role.manager, utility_ids=(utility.id,))
    random = Random(seed)  # noqa: S311 - repeatable chance, no secret
    return World(runtime, clock, utility, actor, random, seed, FIRST_DAY)


async def _populate(world: World, facilities: int) -> None:
    """Begin with facilities in use for up to a year, and people examined in the last months."""
    for number in range(facilities):
        in_service_on = FIRST_DAY - timedelta(days=world.random.randint(0, 200))
        tanks = 0 if number % 9 == 4 else world.random.choice((1, 2, 2, 3))
        await places.open_facility(world, in_service_on, tanks=tanks)
    for _ in range(max(FEWEST_PEOPLE, int(facilities * PEOPLE_PER_FACILITY))):
        examined_on = FIRST_DAY - timedelta(days=world.random.randint(0, 350))
        await people.employ(world, examined_on=examined_on)
    later = world.random.randint(60, 120)
    world.later(later, lambda one: places.open_facility(one, None, tanks=2))


async def _live(world: World) -> None:
    """Live one day: people's acts, and the worker's sweeps: one before them unless it was down."""
    world.at(0, 5)
    if not world.happens(WORKER_DOWN):
        await sweep(world.runtime)
    for act in (
        _keep_agenda,
        crews.dispatch,
        sampling.take_routine_samples,
        people.live_a_day,
        places.change_tanks,
        places.make_rounds,
    ):
        try:
            await act(world)
        except DomainError as error:
            world.refused(act.__name__, "", error)
    if world.today.toordinal() % old_files.EVERY_DAYS == 0:
        await old_files.import_old_file(world)
    world.at(22)
    await sweep(world.runtime)


async def _keep_agenda(world: World) -> None:
    for job in world.agenda.pop(world.today, []):
        await job(world)
