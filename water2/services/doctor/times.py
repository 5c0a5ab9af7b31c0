"""Clock, zones, holidays and the age of the last sweep."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import and_, col, func, select

from water2.config import Settings
from water2.domain.ledger import Ledger, LedgerEntry
from water2.domain.organisation import Utility
from water2.services.doctor.finding import Finding, note, well, wrong
from water2.services.holidays import CALENDARS, is_published
from water2.services.job_runs import SWEEP, age_of_job
from water2.work import Work

_PAUSES_MISSED = 3
_TOLERANCE = timedelta(minutes=1)  # between the clocks of several nodes


async def look_at_times(
    work: Work, settings: Settings, real_now: datetime
) -> AsyncIterator[Finding]:
    """Judge the clocks; needs a database of this program's schema."""
    zones = list(await work.session.exec(select(Utility.timezone).distinct()))
    if not zones:
        yield wrong("utility", "missing")
    for zone in zones:
        yield _zone(zone)
    yield await _clock(work)
    yield await _sweep(work, settings, real_now)
    yield _holidays(work.now.date())


def _zone(name: str) -> Finding:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return wrong("zone", "unknown", zone=name)
    return well("zone", zone=name)


async def _clock(work: Work) -> Finding:
    """An entry of the future means that the clock once went ahead, or now lags behind."""
    last = and_(
        col(LedgerEntry.ledger_id) == col(Ledger.id), col(LedgerEntry.seq) == col(Ledger.size) - 1
    )
    latest = (
        await work.session.exec(
            select(func.max(LedgerEntry.recorded_at)).select_from(Ledger).join(LedgerEntry, last)
        )
    ).first()
    facts = {"now": work.now.isoformat(), "last_entry": latest.isoformat() if latest else "-"}
    if latest is not None and latest > work.now + _TOLERANCE:
        return wrong("clock", "behind", **facts)
    return well("clock", **facts)


async def _sweep(work: Work, settings: Settings, real_now: datetime) -> Finding:
    age = await age_of_job(work, SWEEP, real_now)
    if age is None:
        return wrong("sweep", "never")
    longest = timedelta(seconds=_PAUSES_MISSED * settings.sweep_seconds) + _TOLERANCE
    seconds = int(age.total_seconds())
    if age > longest:
        return wrong("sweep", "late", seconds=seconds)
    return well("sweep", seconds=seconds)


def _holidays(today: date) -> Finding:
    """Next year's list is published in autumn: until then it is lacking everywhere."""
    this, following = today.year, today.year + 1
    if not _published(this):
        return wrong("holidays", "this_year_missing", year=this)
    if not _published(following):
        return note("holidays", "next_year_missing", year=following)
    return well("holidays", year=following)


def _published(year: int) -> bool:
    return all(is_published(calendar, year) for calendar in CALENDARS)
