"""An idle sweep over a million tanks against one over a thousand: nothing is due to wake.

Run: `.venv/bin/python -m tests.benchmarks.bench_idle_sweep`. The cost ratio is that of `sweep`
itself; the three fleets lie in databases of their own and are swept in turns.
"""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date

from tests.benchmarks.seeds import Fleet, seed_fleet
from tests.benchmarks.stage import Figure, Stage, compare, run
from water2.services.sweep import sweep
from water2.work import Runtime

FLEETS = (1_000, 100_000, 1_000_000)
TURNS = 40
SWEEPS = 10  # a turn
TARGET = 1.2
DAYS = 180  # the duties open over half a year, from tomorrow on


async def measure(
    stage: Stage, dialect: str, fleets: Sequence[int] = FLEETS, turns: int = TURNS
) -> list[Figure]:
    """Compare the cost of each larger fleet with that of the smallest."""
    async with AsyncExitStack() as stack:
        runtimes = []
        for tanks in fleets:
            installation, _ = await stack.enter_async_context(stage.installation(dialect))
            await seed_fleet(installation, Fleet(tanks, date(2026, 11, 24), DAYS, in_order=True))
            runtimes.append(installation.runtime)
        taken = [[await _rate(runtime) for runtime in runtimes] for _ in range(turns + 1)][1:]
    return [
        compare(
            f"idle sweep, {tanks:,} tanks to {fleets[0]:,}",
            dialect,
            [(turn[which], turn[0]) for turn in taken],
            TARGET,
            cost=True,
        )
        for which, tanks in enumerate(fleets)
        if which
    ]


async def _rate(runtime: Runtime) -> float:
    began = time.perf_counter()
    for _ in range(SWEEPS):
        swept = await sweep(runtime)
        assert not swept.looked_at
    return SWEEPS / (time.perf_counter() - began)


if __name__ == "__main__":
    run(measure)
