"""The proof of an outage: what was announced, to whom, who was told when and how, and its receipts.

It can be handed to anyone: addresses are masked, households bear their random ids, and every act
names the ledger's entry it stands in.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import and_
from sqlalchemy import select as select_columns
from sqlmodel import select

from water2.domain.contacts import masked
from water2.domain.delivery import NO_CHANNEL, Delivery
from water2.domain.evidence import Evidence, level_of
from water2.domain.facility import Building
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.outage import Poster
from water2.rules.notice import Told
from water2.services.outages.announcing import ENDS, last_notice
from water2.services.outages.listing import notices_of
from water2.services.outages.posters import posters_of
from water2.services.outages.proof_entries import (
    BatchProof,
    EntryProof,
    batches_of,
    entries_about,
)
from water2.services.outages.standing import Standing, stand
from water2.services.outages.told import (
    delivered_required,
    told_by_when,
    told_instants,
    who_is_told,
)
from water2.work import Work

_RECIPIENT = cast("Any", NoticeRecipient).__table__
_DELIVERY = cast("Any", Delivery).__table__
POSTER, NONE = "poster", "none"


@dataclass(frozen=True)
class Message:
    """One message to one of a household's addresses, and what the provider said of it.

    `announces`: its revision tells of an outage to come; `told_at`: what it proves, if anything.
    """

    revision: int
    announces: bool
    told_at: datetime | None
    channel: str
    address: str
    level: str
    accepted_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    attempts: int
    code: str | None
    reply_sha256: str | None
    delivery: str


@dataclass(frozen=True)
class HouseholdProof:
    """A frozen household: since which revision it is concerned, and whether it is told."""

    household: str
    building: str
    since_revision: int
    told_at: datetime | None
    in_time: bool
    level: str
    channel: str | None
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class OutageProof:
    """All of it."""

    standing: Standing
    told: Told
    told_by: datetime | None
    delivered_required: bool
    notices: tuple[Notice, ...]
    households: tuple[HouseholdProof, ...]
    posters: tuple[Poster, ...]
    batches: tuple[BatchProof, ...]
    entries: tuple[EntryProof, ...]


async def prove_outage(work: Work, id_: str) -> OutageProof:
    """Return the proof of an outage as it stands now."""
    standing = await stand(work, id_)
    outage = standing.outage
    notices = await notices_of(work, outage)
    sources = [notice.id for notice in notices]
    return OutageProof(
        standing=standing,
        told=await who_is_told(work, standing),
        told_by=told_by_when(standing, work.now),
        delivered_required=delivered_required(standing),
        notices=tuple(notices),
        households=tuple(await _households(work, standing, notices)),
        posters=tuple(await posters_of(work, outage)),
        batches=tuple(await batches_of(work, sources)),
        entries=tuple(await entries_about(work, standing, sources)),
    )


async def _households(
    work: Work, standing: Standing, notices: Sequence[Notice]
) -> list[HouseholdProof]:
    outage = standing.outage
    latest = await last_notice(work, outage, announcing=True)
    if latest is None:
        return []
    by = told_by_when(standing, work.now)
    rows = await work.session.execute(
        told_instants(outage, latest, delivered=delivered_required(standing))
    )
    messages = await _messages(work, standing, notices)
    codes = await _building_codes(work, standing)
    found = [
        _household(row, messages.get(row.household_id, ()), by, codes.get(row.building_id, ""))
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.building, one.household))


def _household(
    row: Any, messages: Sequence[Message], by: datetime | None, building: str
) -> HouseholdProof:
    told_at = row.told_at
    counting = [one for one in messages if one.announces and one.revision >= row.since_revision]
    proving = [one for one in counting if told_at is not None and one.told_at == told_at]
    best = max(counting, key=lambda message: _ORDER.index(message.level), default=None)
    by_poster = told_at is not None and not proving
    level = POSTER if by_poster else best.level if best else NONE
    return HouseholdProof(
        household=row.household_id,
        building=building,
        since_revision=row.since_revision,
        told_at=told_at,
        in_time=told_at is not None and (by is None or told_at <= by),
        level=level,
        channel=POSTER if by_poster else proving[0].channel if proving else None,
        messages=tuple(messages),
    )


_ORDER = ("none", "queued", "attempted", "accepted", "delivered", "acknowledged")


async def _messages(
    work: Work, standing: Standing, notices: Sequence[Notice]
) -> dict[str, list[Message]]:
    """Return the messages of each household, addresses masked."""
    by_id = {notice.id: notice for notice in notices}
    required = delivered_required(standing)
    joined = and_(
        _DELIVERY.c.source_id == _RECIPIENT.c.notice_id,
        _DELIVERY.c.channel == _RECIPIENT.c.channel,
        _DELIVERY.c.address_index == _RECIPIENT.c.address_index,
    )
    rows = await work.session.execute(
        select_columns(_RECIPIENT.c.household_id, *_DELIVERY.c)
        .join(_DELIVERY, joined)
        .where(_RECIPIENT.c.notice_id.in_(list(by_id)), _RECIPIENT.c.channel != NO_CHANNEL)
        .order_by(_RECIPIENT.c.household_id, _RECIPIENT.c.rank, _DELIVERY.c.id)
    )
    shown: dict[bytes, str] = {}
    found: dict[str, list[Message]] = defaultdict(list)
    for row in rows:
        if row.address_index not in shown:
            shown[row.address_index] = masked(work.contacts.open(row.sealed))
        address = shown[row.address_index]
        found[row.household_id].append(_message(row, by_id[row.source_id], address, required))
    return found


def _message(row: Any, notice: Notice, address: str, required: bool) -> Message:
    evidence = Evidence(row.accepted_at, row.delivered_at, row.failed_at)
    return Message(
        revision=notice.revision,
        announces=notice.kind not in ENDS,
        told_at=evidence.told_at(required) or row.acknowledged_at,
        channel=row.channel.value,
        address=address,
        level=level_of(row).value,
        accepted_at=row.accepted_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        attempts=row.attempts,
        code=row.code,
        reply_sha256=row.reply_sha256,
        delivery=row.id,
    )


async def _building_codes(work: Work, standing: Standing) -> Mapping[str, str]:
    rows = await work.session.exec(
        select(Building.id, Building.code).where(Building.facility_id == standing.facility.id)
    )
    return dict(rows.all())
