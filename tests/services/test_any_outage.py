"""Any course of acts on an outage: whatever people do, no water stops untold.

An oracle beside the database keeps what was announced and who was told, in plain Python, and says
after each act whether the water may be off.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from tests.estate import FLATS, Estate, an_estate
from water2.domain.delivery import Delivery, DeliveryState
from water2.domain.errors import Conflict, Invalid, RuleViolation
from water2.domain.notice import Notice
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.services.outages.changing import (
    ExtendOutage,
    RescheduleOutage,
    extend_outage,
    reschedule_outage,
)
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.posters import RecordPoster, record_poster
from water2.services.outages.standing import stand
from water2.services.outages.told import who_is_told
from water2.services.outages.transitions import (
    CancelOutage,
    RestoreSupply,
    cancel_outage,
    publish_outage,
    restore_supply,
    start_outage,
)

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
NUMBERS = count(1)
LAWFUL = {
    "draft": {"draft", "published", "cancelled"},
    "published": {"published", "in_effect", "cancelled"},
    "in_effect": {"in_effect", "restored"},
    "restored": {"restored"},
    "cancelled": {"cancelled"},
}
ACTS = (
    "publish",
    "accept",
    "fail",
    "hang 1",
    "hang 2",
    "tell",
    "due",
    "due",
    "earlier",
    "later",
    "wider",
    "longer",
    "start",
    "start",
    "restore",
    "cancel",
    "wait 1",
    "wait 6",
    "wait 25",
)


Flat = tuple[str, str]


@dataclass(frozen=True)
class Word:
    """That a flat was told of a revision at an instant, by an address or a poster."""

    flat: Flat
    revision: int
    at: datetime
    by: str


@dataclass
class Oracle:
    """Which buildings are concerned, since which revision each flat is, and who was told."""

    buildings: set[str]
    since: dict[Flat, int] = field(default_factory=dict)
    told: list[Word] = field(default_factory=list)

    def flats(self):
        return [(b, r) for b, r, _, _ in FLATS if b in self.buildings]

    def announced(self, revision: int, *, earlier: bool) -> None:
        for flat in self.flats():
            if earlier or flat not in self.since:
                self.since[flat] = revision

    def in_time(self, starts_at: datetime) -> int:
        return sum(
            any(
                word.flat == flat and word.revision >= self.since[flat]
                for word in self.told
                if word.at <= starts_at - DAY
            )
            for flat in self.flats()
        )


@dataclass
class Course:
    """One outage, its oracle, and the acts on it."""

    lishui: object
    clock: object
    estate: Estate
    outage: Outage
    oracle: Oracle

    async def act(self, use_case, *arguments):
        async with self.lishui.runtime.work(self.lishui.manager) as work:
            self.outage = await use_case(work, self.outage.id, *arguments)

    async def take(self, name: str) -> None:
        before, starts_at = self.outage.revision, self.outage.starts_at
        buildings = set(self.oracle.buildings)
        try:
            verb, *arguments = name.split()
            await getattr(self, verb)(*arguments)
        except (RuleViolation, Conflict, Invalid):
            self.oracle.buildings = buildings
        if self.outage.revision > before and self.outage.state.value in ("published", "in_effect"):
            self.oracle.announced(
                self.outage.revision, earlier=before > 0 and self.outage.starts_at < starts_at
            )

    async def publish(self):
        await self.act(publish_outage)

    async def earlier(self):
        await self.move(-2 * HOUR)

    async def later(self):
        await self.move(5 * HOUR)

    async def move(self, by):
        starts_at = self.outage.starts_at + by
        command = RescheduleOutage(starts_at=starts_at, ends_at=starts_at + 4 * HOUR)
        await self.act(reschedule_outage, command)

    async def wider(self):
        self.oracle.buildings = {"1幢", "2幢"}
        await self.act(extend_outage, ExtendOutage(building_ids=["1幢", "2幢"]))

    async def longer(self):
        await self.act(extend_outage, ExtendOutage(ends_at=self.outage.ends_at + HOUR))

    async def start(self):
        await self.act(start_outage)

    async def restore(self):
        await self.act(restore_supply, RestoreSupply())

    async def cancel(self):
        await self.act(cancel_outage, CancelOutage(reason="改期"))

    async def wait(self, hours):
        self.clock.set(self.clock.now + int(hours) * HOUR)

    async def due(self):
        self.clock.set(max(self.clock.now, self.outage.starts_at))

    async def tell(self):
        await self.accept()
        await self.hang("1")
        await self.hang("2")

    async def hang(self, number):
        building = f"{number}幢"
        async with self.lishui.runtime.work(self.lishui.crew) as work:
            command = RecordPoster(building_id=building, posted_at=work.now)
            poster = await record_poster(work, self.outage.id, command)
        for flat in self.oracle.flats():
            if flat[0] == building:
                self.oracle.told.append(Word(flat, poster.revision, poster.posted_at, "poster"))

    async def accept(self):
        await self.settle(DeliveryState.ready, failed=False)

    async def fail(self):
        await self.settle(DeliveryState.done, failed=True)

    async def settle(self, state, *, failed):
        """Let the provider accept all that is ready, or fail all it accepted."""
        async with self.lishui.runtime.work() as work:
            rows = await work.session.exec(
                select(Delivery, Notice)
                .join(Notice, Notice.id == Delivery.source_id)
                .where(Notice.outage_id == self.outage.id, Delivery.state == state)
            )
            for delivery, notice in rows.all():
                if failed:
                    delivery.failed_at, delivery.state = work.now, DeliveryState.dead
                else:
                    delivery.accepted_at, delivery.state = work.now, DeliveryState.done
                work.session.add(delivery)
                self.note(work, delivery, notice, failed=failed)

    def note(self, work, delivery, notice, *, failed):
        if notice.kind.value in ("cancelled", "restored"):
            return
        address = work.contacts.open(delivery.sealed)
        for building, room, phone, mail in FLATS:
            if address not in (phone, mail) or building not in self.oracle.buildings:
                continue
            flat = (building, room)
            self.oracle.told = [
                one
                for one in self.oracle.told
                if (one.flat, one.revision, one.by) != (flat, notice.revision, address)
            ]
            if not failed:
                self.oracle.told.append(Word(flat, notice.revision, work.now, address))


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.sampled_from(ACTS), min_size=4, max_size=14))
async def test_no_water_stops_untold_whatever_is_done(lishui, clock, steps):
    clock.set(NOW)
    estate = await an_estate(lishui, f"P-{next(NUMBERS)}")
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        reason=OutageReason.equipment_repair,
        starts_at=NOW + 30 * HOUR,
        ends_at=NOW + 34 * HOUR,
        building_ids=["1幢"],
    )
    async with lishui.runtime.work(lishui.manager) as work:
        outage = await create_outage(work, command)
    course = Course(lishui, clock, estate, outage, Oracle({"1幢"}))
    for step in ("publish", *steps):
        state = course.outage.state.value
        await course.take(step)
        assert course.outage.state.value in LAWFUL[state]
        await compare(course, began=state != "in_effect")


async def compare(course: Course, *, began: bool) -> None:
    """Hold what the database says of who is told against the oracle."""
    outage = course.outage
    if not outage.revision or outage.state in (OutageState.cancelled, OutageState.restored):
        return
    async with course.lishui.runtime.read() as work:
        told = await who_is_told(work, await stand(work, outage.id))
    flats = course.oracle.flats()
    assert (told.households, told.in_time) == (len(flats), course.oracle.in_time(outage.starts_at))
    if outage.state is OutageState.in_effect and began:
        assert told.in_time == told.households
        assert outage.started_at >= outage.starts_at
