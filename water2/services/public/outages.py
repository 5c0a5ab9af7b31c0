"""Outages and notices as anybody may see them: nothing of households, people or contacts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from water2.domain.errors import NotFound
from water2.domain.facility import Building, Facility
from water2.domain.folding import CellError, fold
from water2.domain.notice import Notice
from water2.domain.organisation import Utility
from water2.domain.outage import CURRENT, PUBLIC_STATES, Outage, OutageState
from water2.domain.public import PublicNotice, PublicOutage
from water2.services.paging import Page, PageAsked, read_page
from water2.services.public.searching import matches
from water2.services.rows import among
from water2.work import Work

ENDED_SHOWN = timedelta(days=7)
"""Reading: for how long after its end was announced an outage is listed; its notice for good."""
_LONGEST_REVISION, _LONGEST_NUMBER = 4, 60


async def list_public_outages(
    work: Work,
    asked: PageAsked,
    *,
    facility_id: str | None = None,
    q: str | None = None,
    states: Collection[OutageState] | None = None,
) -> Page[PublicOutage]:
    """Return a page of outages now, to come and ended lately, the earliest start first.

    One whose window passed unused is neither; its notice stays.

    Raises:
        Invalid: the cursor is not one of ours, or `q` cannot be read.
    """
    statement = select(Outage).where(*_listed(work, facility_id))
    if asked.utility is not None:
        statement = statement.where(Outage.utility_id == asked.utility)
    if states is not None:
        statement = statement.where(col(Outage.state).in_(states))
    if q:
        statement = statement.join(Facility, col(Facility.id) == Outage.facility_id)
        statement = statement.where(*matches(q))
    keys = [Outage.starts_at, Outage.id]
    page = await read_page(work, statement, keys, asked.limit, asked.cursor)
    return Page(await _shown(work, page.items), page.next)


async def latest_public_outages(
    work: Work, *, facility_id: str | None = None, limit: int
) -> list[PublicOutage]:
    """Return what is listed, the last announced first, as feeds tell it."""
    rows = await work.session.exec(
        select(Outage)
        .where(*_listed(work, facility_id))
        .order_by(col(Outage.announced_at).desc(), col(Outage.id))
        .limit(limit)
    )
    return await _shown(work, rows.all())


def _published() -> list[ColumnElement[bool]]:
    # a draft that was called off has a public state, and was never announced
    return [col(Outage.state).in_(PUBLIC_STATES), col(Outage.revision) > 0]


def _listed(work: Work, facility_id: str | None) -> list[ColumnElement[bool]]:
    lately = or_(col(Outage.state).in_(CURRENT), col(Outage.announced_at) > work.now - ENDED_SHOWN)
    unused = and_(col(Outage.state) == OutageState.published, col(Outage.ends_at) <= work.now)
    here = [] if facility_id is None else [col(Outage.facility_id) == facility_id]
    return [*_published(), lately, ~unused, *here]


async def public_outage(work: Work, number: str) -> PublicOutage:
    """Return a published outage by its number, however long ago it was.

    Raises:
        NotFound: none was published under this number.
    """
    outage = await _by_number(work, _plain(number))
    if outage is None:
        raise NotFound("outage", number[:_LONGEST_NUMBER])
    return outage


async def public_notice(work: Work, number: str) -> tuple[PublicOutage, PublicNotice]:
    """Return the notice of an outage's number, the last revision, or of `{number}-{revision}`.

    Raises:
        NotFound: no such notice was published.
    """
    plain = _plain(number)
    outage = await _by_number(work, plain)
    if outage is not None:
        return outage, outage.latest
    head, _, revision = plain.rpartition("-")
    if revision.isdecimal() and len(revision) <= _LONGEST_REVISION:
        outage = await _by_number(work, head)
        for notice in outage.notices if outage else ():
            if outage and notice.revision == int(revision):
                return outage, notice
    raise NotFound("notice", number[:_LONGEST_NUMBER])


def _plain(number: str) -> str:
    """Return a number as it is kept, however somebody typed it off a poster."""
    try:
        return fold(number).replace(" ", "").upper()
    except CellError:
        return ""


async def _by_number(work: Work, number: str) -> PublicOutage | None:
    rows = await work.session.exec(select(Outage).where(Outage.number == number, *_published()))
    shown = await _shown(work, rows.all())
    return shown[0] if shown else None


@dataclass(frozen=True)
class _Around:
    """What stands around some outages, read at once for all of them."""

    facilities: Mapping[str, Facility]
    utilities: Mapping[str, Utility]
    notices: Mapping[str, Sequence[Notice]]
    codes: Mapping[str, str]

    def named(self, building_ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(self.codes[id_] for id_ in building_ids if id_ in self.codes))

    def shown(self, outage: Outage) -> PublicOutage:
        facility, utility = self.facilities[outage.facility_id], self.utilities[outage.utility_id]
        instants = (outage.announced_at, outage.started_at, outage.restored_at)
        return PublicOutage(
            number=outage.number,
            utility=utility.name,
            timezone=utility.timezone,
            facility_id=facility.id,
            facility=facility.name,
            address=facility.address,
            district=facility.district,
            kind=outage.kind.value,
            state=outage.state.value,
            reason=outage.reason.value,
            buildings=self.named(outage.building_ids),
            starts_at=outage.starts_at,
            ends_at=outage.ends_at,
            started_at=outage.started_at,
            restored_at=outage.restored_at,
            cancelled_at=outage.cancelled_at,
            updated_at=max(at for at in instants if at is not None),
            latitude=_degrees(facility.latitude),
            longitude=_degrees(facility.longitude),
            phone=utility.hotline,
            notices=tuple(self._notice(one) for one in self.notices[outage.id]),
        )

    def _notice(self, notice: Notice) -> PublicNotice:
        return PublicNotice(
            number=notice.number,
            revision=notice.revision,
            kind=notice.kind.value,
            published_at=notice.published_at,
            starts_at=notice.starts_at,
            ends_at=notice.ends_at,
            title_zh=notice.title_zh,
            title_en=notice.title_en,
            text_zh=notice.text_zh,
            text_en=notice.text_en,
            text_sha256=notice.text_sha256,
            buildings=self.named(notice.building_ids),
        )


async def _shown(work: Work, outages: Sequence[Outage]) -> list[PublicOutage]:
    around = await _around(work, outages)
    return [around.shown(outage) for outage in outages]


async def _around(work: Work, outages: Sequence[Outage]) -> _Around:
    facilities = await _by_id(work, Facility, {outage.facility_id for outage in outages})
    utilities = await _by_id(work, Utility, {outage.utility_id for outage in outages})
    rows = await work.session.exec(
        select(Notice)
        .where(among(work, Notice.outage_id, {outage.id for outage in outages}))
        .order_by(Notice.outage_id, col(Notice.revision))
    )
    notices: dict[str, list[Notice]] = defaultdict(list)
    for notice in rows:
        notices[notice.outage_id].append(notice)
    every: list[Outage | Notice] = [
        *outages,
        *(notice for those in notices.values() for notice in those),
    ]
    ids = {id_ for one in every for id_ in one.building_ids}
    buildings = await _by_id(work, Building, ids)
    codes = {id_: building.code for id_, building in buildings.items()}
    return _Around(facilities, utilities, notices, codes)


async def _by_id(work: Work, table: Any, ids: Collection[str]) -> dict[str, Any]:
    if not ids:
        return {}
    rows = await work.session.exec(select(table).where(among(work, table.id, ids)))
    return {row.id: row for row in rows}


def _degrees(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")
