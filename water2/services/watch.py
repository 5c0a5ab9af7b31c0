"""What is looked after at the pace of the sweep: warnings, digests, messages past their use."""

from dataclasses import dataclass

from water2.services.delivery.digests import send_all_digests
from water2.services.delivery.escalating import expire_all
from water2.services.outages.watching import watch_outages
from water2.work import Runtime


@dataclass(frozen=True)
class Watched:
    """How many warnings and digests were queued, and how many unsent messages given up."""

    warnings: int
    digests: int
    expired: int


async def keep_watch(runtime: Runtime) -> Watched:
    """Warn of outages, queue digests, give up what is of no use any more; each repeatable."""
    return Watched(
        await watch_outages(runtime), await send_all_digests(runtime), await expire_all(runtime)
    )
