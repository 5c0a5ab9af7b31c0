"""Deliveries as publishing leaves them in the queue, and a gateway that answers as it is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import select

from tests.builders import Installation, a_facility
from water2.domain.delivery import Delivery, DeliverySource, DeliveryState, Endpoint, Lane
from water2.domain.facility import Building, Facility
from water2.domain.household import Household
from water2.domain.ids import new_id
from water2.domain.notice import Notice, NoticeKind, NoticeRecipient
from water2.domain.organisation import Contact
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.services.delivery.claiming import Claimed, claim
from water2.work import Runtime, Work

AT = datetime.fromisoformat("2026-11-23T01:00:00+00:00")  # real time, as the worker reads it
LEASE = timedelta(minutes=2)


@dataclass
class Estate:
    """A facility with one building and a published notice of a planned outage."""

    facility: Facility
    building: Building
    notice: Notice


async def an_estate(work: Work, installation: Installation, code: str = "BY-001") -> Estate:
    utility = installation.utility
    facility = await a_facility(work, utility, code)
    building = Building(utility_id=utility.id, facility_id=facility.id, code="1")
    starts_at = work.now + timedelta(hours=48)
    outage = Outage(
        utility_id=utility.id,
        facility_id=facility.id,
        number=f"OC-{code}",
        kind=OutageKind.planned,
        state=OutageState.published,
        reason=OutageReason.tank_cleaning,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=8),
        created_at=work.now,
        revision=1,
    )
    notice = Notice(
        utility_id=utility.id,
        outage_id=outage.id,
        facility_id=facility.id,
        number=outage.number,
        revision=1,
        kind=NoticeKind.planned,
        published_at=work.now,
        starts_at=starts_at,
        ends_at=outage.ends_at,
        title_zh="计划停水告知",
        title_en="Planned outage",
        text_zh="因水箱清洗，计划停水。",
        text_en="The water is off while the tank is cleaned.",
        short_zh="【瓯城供水】计划停水",
        fields={},
        text_sha256="0" * 64,
        households=1,
    )
    work.session.add_all([building, outage])
    await work.session.flush()
    work.session.add(notice)
    await work.session.flush()
    return Estate(facility, building, notice)


async def another_revision(installation: Installation, estate: Estate) -> None:
    """Publish another revision of the notice, as a change of the outage does."""
    async with installation.runtime.work() as work:
        outage = await work.session.get_one(Outage, estate.notice.outage_id)
        outage.revision += 1
        first = estate.notice.model_dump(exclude={"id", "revision"})
        work.session.add(Notice(**first, revision=outage.revision))


async def a_household(
    work: Work, estate: Estate, room: str, *addresses: tuple[SendingChannel, str]
) -> Household:
    """A household frozen with the notice: its addresses by rank, the first one first."""
    notice = estate.notice
    household = Household(
        utility_id=notice.utility_id,
        facility_id=notice.facility_id,
        building_id=estate.building.id,
        code=f"H{room}",
        room=room,
    )
    work.session.add(household)
    await work.session.flush()
    for rank, (channel, address) in enumerate(addresses):
        work.session.add(
            NoticeRecipient(
                notice_id=notice.id,
                household_id=household.id,
                channel=channel.value,
                address_index=work.contacts.index(address),
                building_id=estate.building.id,
                since_revision=1,
                rank=rank,
            )
        )
    await work.session.flush()
    return household


def a_row(
    work: Work, utility_id: str, source_id: str, address: str, **changes: Any
) -> dict[str, Any]:
    """A delivery's columns: an SMS of a notice that is due now."""
    given: dict[str, Any] = {
        "id": new_id(),
        "utility_id": utility_id,
        "source": DeliverySource.notice,
        "source_id": source_id,
        "channel": SendingChannel.sms,
        "address_index": work.contacts.index(address),
        "sealed": work.contacts.seal(address),
        "lane": Lane.planned.value,
        "state": DeliveryState.ready,
        "due_at": work.now,
        "attempts": 0,
        "lease_token": 0,
    }
    return given | changes


async def queue(work: Work, estate: Estate, *addresses: str, **changes: Any) -> list[str]:
    """Queue the notice to addresses; return the deliveries' ids."""
    notice = estate.notice
    rows = [a_row(work, notice.utility_id, notice.id, one, **changes) for one in addresses]
    await work.session.execute(insert(Delivery), rows)
    return [row["id"] for row in rows]


async def an_endpoint(
    work: Work, utility_id: str, channel: SendingChannel, url: str = "https://robot.example/send"
) -> Endpoint:
    endpoint = Endpoint(
        utility_id=utility_id,
        channel=channel,
        name="群",
        host="robot.example",
        address_index=work.contacts.index(url),
        sealed=work.contacts.seal(url),
        created_at=work.now,
    )
    work.session.add(endpoint)
    await work.session.flush()
    return endpoint


async def a_contact(work: Work, utility_id: str, staff_id: str, channel: str, address: str) -> None:
    work.session.add(
        Contact(
            utility_id=utility_id,
            owner_type="staff",
            owner_id=staff_id,
            channel=channel,
            sealed=work.contacts.seal(address),
            index=work.contacts.index(address),
        )
    )
    await work.session.flush()


async def claimed(
    runtime: Runtime,
    utility_id: str,
    limit: int = 100,
    channel: SendingChannel = SendingChannel.sms,
    at: datetime = AT,
) -> list[Claimed]:
    async with runtime.work() as work:
        return await claim(work, utility_id, channel, limit, leased_until=at + LEASE, at=at)


async def row_of(runtime: Runtime, id_: str) -> Delivery:
    async with runtime.read() as work:
        return (await work.session.exec(select(Delivery).where(Delivery.id == id_))).one()


async def states(runtime: Runtime) -> dict[str, str]:
    async with runtime.read() as work:
        rows = await work.session.exec(select(Delivery.id, Delivery.state))
        return {id_: state.value for id_, state in rows}


Answer = Callable[[Message], Awaitable[Reply]]


async def accepting(_message: Message) -> Reply:
    return Reply(Outcome.accepted, "OK", body_sha256="1" * 64)


@dataclass
class RecordingGateway:
    """A way out that notes what it is given: what a provider is to the worker."""

    channel: SendingChannel = SendingChannel.sms
    connections: int = 100
    answer: Answer = accepting
    known: Callable[[Message], Reply | None] = lambda _message: None
    latency: float = 0.0
    sent: list[Message] = field(default_factory=list)
    asked: list[Message] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def send(self, message: Message) -> Reply:
        self.sent.append(message)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self.answer(message)
        finally:
            self.under_way -= 1

    async def ask(self, message: Message) -> Reply | None:
        self.asked.append(message)
        return self.known(message)

    async def close(self) -> None:
        """Nothing is open."""

    def addresses(self) -> Sequence[str]:
        return [message.address for message in self.sent]


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it is so."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("it did not come about")
