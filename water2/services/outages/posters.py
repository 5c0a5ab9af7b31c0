"""Posters (张贴): evidence for a building, and the task of hanging one where it is needed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pydantic import Field
from sqlalchemy import func, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Building
from water2.domain.notice import Notice
from water2.domain.outage import Outage, OutageState, Poster
from water2.domain.staff import Staff
from water2.rules.notice import told_by
from water2.services.assignments import people_by_code
from water2.services.evidence_files import keep_photo, read_base64
from water2.services.instants import Instant, read_instant
from water2.services.lateness import lateness_of
from water2.services.outages.announcing import last_notice
from water2.services.outages.standing import Standing, record_outage, stand
from water2.services.outages.told import delivered_required, told_instants
from water2.services.rows import fetch
from water2.work import Work

_BUILDING = cast("Any", Building).__table__.c
WAITING = (OutageState.published, OutageState.in_effect)


class RecordPoster(Command):
    """A notice hung at a building's door. `photo`: JPEG, PNG or WebP in base64.

    `posted_by` is a 工号: whoever is signed in, where that account is tied to a person.
    """

    building_id: Code
    posted_at: Instant
    posted_by: Code | None = None
    photo: str | None = Field(default=None, max_length=14_000_000)
    late_reason: str | None = Field(default=None, max_length=500)


@dataclass(frozen=True)
class PosterTask:
    """A building where a poster must hang: `missing` households are not told by `hang_by`."""

    outage: Outage
    building: Building
    missing: int
    hang_by: datetime | None


async def record_poster(
    work: Work, id_: str, command: RecordPoster, photo: bytes | None = None
) -> Poster:
    """Record a poster; it counts from when it was hung, for the notice that stood then.

    The same poster again adds what it lacked: photo, person, reason.

    Raises:
        Invalid: the building is not of the extent, or no notice was published when it was hung.
        Conflict: the outage was never published.
    """
    work.require(Action.run_outages)
    standing = await stand(work, id_, lock=True)
    outage = standing.outage
    if not outage.revision:
        raise Conflict("outage_state", {"state": outage.state.value})
    building = await _building(work, standing, command.building_id)
    at = read_instant(command.posted_at, standing.utility.timezone)
    notice = await _notice_at(work, outage, at)
    poster = await _known(work, outage, building, at)
    held = _held(poster) if poster is not None else None
    if poster is None:
        named = command.posted_by is not None
        poster = _poster(work, standing, building, notice, at, named=named)
    await _complete(work, standing, command, photo, poster)
    if _held(poster) != held:
        work.session.add(poster)
        _record(work, standing, poster, "poster.completed" if held else "poster.recorded")
    return poster


def _held(poster: Poster) -> tuple[str | None, ...]:
    return poster.photo_sha256, poster.posted_by, poster.late_reason


async def _complete(
    work: Work, standing: Standing, command: RecordPoster, photo: bytes | None, poster: Poster
) -> None:
    """Add what a poster lacks; what it has stays."""
    content = read_base64(command.photo, "photo") if command.photo else photo
    if content is not None and poster.photo_sha256 is None:
        poster.photo_sha256 = await keep_photo(work, poster.utility_id, content)
    if poster.posted_by is None and command.posted_by is not None:
        people: list[Staff] = await people_by_code(work, standing.utility, [command.posted_by])
        poster.posted_by = people[0].id
    if poster.late_reason is None:
        late = lateness_of(standing.book, poster.posted_at, poster.recorded_at, command.late_reason)
        poster.late_reason, poster.flags = late.reason, list(late.flags)


async def _building(work: Work, standing: Standing, id_or_code: str) -> Building:
    rows = await work.session.exec(
        select(Building).where(
            Building.facility_id == standing.facility.id,
            or_(col(Building.id) == id_or_code, col(Building.code) == id_or_code),
        )
    )
    building = rows.first()
    within = standing.outage.building_ids
    if building is None or (within and building.id not in within):
        raise Invalid.one("building_id", "unknown_building", id_or_code)
    return building


async def _notice_at(work: Work, outage: Outage, at: datetime) -> Notice:
    """Return the notice that stood when a poster was hung: it shows no later one."""
    if at > work.now:
        raise Invalid.one("posted_at", "in_future", at.isoformat())
    rows = await work.session.exec(
        select(Notice)
        .where(Notice.outage_id == outage.id, col(Notice.published_at) <= at)
        .order_by(col(Notice.revision).desc())
        .limit(1)
    )
    notice = rows.first()
    if notice is None:
        raise Invalid.one("posted_at", "before_publishing", at.isoformat())
    return notice


async def _known(work: Work, outage: Outage, building: Building, at: datetime) -> Poster | None:
    rows = await work.session.exec(
        select(Poster).where(
            Poster.outage_id == outage.id,
            Poster.building_id == building.id,
            Poster.posted_at == at,
        )
    )
    return rows.first()


def _poster(
    work: Work,
    standing: Standing,
    building: Building,
    notice: Notice,
    at: datetime,
    *,
    named: bool,
) -> Poster:
    """Return a new poster; whoever records it hung it, unless somebody is named."""
    return Poster(
        utility_id=standing.utility.id,
        outage_id=standing.outage.id,
        building_id=building.id,
        revision=notice.revision,
        posted_at=at,
        posted_by=None if named else work.actor.staff_id,
        recorded_by=work.actor.user_id,
        recorded_at=work.now,
    )


def _record(work: Work, standing: Standing, poster: Poster, type_: str) -> None:
    record_outage(
        work,
        standing,
        type_,
        poster=poster.id,
        building=poster.building_id,
        posted_at=poster.posted_at.isoformat(),
        by=poster.posted_by,
        revision=poster.revision,
        photo=poster.photo_sha256,
        late_reason_given=poster.late_reason is not None,
        flags=[str(flag) for flag in poster.flags],
    )


async def posters_of(work: Work, outage: Outage) -> list[Poster]:
    """Return the posters of an outage, in the order they were hung."""
    rows = await work.session.exec(
        select(Poster)
        .where(Poster.outage_id == outage.id)
        .order_by(col(Poster.posted_at), Poster.id)
    )
    return list(rows)


async def poster_tasks(work: Work, id_: str) -> list[PosterTask]:
    """Return the buildings of an outage whose households are not all told, the fullest first.

    Those without any address, those whose messages failed, and those whose messages are still
    under way: whoever is at the door can spare the doubt.
    """
    work.require(Action.read)
    standing = await stand(work, id_)
    outage = standing.outage
    latest = await last_notice(work, outage, announcing=True)
    if latest is None or outage.state not in WAITING:
        return []
    one = told_instants(outage, latest, delivered=delivered_required(standing)).subquery()
    rows = await work.session.execute(
        select_columns(one.c.building_id, func.count())
        .where(one.c.told_at.is_(None))
        .group_by(one.c.building_id)
        .order_by(func.count().desc(), one.c.building_id)
    )
    by = told_by(standing.demand, outage.starts_at) if standing.planned else None
    return [
        PosterTask(outage, await fetch(work, Building, building_id), missing, by)
        for building_id, missing in rows
    ]


async def all_poster_tasks(work: Work, utility_ids: tuple[str, ...]) -> list[PosterTask]:
    """Return the poster tasks of every outage that is announced or in effect."""
    work.require(Action.read)
    rows = await work.session.exec(
        select(Outage.id)
        .where(col(Outage.utility_id).in_(utility_ids), col(Outage.state).in_(WAITING))
        .order_by(col(Outage.starts_at), Outage.id)
    )
    return [task for id_ in rows.all() for task in await poster_tasks(work, id_)]
