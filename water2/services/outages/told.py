"""Who was told of an outage, when, and by what: read off the frozen list and its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, and_, case, func, or_, union_all
from sqlalchemy import select as select_columns

from water2.domain.delivery import Delivery
from water2.domain.evidence import evidence_instant
from water2.domain.household import Household
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.outage import Outage, OutageState, Poster
from water2.rules.notice import (
    LONGEST_LISTED,
    PLANNED,
    Told,
    earliest_lawful_start,
    start_in_question,
    told_by,
    warnings_passed,
)
from water2.services.outages.announcing import ENDS, last_notice
from water2.services.outages.extent import count_households, extent_of
from water2.services.outages.standing import Standing
from water2.work import Work

_RECIPIENT = cast("Any", NoticeRecipient).__table__
_NOTICE = cast("Any", Notice).__table__
_DELIVERY = cast("Any", Delivery).__table__
_POSTER = cast("Any", Poster).__table__
_HOUSEHOLD = cast("Any", Household).__table__
NOBODY = Told(households=0, in_time=0)


@dataclass(frozen=True)
class Progress:
    """How far a notice has come: who is told, the first lawful start, the warnings that passed."""

    told: Told
    earliest_lawful_start: datetime | None
    warnings: tuple[int, ...]


def delivered_required(standing: Standing) -> bool:
    """Tell whether the utility demands delivery where acceptance would be enough."""
    planned = standing.book.obligation(PLANNED, standing.judged_on)
    setting = planned.values.get("delivered_required") if planned else None
    return bool(setting and setting.value)


def told_instants(outage: Outage, latest: Notice, *, delivered: bool) -> Select[Any]:
    """Select each frozen household with the first instant it was told at, or NULL.

    Evidence counts from the revision on that the household must be told anew by.
    """
    frozen = (
        select_columns(
            _RECIPIENT.c.household_id, _RECIPIENT.c.building_id, _RECIPIENT.c.since_revision
        )
        .where(_RECIPIENT.c.notice_id == latest.id)
        .distinct()
        .cte("frozen")
    )
    evidence = union_all(
        _messages(outage, frozen.c, delivered), _posters(outage, frozen.c)
    ).subquery("evidence")
    return (
        select_columns(
            frozen.c.household_id,
            frozen.c.building_id,
            frozen.c.since_revision,
            func.min(evidence.c.told_at).label("told_at"),
        )
        .select_from(frozen.outerjoin(evidence, evidence.c.household_id == frozen.c.household_id))
        .group_by(frozen.c.household_id, frozen.c.building_id, frozen.c.since_revision)
    )


def _messages(outage: Outage, frozen: Any, delivered: bool) -> Select[Any]:
    recipient, delivery = _RECIPIENT.alias(), _DELIVERY
    instant = evidence_instant(delivery, delivered)
    return (
        select_columns(recipient.c.household_id, instant.label("told_at"))
        .select_from(_NOTICE)
        .join(recipient, recipient.c.notice_id == _NOTICE.c.id)
        .join(
            frozen.household_id.table,
            and_(
                frozen.household_id == recipient.c.household_id,
                frozen.since_revision <= _NOTICE.c.revision,
            ),
        )
        .join(
            delivery,
            and_(
                delivery.c.source_id == _NOTICE.c.id,
                delivery.c.channel == recipient.c.channel,
                delivery.c.address_index == recipient.c.address_index,
            ),
        )
        .where(
            _NOTICE.c.outage_id == outage.id,
            _NOTICE.c.kind.not_in(list(ENDS)),
            instant.is_not(None),
        )
    )


def _posters(outage: Outage, frozen: Any) -> Select[Any]:
    return (
        select_columns(frozen.household_id, _POSTER.c.posted_at.label("told_at"))
        .select_from(frozen.household_id.table)
        .join(
            _POSTER,
            and_(
                _POSTER.c.building_id == frozen.building_id,
                _POSTER.c.revision >= frozen.since_revision,
            ),
        )
        .where(_POSTER.c.outage_id == outage.id)
    )


def told_by_when(standing: Standing, now: datetime) -> datetime | None:
    """Return the last instant to be told at for the start in question; an emergency has none."""
    if not standing.planned:
        return None
    outage = standing.outage
    starts_at = start_in_question(
        outage.starts_at,
        now,
        waiting=outage.state is OutageState.published,
        started_at=outage.started_at,
    )
    return told_by(standing.demand, starts_at)


async def who_is_told(work: Work, standing: Standing, *, named: bool = False) -> Told:
    """Count who is told by the deadline, after it, or not at all; `named` lists who is missing.

    An emergency has no deadline: whoever is told is told in time.
    """
    outage = standing.outage
    latest = await last_notice(work, outage, announcing=True)
    if latest is None:
        return NOBODY
    by = told_by_when(standing, work.now)
    one = told_instants(outage, latest, delivered=delivered_required(standing)).subquery()
    in_time = one.c.told_at.is_not(None) if by is None else one.c.told_at <= by
    found = await work.session.execute(
        select_columns(
            func.count(),
            func.coalesce(func.sum(case((in_time, 1), else_=0)), 0),
            func.count(one.c.told_at),
            func.max(one.c.told_at),
        )
    )
    households, counted, told, last = found.one()
    missing: Sequence[str] = ()
    if named and counted < households:
        missing = await _codes(work, one, or_(one.c.told_at.is_(None), ~in_time))
    return Told(households, int(counted), int(told - counted), last, tuple(missing))


async def _codes(work: Work, one: Any, lacking: Any) -> Sequence[str]:
    rows = await work.session.execute(
        select_columns(_HOUSEHOLD.c.code)
        .join(one, one.c.household_id == _HOUSEHOLD.c.id)
        .where(lacking)
        .order_by(_HOUSEHOLD.c.code)
        .limit(LONGEST_LISTED)
    )
    return rows.scalars().all()


async def progress_of(work: Work, standing: Standing) -> Progress:
    """Return how far the notice of an outage has come, as of now.

    Nobody is frozen with a draft: whom it would concern today is still to be told.
    """
    outage, told = standing.outage, await who_is_told(work, standing)
    if outage.state is OutageState.draft:
        concerned = await count_households(work, standing.facility, extent_of(outage))
        told = Told(households=concerned, in_time=0)
    if not standing.planned:
        return Progress(told, None, ())
    earliest = earliest_lawful_start(
        standing.demand, now=work.now, starts_at=outage.starts_at, told=told
    )
    if not outage.revision and standing.demand:  # nobody is frozen yet: all are to be told
        earliest = max(outage.starts_at, work.now + standing.demand.ahead)
    planned = standing.book.obligation(PLANNED, standing.judged_on)
    waiting = outage.started_at is None and told.missing_count > 0
    passed = warnings_passed(planned, now=work.now, starts_at=outage.starts_at) if waiting else []
    return Progress(told, earliest, tuple(passed))
