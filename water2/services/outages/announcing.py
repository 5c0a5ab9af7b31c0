"""Publishing a revision of a notice: words, frozen recipients, queue, ledger, in one act."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, func, select

from water2.domain.delivery import Lane
from water2.domain.notice import Notice, NoticeKind, NoticeRecipient
from water2.domain.outage import Outage
from water2.rules.notice import PLANNED, told_by
from water2.rules.outages import next_channel_at, send_at
from water2.services.notices.queueing import (
    Dispatch,
    queue_to_endpoints,
    queue_to_households,
    queue_to_reached,
    queue_to_subscribers,
    supersede,
)
from water2.services.notices.recipients import freeze_recipients, keep_recipients
from water2.services.notices.templates import templates_of
from water2.services.notices.wording import Told, Words, write
from water2.services.outages.standing import Standing, building_names, record_outage, said
from water2.work import Work

ENDS = frozenset({NoticeKind.cancelled, NoticeKind.restored})
"""Kinds that tell nobody of an outage to come: they are no evidence for its start."""
_USEFUL_AFTER_RESTORING = timedelta(hours=12)
_USEFUL_WITHOUT_ESTIMATE = timedelta(hours=24)


@dataclass(frozen=True)
class Before:
    """What the last notice announced, before an act changed the outage.

    `unused`: its window passed, and nobody expects the water to go off any more.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    unused: bool = False


async def last_notice(work: Work, outage: Outage, *, announcing: bool = False) -> Notice | None:
    """Return the last revision; `announcing` passes over those that tell of an end."""
    statement = select(Notice).where(Notice.outage_id == outage.id)
    if announcing:
        statement = statement.where(col(Notice.kind).not_in(list(ENDS)))
    rows = await work.session.exec(statement.order_by(col(Notice.revision).desc()).limit(1))
    return rows.first()


async def preview(work: Work, standing: Standing, kind: NoticeKind, before: Before) -> Words:
    """Return the words a notice would be published with now."""
    told = Told(
        outage=standing.outage,
        facility=standing.facility,
        utility=standing.utility,
        buildings=await building_names(work, standing.outage.building_ids),
        now=work.now,
        old_starts_at=before.starts_at,
        old_ends_at=before.ends_at,
    )
    return write(await templates_of(work, standing.utility, kind), told)


async def announce(
    work: Work, standing: Standing, kind: NoticeKind, before: Before | None = None
) -> Notice:
    """Publish the next revision of an outage's notice, and queue it to whom it concerns."""
    outage, before = standing.outage, before or Before()
    previous = await last_notice(work, outage, announcing=True)
    outage.revision += 1
    outage.announced_at = work.now
    words = await preview(work, standing, kind, before)
    notice = _notice(standing, kind, words, work.now, before)
    work.session.add(notice)
    await work.session.flush()  # recipients and deliveries refer to it
    await supersede(work, notice)
    if kind in ENDS and previous is not None:
        await keep_recipients(work, notice, previous)
    else:
        await freeze_recipients(work, notice, previous, standing.today)
    notice.households = await _count(work, notice)
    queued = await _queue(work, standing, notice)
    record_outage(
        work,
        standing,
        "notice.published",
        notice=notice.id,
        revision=notice.revision,
        notice_kind=kind.value,
        text_sha256=notice.text_sha256,
        households=notice.households,
        deliveries=queued,
        starts_at=said(notice.starts_at),
        ends_at=said(notice.ends_at),
    )
    return notice


def _notice(
    standing: Standing, kind: NoticeKind, words: Words, now: datetime, before: Before
) -> Notice:
    outage = standing.outage
    earlier = before.starts_at is not None and outage.starts_at < before.starts_at
    earlier = earlier or before.unused
    return Notice(
        utility_id=outage.utility_id,
        outage_id=outage.id,
        facility_id=outage.facility_id,
        number=outage.number,
        revision=outage.revision,
        kind=kind,
        published_at=now,
        starts_at=outage.starts_at,
        ends_at=outage.ends_at,
        building_ids=list(outage.building_ids),
        started_earlier=earlier,
        text_sha256=words.sha256,
        households=0,
        **vars(words),
    )


async def _count(work: Work, notice: Notice) -> int:
    rows = await work.session.exec(
        select(func.count(func.distinct(NoticeRecipient.household_id))).where(
            NoticeRecipient.notice_id == notice.id
        )
    )
    return int(rows.one())


async def _queue(work: Work, standing: Standing, notice: Notice) -> int:
    dispatch = _dispatch(work, standing, notice)
    to_households = queue_to_reached if notice.kind is NoticeKind.cancelled else queue_to_households
    queued = await to_households(work, notice, dispatch)
    queued += await queue_to_subscribers(work, notice, dispatch)
    return queued + await queue_to_endpoints(work, notice, dispatch)


def _dispatch(work: Work, standing: Standing, notice: Notice) -> Dispatch:
    now = work.now
    if not standing.planned:
        useful = max(notice.ends_at or now, now) + _USEFUL_WITHOUT_ESTIMATE
        if notice.kind is NoticeKind.restored:
            useful = now + _USEFUL_AFTER_RESTORING
        return Dispatch(Lane.emergency, now, now, None, useful)
    rule = standing.book_today.obligation(PLANNED, standing.today)
    ahead = notice.kind in (NoticeKind.planned, NoticeKind.rescheduled, NoticeKind.extended)
    ahead = ahead and standing.outage.started_at is None
    deadline = told_by(standing.demand_today, notice.starts_at) if ahead else None
    due = now
    if standing.outage.started_at is None:  # whoever is without water already is told at any hour
        due = send_at(rule, now, deadline or notice.starts_at, standing.utility.timezone)
    next_at = next_channel_at(rule, notice.starts_at) if ahead else now
    useful = notice.ends_at or notice.starts_at
    if notice.kind is NoticeKind.restored:
        useful = now + _USEFUL_AFTER_RESTORING
    return Dispatch(Lane.planned, due, max(due, next_at or due), deadline, max(useful, now))
