"""One examination: the machine, then the database, then what only a sound database can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from water2.clock import Clock
from water2.config import Settings
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.services.doctor.finding import Finding, Level, wrong
from water2.services.doctor.ledgers import look_at_setbacks
from water2.services.doctor.machine import look_at_machine
from water2.services.doctor.schema import look_at_database
from water2.services.doctor.times import look_at_times
from water2.work import Runtime

_NO_KEY = ContactBox(bytes(32))  # nothing sealed is opened here


@dataclass(frozen=True)
class Examination:
    """What is examined, and when: by the installation's own clock and by the wall's."""

    settings: Settings
    clock: Clock
    real_now: datetime


async def examine(asked: Examination) -> Sequence[Finding]:
    """Judge everything that can be judged; nothing is changed."""
    settings = asked.settings
    findings = list(look_at_machine(settings))
    if settings.database_url is None and not settings.sqlite_path.exists():
        return [*findings, wrong("database", "missing", file=str(settings.sqlite_path))]
    database = open_database(settings.url, pool_size=1, pooler=settings.database_pooler)
    try:
        findings += [one async for one in look_at_database(settings, database)]
        sound = {one.check for one in findings if one.level is Level.well}
        if {"database", "schema"} <= sound:
            async with Runtime(database, asked.clock, _NO_KEY).read() as work:
                findings += [one async for one in look_at_times(work, settings, asked.real_now)]
                findings.append(await look_at_setbacks(work, settings))
    finally:
        await database.dispose()
    return findings
