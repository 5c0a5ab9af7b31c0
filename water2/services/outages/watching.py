"""Watching planned outages: 36, 30, 26 hours ahead the managers hear who is still to be told."""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult
from sqlmodel import col, func, select

from water2.domain.delivery import DeliverySource, Lane
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageKind, OutageState, OutageWarning
from water2.domain.sending import ROBOTS
from water2.rules.notice import PLANNED
from water2.services.delivery.staff_addresses import (
    addresses_of_managers,
    endpoints_of,
    queue_to,
)
from water2.services.outages.standing import Standing, record_outage, stand
from water2.services.outages.told import progress_of
from water2.services.rows import insert_or_pass
from water2.services.rulebooks import book_of
from water2.work import Runtime, Work


async def watch_outages(runtime: Runtime) -> int:
    """Warn of every announced outage that reached a warning's hour; return how many were new.

    Repeating it changes nothing: a warning has a unique key.
    """
    async with runtime.read() as work:
        utilities = list(await work.session.exec(select(Utility).order_by(Utility.id)))
        waiting = [(utility, await _waiting(work, utility)) for utility in utilities]
    warned = 0
    for utility, ids in waiting:
        for id_ in ids:
            async with runtime.work() as work:
                warned += await _warn(work, utility, id_)
    return warned


async def _waiting(work: Work, utility: Utility) -> list[str]:
    """Return the outages that may have reached a warning's hour and were not warned of there."""
    hours = await _hours(work, utility)
    if not hours:
        return []
    last = (
        select(func.min(OutageWarning.hours))
        .where(OutageWarning.outage_id == Outage.id, OutageWarning.revision == Outage.revision)
        .scalar_subquery()
    )
    rows = await work.session.exec(
        select(Outage.id)
        .where(
            Outage.utility_id == utility.id,
            Outage.state == OutageState.published,
            Outage.kind == OutageKind.planned,
            col(Outage.starts_at) > work.now,
            col(Outage.starts_at) <= work.now + timedelta(hours=hours[0]),
            func.coalesce(last, hours[0] + 1) > hours[-1],
        )
        .order_by(col(Outage.starts_at))
    )
    return list(rows)


async def _hours(work: Work, utility: Utility) -> tuple[int, ...]:
    planned = (await book_of(work, utility)).obligation(PLANNED, work.today(utility.timezone))
    hours = planned.values["warn_hours"].value if planned else ()
    return tuple(sorted(hours, reverse=True)) if isinstance(hours, tuple) else ()


async def _warn(work: Work, utility: Utility, id_: str) -> int:
    standing = await stand(work, id_, lock=True)
    progress = await progress_of(work, standing)
    if standing.outage.state is not OutageState.published or not progress.warnings:
        return 0
    warning = await _new_warning(work, standing, progress.warnings[-1], progress.told.missing_count)
    if warning is None:
        return 0
    addresses = await addresses_of_managers(work, utility)
    addresses += await endpoints_of(work, utility.id, ROBOTS)
    await queue_to(
        work,
        utility,
        DeliverySource.warning,
        warning,
        addresses,
        lane=Lane.planned,
        due_at=work.now,
        expires_at=standing.outage.starts_at,
    )
    record_outage(
        work,
        standing,
        "outage.warned",
        hours=progress.warnings[-1],
        missing=progress.told.missing_count,
        households=progress.told.households,
        revision=standing.outage.revision,
    )
    return 1


async def _new_warning(work: Work, standing: Standing, hours: int, missing: int) -> str | None:
    """Note the nearest hour that has passed; None where another worker was first."""
    outage = standing.outage
    row = {
        "id": new_id(),
        "utility_id": outage.utility_id,
        "outage_id": outage.id,
        "revision": outage.revision,
        "hours": hours,
        "missing": missing,
        "made_at": work.now,
    }
    result = await work.session.execute(insert_or_pass(work, OutageWarning), row)
    return str(row["id"]) if cast("CursorResult[Any]", result).rowcount else None


async def next_watch(work: Work) -> datetime | None:
    """Return the next instant at which an announced outage reaches a warning's hour."""
    found: list[datetime] = []
    utilities = await work.session.exec(select(Utility))
    for utility in utilities.all():
        hours = await _hours(work, utility)
        rows = await work.session.exec(
            select(Outage.starts_at).where(
                Outage.utility_id == utility.id,
                Outage.state == OutageState.published,
                Outage.kind == OutageKind.planned,
            )
        )
        found += [starts_at - timedelta(hours=step) for starts_at in rows for step in hours]
    return min((at for at in found if at > work.now), default=None)
