"""Claiming: who gets what, in which order, and what is never given to anybody."""

import asyncio
from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import text

from tests.delivery.builders import AT, LEASE, an_endpoint, claimed, queue, row_of, states
from water2.domain.delivery import ChannelStop, DeliveryState, Lane
from water2.domain.sending import SendingChannel
from water2.services.delivery import claiming
from water2.services.delivery.claiming import claim
from water2.services.delivery.statements import Statement


async def test_a_claim_leases_what_is_due_and_counts_the_attempt(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, "13900000001")
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    row = await row_of(lishui.runtime, id_)
    assert (got.id, got.attempts, got.lease_token) == (id_, 1, 1)
    assert (row.state, row.attempted_at, row.leased_until) == (DeliveryState.leased, AT, AT + LEASE)


async def test_what_is_not_due_is_left(lishui, estate, clock):
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13900000001", due_at=work.now + timedelta(seconds=1))
    assert await claimed(lishui.runtime, lishui.utility.id) == []
    clock.set(clock.now + timedelta(seconds=1))
    assert len(await claimed(lishui.runtime, lishui.utility.id)) == 1


async def test_emergencies_come_first_and_then_the_oldest(lishui, estate):
    async with lishui.runtime.work() as work:
        due = [work.now - timedelta(minutes=n) for n in (1, 2, 3)]
        (late,) = await queue(work, estate, "13900000001", due_at=due[0])
        (early,) = await queue(work, estate, "13900000002", due_at=due[2])
        (urgent,) = await queue(work, estate, "13900000003", lane=Lane.emergency.value)
    order = [(await claimed(lishui.runtime, lishui.utility.id, 1))[0].id for _ in range(3)]
    assert order == [urgent, early, late]


async def test_another_channel_and_another_utility_get_nothing_of_it(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13900000001")
    assert await claimed(lishui.runtime, lishui.utility.id, channel=SendingChannel.mail) == []
    assert await claimed(lishui.runtime, "another") == []


async def test_a_stopped_channel_gives_nothing(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13900000001")
        work.session.add(
            ChannelStop(
                utility_id=lishui.utility.id,
                channel=SendingChannel.sms,
                code="isv.SIGN",
                stopped_at=work.now,
            )
        )
    assert await claimed(lishui.runtime, lishui.utility.id) == []


async def test_what_is_useless_expires_and_is_told_the_ledger(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, "13900000001", expires_at=work.now)
        (other,) = await queue(
            work, estate, "13900000002", expires_at=work.now + timedelta(seconds=1)
        )
    assert [one.id for one in await claimed(lishui.runtime, lishui.utility.id)] == [other]
    row = await row_of(lishui.runtime, id_)
    assert (row.state, row.attempts, row.attempted_at) == (DeliveryState.expired, 0, None)
    async with lishui.runtime.read() as work:
        told = await work.session.execute(
            text("SELECT body FROM ledger_entry WHERE type = 'deliveries.settled'")
        )
        assert b'"expired":1' in told.scalar_one()


async def test_two_workers_never_get_the_same_row(lishui, estate):
    async with lishui.runtime.work() as work:
        ids = await queue(work, estate, *(f"1390000{n:04}" for n in range(60)))

    async def drain() -> list[str]:
        got: list[str] = []
        while batch := await claimed(lishui.runtime, lishui.utility.id, 7):
            got += [one.id for one in batch]
        return got

    taken = [*chain(*await asyncio.gather(drain(), drain(), drain()))]
    assert sorted(taken) == sorted(ids)
    assert set((await states(lishui.runtime)).values()) == {"leased"}


@pytest.mark.parametrize(
    ("channel", "most"),
    [(SendingChannel.dingtalk, 20), (SendingChannel.wecom, 20), (SendingChannel.feishu, 5)],
)
async def test_a_robot_speaks_no_more_often_than_it_may(lishui, estate, channel, most):
    async with lishui.runtime.work() as work:
        robot = await an_endpoint(work, lishui.utility.id, channel)
        given = {"channel": channel, "endpoint_id": robot.id}
        await queue(work, estate, *(str(n) for n in range(120)), **given)
    taken = await asyncio.gather(
        *(claimed(lishui.runtime, lishui.utility.id, channel=channel) for _ in range(2))
    )
    assert len([*chain(*taken)]) == most
    later = await claimed(lishui.runtime, lishui.utility.id, channel=channel, at=AT + LEASE)
    assert len(later) == most


async def test_a_feishu_robot_has_a_limit_for_the_minute_too(lishui, estate):
    async with lishui.runtime.work() as work:
        robot = await an_endpoint(work, lishui.utility.id, SendingChannel.feishu)
        given = {"channel": SendingChannel.feishu, "endpoint_id": robot.id}
        await queue(work, estate, *(str(n) for n in range(120)), **given)
    counts = [
        len(
            await claimed(
                lishui.runtime,
                lishui.utility.id,
                channel=SendingChannel.feishu,
                at=AT + timedelta(seconds=2 * n),
            )
        )
        for n in range(25)
    ]
    assert sum(counts) == 100


async def test_a_claim_reads_the_index_of_what_is_ready(lishui, estate, monkeypatch):
    """However many are not due: one range for each lane."""
    async with lishui.runtime.work() as work:
        for start in range(0, 2000, 500):
            later = work.now + timedelta(hours=8)
            addresses = (f"139{n:08}" for n in range(start, start + 500))
            await queue(work, estate, *addresses, due_at=later)
    async with lishui.runtime.work() as work:
        if lishui.runtime.database.dialect == "postgresql":
            await work.session.execute(text("ANALYZE delivery"))
        explained = Statement(
            f"EXPLAIN {claiming.CLAIM.postgresql}",
            f"EXPLAIN QUERY PLAN {claiming.CLAIM.sqlite}",
            claiming.CLAIM.instants,
        )
        lines: list[str] = []

        class Explaining:
            async def run(self, work, **values):
                found = await explained.run(work, **values)
                lines.extend(str(row[-1]) for row in found.all())
                return await claiming_statement.run(work, **values)

        claiming_statement = claiming.CLAIM
        monkeypatch.setattr(claiming, "CLAIM", Explaining())
        await claim(
            work,
            lishui.utility.id,
            SendingChannel.sms,
            100,
            leased_until=AT + LEASE,
            at=AT,
        )
    plan = "\n".join(lines)
    assert "ix_delivery_ready" in plan
    assert "Seq Scan on delivery" not in plan
    assert "SCAN delivery" not in plan
    assert "ORDER BY" not in plan  # SQLite sorts nothing
