"""The life of an outage: published, started, restored, cancelled; a repeated request is none."""

from datetime import datetime

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.anomaly import UNRESOLVED, Anomaly
from water2.domain.command import Command
from water2.domain.errors import Invalid
from water2.domain.notice import NoticeKind
from water2.domain.outage import Outage, OutageState
from water2.rules.anomaly import judge_restoring
from water2.rules.notice import judge_publishing, judge_start
from water2.services.instants import Instant, read_instant
from water2.services.outages.announcing import announce
from water2.services.outages.drafting import Advice
from water2.services.outages.extent import extent_of, require_somebody
from water2.services.outages.standing import Standing, record_outage, said, stand
from water2.services.outages.told import who_is_told
from water2.services.verdicts import require_allowed
from water2.work import Work


class CancelOutage(Command):
    """Why it does not take place."""

    reason: str = Field(min_length=1, max_length=500)


class RestoreSupply(Command):
    """When the water came back: now unless said otherwise.

    `health_advice`, after a stop for the water's quality: whether it may be drunk again. Without it
    the notice asks to keep to the earlier advice.
    """

    restored_at: Instant | None = None
    health_advice: Advice | None = None


async def publish_outage(work: Work, id_: str) -> Outage:
    """Announce a draft: its recipients are frozen and their messages queued in this act.

    Raises:
        RuleViolation: the start is under 24 hours away (art. 15).
        Conflict: it was cancelled.
    """
    work.require(Action.plan_outages)
    standing = await stand(work, id_, lock=True)
    if standing.outage.state in _PUBLISHED:
        return standing.outage
    standing.require(OutageState.draft)
    return await publish(work, standing)


_PUBLISHED = (OutageState.published, OutageState.in_effect, OutageState.restored)


async def publish(work: Work, standing: Standing) -> Outage:
    """Announce a draft that is held."""
    outage = standing.outage
    require_allowed(
        judge_publishing(standing.demand, now=work.now, starts_at=outage.starts_at),
        standing.utility,
    )
    if outage.starts_at <= work.now:
        raise Invalid.one("starts_at", "in_past", outage.starts_at.isoformat())
    await require_somebody(work, standing.facility, extent_of(outage))
    outage.state, outage.published_at = OutageState.published, work.now
    outage.version += 1
    await announce(work, standing, NoticeKind.planned)
    return outage


async def start_outage(work: Work, id_: str) -> Outage:
    """Stop the water now.

    Raises:
        RuleViolation: a household is not proven told by 24 hours before the start; names those.
        Conflict: it was not published, or ended.
    """
    work.require(Action.run_outages)
    standing = await stand(work, id_, lock=True)
    if standing.outage.state is OutageState.in_effect:
        return standing.outage
    standing.require(OutageState.published)
    return await start(work, standing)


async def start(work: Work, standing: Standing) -> Outage:
    """Put a published outage into effect that is held."""
    outage = standing.outage
    told = await who_is_told(work, standing, named=True)
    require_allowed(
        judge_start(
            standing.demand,
            now=work.now,
            starts_at=outage.starts_at,
            ends_at=outage.ends_at,
            told=told,
        ),
        standing.utility,
    )
    outage.state, outage.started_at = OutageState.in_effect, work.now
    outage.version += 1
    record_outage(
        work,
        standing,
        "outage.started",
        households=told.households,
        told=told.in_time,
        last_told_at=said(told.latest),
        revision=outage.revision,
    )
    return outage


async def restore_supply(work: Work, id_: str, command: RestoreSupply) -> Outage:
    """Turn the water on again, and announce it with the advice to flush.

    Raises:
        Invalid: the instant lies ahead, or before the start.
        Conflict: the water is not off.
        RuleViolation: it was stopped for an anomaly that is not resolved: its re-tests end it.
    """
    work.require(Action.run_outages)
    standing = await stand(work, id_, lock=True)
    if standing.outage.state is OutageState.restored:
        return standing.outage
    standing.require(OutageState.in_effect)
    await _require_no_anomaly(work, standing)
    at = _restored_at(work, standing, command)
    standing.outage.health_advice = command.health_advice
    return await restore(work, standing, at)


async def _require_no_anomaly(work: Work, standing: Standing) -> None:
    rows = await work.session.exec(
        select(Anomaly.number).where(
            Anomaly.outage_id == standing.outage.id, col(Anomaly.state).in_(UNRESOLVED)
        )
    )
    verdict = judge_restoring(standing.book_today, standing.today, sorted(rows))
    require_allowed(verdict, standing.utility)


def _restored_at(work: Work, standing: Standing, command: RestoreSupply) -> datetime:
    if command.restored_at is None:
        return work.now
    at = read_instant(command.restored_at, standing.utility.timezone)
    if at > work.now:
        raise Invalid.one("restored_at", "in_future", at.isoformat())
    if standing.outage.started_at is not None and at < standing.outage.started_at:
        raise Invalid.one("restored_at", "before", at.isoformat(), after="started_at")
    return at


async def restore(work: Work, standing: Standing, at: datetime) -> Outage:
    """End an outage in effect that is held."""
    outage = standing.outage
    note_overrun(outage, at, planned=standing.planned)
    outage.state, outage.restored_at = OutageState.restored, at
    outage.version += 1
    record_outage(work, standing, "outage.restored", restored_at=said(at), overran=outage.overran)
    await announce(work, standing, NoticeKind.restored)
    return outage


def note_overrun(outage: Outage, at: datetime, *, planned: bool) -> None:
    """Keep it for good that an announced end, or an estimate, passed without a notice of it."""
    if outage.ends_at is None or at <= outage.ends_at:
        return
    if planned:
        outage.overran = True
    else:
        outage.update_missed = True


async def cancel_outage(work: Work, id_: str, command: CancelOutage) -> Outage:
    """Call an outage off; whoever was told of it, or may have been, is told of this.

    Raises:
        Conflict: the water is off already, or on again.
    """
    work.require(Action.plan_outages)
    standing = await stand(work, id_, lock=True)
    if standing.outage.state is OutageState.cancelled:
        return standing.outage
    standing.require(OutageState.draft, OutageState.published)
    return await cancel(work, standing, command.reason)


async def cancel(work: Work, standing: Standing, reason: str) -> Outage:
    """Call off an outage that is held."""
    outage = standing.outage
    outage.state, outage.cancelled_at = OutageState.cancelled, work.now
    outage.cancel_reason = reason
    outage.version += 1
    record_outage(work, standing, "outage.cancelled", revision=outage.revision)
    if outage.revision:
        await announce(work, standing, NoticeKind.cancelled)
    return outage
