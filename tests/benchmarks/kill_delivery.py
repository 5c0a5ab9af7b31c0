"""A delivery worker killed a hundred times: `python -m tests.benchmarks.kill_delivery --times 100`.

Each time it is killed (−9) between the provider's acceptance and its own commit. Nothing may be
lost, and only what was in doubt may be sent twice; on both databases, through a gateway that can be
asked what became of a message and through one that cannot. It ends with 1 where that is not so.
"""

import argparse
import asyncio
import sys

from tests.benchmarks.stage import DATABASES, Stage, tell, temporary_stage
from tests.builders import SettableClock, install
from tests.conftest import NOW
from tests.delivery.killing import Outcome, kill_often
from tests.sinks import http_gateway
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.work import Runtime

HEADER = "database  asked  kills  in flight  messages  lost  in doubt  doubled  sound"


async def kill(stage: Stage, dialect: str, times: int, *, can_be_asked: bool) -> Outcome:
    """Kill a worker so often over a fresh database; return what came of its messages."""
    url = stage.fresh(dialect)
    clock = SettableClock(NOW.replace(year=2020))  # all is due by the workers' own clock
    database = open_database(url)
    try:
        installation = await install(Runtime(database, clock, ContactBox(bytes(32))))
        with http_gateway(latency_ms=30, can_be_asked=int(can_be_asked)) as sink:
            return await kill_often(installation, url, sink, times)
    finally:
        await database.dispose()


def is_sound(outcome: Outcome, *, can_be_asked: bool) -> bool:
    """Tell whether nothing was lost, and nothing sent twice but what was in doubt."""
    once = set(outcome.recorded.values()) == {1} and set(outcome.recorded) == outcome.queued
    doubled = not outcome.doubled if can_be_asked else outcome.doubled <= outcome.doubted
    return once and doubled and not outcome.lost and not outcome.left


def main() -> int:
    """Kill as often as asked for and tell what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    sound = True
    tell(HEADER)
    with temporary_stage() as stage:
        for dialect in DATABASES:
            for asked in (True, False):
                outcome = asyncio.run(kill(stage, dialect, times, can_be_asked=asked))
                fine = is_sound(outcome, can_be_asked=asked)
                sound = sound and fine
                tell(
                    f"{dialect}  {'yes' if asked else 'no'}  {times}  {outcome.kills_in_flight}"
                    f"  {len(outcome.queued)}  {len(outcome.lost)}  {len(outcome.doubted)}"
                    f"  {len(outcome.doubled)}  {'yes' if fine else 'NO'}"
                )
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
