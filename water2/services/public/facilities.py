"""Estates as their residents look for them: facilities in use, and nothing of who lives there."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import col, select

from water2.domain.errors import NotFound
from water2.domain.facility import Building, Facility
from water2.domain.organisation import Utility
from water2.domain.public import PublicEstate, PublicOutage
from water2.services.paging import Page, PageAsked, read_page
from water2.services.public.outages import list_public_outages
from water2.services.public.searching import matches
from water2.services.rows import among
from water2.work import Work

MOST_OUTAGES = 100  # of one estate in a week; more are on no page
MOST_HOTLINES = 20


@dataclass(frozen=True)
class EstateView:
    """An estate with its buildings' codes and its outages, the earliest start first."""

    estate: PublicEstate
    buildings: tuple[str, ...]
    outages: tuple[PublicOutage, ...]


@dataclass(frozen=True)
class Hotline:
    """The telephone of a utility, which answers whether a notice is its own."""

    utility: str
    phone: str


async def find_estates(work: Work, q: str | None, asked: PageAsked) -> Page[PublicEstate]:
    """Return a page of the estates that a question finds, by code; of all without one.

    Raises:
        Invalid: the cursor is not one of ours, or `q` cannot be read.
    """
    statement = select(Facility).where(col(Facility.out_of_use_on).is_(None), *matches(q or ""))
    if asked.utility is not None:
        statement = statement.where(Facility.utility_id == asked.utility)
    keys = [Facility.code, Facility.id]
    page = await read_page(work, statement, keys, asked.limit, asked.cursor)
    utilities = await _utilities(work, {facility.utility_id for facility in page.items})
    return Page([_estate(one, utilities[one.utility_id]) for one in page.items], page.next)


async def estate(work: Work, id_: str) -> EstateView:
    """Return an estate with its outages now, to come and ended lately.

    Raises:
        NotFound: there is no such facility, or it is out of use.
    """
    facility = await facility_in_use(work, id_)
    utilities = await _utilities(work, {facility.utility_id})
    codes = await work.session.exec(
        select(Building.code).where(Building.facility_id == id_).order_by(Building.code)
    )
    page = await list_public_outages(work, PageAsked(limit=MOST_OUTAGES), facility_id=id_)
    found = _estate(facility, utilities[facility.utility_id])
    return EstateView(found, tuple(codes), tuple(page.items))


async def facility_in_use(work: Work, id_: str) -> Facility:
    """Return a facility that residents may still know.

    Raises:
        NotFound: there is none, or it is out of use.
    """
    rows = await work.session.exec(
        select(Facility).where(Facility.id == id_, col(Facility.out_of_use_on).is_(None))
    )
    found = rows.first()
    if found is None:
        raise NotFound("facility", id_)
    return found


async def hotlines(work: Work) -> list[Hotline]:
    """Return the telephones of the utilities that have one, by name."""
    rows = await work.session.exec(
        select(Utility.name, Utility.hotline)
        .where(col(Utility.hotline).is_not(None))
        .order_by(Utility.name, Utility.id)
        .limit(MOST_HOTLINES)
    )
    return [Hotline(name, phone) for name, phone in rows if phone]


async def _utilities(work: Work, ids: Collection[str]) -> dict[str, Utility]:
    rows = await work.session.exec(select(Utility).where(among(work, Utility.id, ids)))
    return {utility.id: utility for utility in rows}


def _estate(facility: Facility, utility: Utility) -> PublicEstate:
    return PublicEstate(
        id=facility.id,
        code=facility.code,
        name=facility.name,
        address=facility.address,
        district=facility.district,
        utility=utility.name,
        timezone=utility.timezone,
        phone=utility.hotline,
    )
