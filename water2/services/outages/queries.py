"""Finding an outage, and the households that are still to be told of it, a page at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.delivery import NO_CHANNEL, Delivery, EvidenceLevel
from water2.domain.errors import NotFound
from water2.domain.evidence import level_of
from water2.domain.facility import Building, Facility
from water2.domain.household import Household
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.outage import Outage
from water2.services.outages.announcing import last_notice
from water2.services.outages.standing import Standing, standing_of
from water2.services.outages.told import delivered_required, told_by_when, told_instants
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import fetch
from water2.work import Work

_RECIPIENT = cast("Any", NoticeRecipient).__table__
_DELIVERY = cast("Any", Delivery).__table__
_LEVELS = tuple(EvidenceLevel)  # from the lowest up


@dataclass(frozen=True)
class ChannelLevel:
    """How far messages by a channel have come: the best of a household's addresses."""

    channel: str
    level: EvidenceLevel


@dataclass(frozen=True)
class MissingHousehold:
    """A household not told in time; without `channels` no message can reach it."""

    id: str
    code: str
    building_code: str
    channels: tuple[ChannelLevel, ...]


async def outage_by(work: Work, id_or_number: str) -> Outage:
    """Return an outage the actor sees by its id or its number.

    Raises:
        NotFound: there is none, or another utility's.
    """
    work.require(Action.read)
    rows = await work.session.exec(
        select(Outage).where(
            or_(col(Outage.id) == id_or_number, col(Outage.number) == id_or_number)
        )
    )
    found = rows.first()
    if found is None or not work.actor.sees(found.utility_id):
        raise NotFound("outage", id_or_number)
    return found


async def standing_by(work: Work, id_or_number: str) -> Standing:
    """Return an outage with what it is judged by; raises as `outage_by`."""
    outage = await outage_by(work, id_or_number)
    return await standing_of(work, outage, await fetch(work, Facility, outage.facility_id))


async def missing_households(
    work: Work, standing: Standing, asked: PageAsked
) -> Page[MissingHousehold]:
    """Return the households not told in time, by code, with how far their messages have come.

    Of an outage that is not published yet nobody is frozen, so nobody is missing.
    """
    latest = await last_notice(work, standing.outage, announcing=True)
    if latest is None:
        return Page([], None)
    outage = standing.outage
    one = told_instants(outage, latest, delivered=delivered_required(standing)).subquery()
    lacking: ColumnElement[bool] = one.c.told_at.is_(None)
    if (by := told_by_when(standing, work.now)) is not None:
        lacking = or_(lacking, one.c.told_at > by)
    statement = select(Household).join(one, one.c.household_id == col(Household.id)).where(lacking)
    keys = [col(Household.code), col(Household.id)]
    page = await read_page(work, statement, keys, asked.limit, asked.cursor)
    codes = await _building_codes(work, page.items)
    levels = await _levels(work, outage, [household.id for household in page.items])
    shown = [
        MissingHousehold(one.id, one.code, codes[one.building_id], tuple(levels[one.id]))
        for one in page.items
    ]
    return Page(shown, page.next)


async def _building_codes(work: Work, households: Sequence[Household]) -> Mapping[str, str]:
    ids = {household.building_id for household in households}
    rows = await work.session.exec(
        select(Building.id, Building.code).where(col(Building.id).in_(ids))
    )
    return dict(rows.all())


async def _levels(
    work: Work, outage: Outage, household_ids: Sequence[str]
) -> Mapping[str, list[ChannelLevel]]:
    best: dict[tuple[str, str], EvidenceLevel] = {}
    for row in await work.session.execute(_messages(outage, household_ids)):
        key, level = (row.household_id, row.by_channel), level_of(row)
        best[key] = max(best.get(key, level), level, key=_LEVELS.index)
    found: dict[str, list[ChannelLevel]] = defaultdict(list)
    for (household_id, channel), level in sorted(best.items()):
        found[household_id].append(ChannelLevel(channel, level))
    return found


def _messages(outage: Outage, household_ids: Sequence[str]) -> Select[Any]:
    """Select the messages of all revisions to some households."""
    recipient = _RECIPIENT.c
    notices = select_columns(col(Notice.id)).where(col(Notice.outage_id) == outage.id)
    return (
        select_columns(recipient.household_id, recipient.channel.label("by_channel"), *_DELIVERY.c)
        .join(
            _DELIVERY,
            and_(
                _DELIVERY.c.source_id == recipient.notice_id,
                _DELIVERY.c.channel == recipient.channel,
                _DELIVERY.c.address_index == recipient.address_index,
            ),
        )
        .where(
            recipient.notice_id.in_(notices),
            recipient.household_id.in_(household_ids),
            recipient.channel != NO_CHANNEL,
        )
    )
