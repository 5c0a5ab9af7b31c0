"""What is looked after at the pace of the sweep: warnings, digests, messages past their use."""

from dataclasses import dataclass

from water2.services.anomalies.watching import watch_anomalies
from water2.services.delivery.digests import send_all_digests
from water2.services.delivery.escalating import expire_all
from water2.services.instruments.signs import watch_instruments
from water2.services.outages.watching import watch_outages
from water2.services.regulator_reports.watching import watch_reports
from water2.work import Runtime


@dataclass(frozen=True)
class Watched:
    """Warnings, digests, escalations queued; messages given up; signs of instruments changed."""

    warnings: int
    digests: int
    escalations: int
    expired: int
    signs: int


async def keep_watch(runtime: Runtime) -> Watched:
    """Warn, escalate, queue digests, give up what is of no use, look at instruments; repeatable."""
    return Watched(
        warnings=await watch_outages(runtime),
        digests=await send_all_digests(runtime),
        escalations=await watch_anomalies(runtime) + await watch_reports(runtime),
        expired=await expire_all(runtime),
        signs=await watch_instruments(runtime),
    )
