"""The worker: sends all that is due, once, by lanes, within limits, whatever breaks meanwhile."""

import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from tests.delivery.builders import (
    AT,
    RecordingGateway,
    a_household,
    accepting,
    an_endpoint,
    an_estate,
    claimed,
    queue,
    row_of,
    states,
    until,
)
from water2.clock import wall_clock
from water2.domain.delivery import Delivery, DeliveryState, Lane
from water2.domain.sending import Outcome, Reply, SendingChannel
from water2.services.delivery import pump
from water2.services.delivery.worker import (
    Delivered,
    DeliveryWorker,
    anything_to_deliver,
)

MANY = [f"139{n:08}" for n in range(300)]


def a_worker(runtime, *gateways, wall=lambda: AT, cap=100, **changes):
    by_channel = {gateway.channel: gateway for gateway in gateways}
    given = {"wall": wall, "public_url": "https://water.example", "daily_cap": cap} | changes
    return DeliveryWorker(runtime, by_channel, **given)


async def test_all_that_is_due_is_sent_once_and_is_evidence(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY)
    gateway = RecordingGateway(latency=0.005)
    done = await a_worker(lishui.runtime, gateway).run_once()
    assert done == Delivered(accepted=len(MANY))
    assert sorted(gateway.addresses()) == MANY
    assert gateway.most_under_way == gateway.connections
    assert set((await states(lishui.runtime)).values()) == {"done"}


async def test_an_idle_worker_has_nothing_to_do(lishui, estate, clock):
    gateway = RecordingGateway()
    worker = a_worker(lishui.runtime, gateway)
    assert not await anything_to_deliver(lishui.runtime, AT)
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY[:2], due_at=work.now + timedelta(hours=1))
    assert await worker.run_once() == Delivered()
    clock.set(clock.now + timedelta(hours=1))
    assert await anything_to_deliver(lishui.runtime, AT)
    assert (await worker.run_once()).accepted == 2


async def test_two_workers_at_once_send_nothing_twice_and_lose_nothing(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY)
    gateways = [RecordingGateway(latency=0.002) for _ in range(2)]
    done = await asyncio.gather(*(a_worker(lishui.runtime, one).run_once() for one in gateways))
    assert sorted(gateways[0].addresses() + gateways[1].addresses()) == MANY
    assert sum(one.accepted for one in done) == len(MANY)


async def test_an_emergency_waits_for_a_connection_alone_however_much_is_claimed(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY)
    gateway = RecordingGateway(latency=1, connections=20)
    worker = asyncio.create_task(a_worker(lishui.runtime, gateway).run_once())
    await until(lambda: gateway.under_way == 20)
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13911111111", lane=Lane.emergency.value)
    await until(lambda: "13911111111" in gateway.addresses())
    assert gateway.addresses().index("13911111111") <= 2 * 20  # in the turn after this one
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_an_emergency_overtakes_a_bulk(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *(f"138{n:08}" for n in range(3000)))
    gateway = RecordingGateway(latency=0.05, connections=20)
    worker = asyncio.create_task(a_worker(lishui.runtime, gateway).run_once())
    await until(lambda: len(gateway.sent) >= 100)
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13911111111", lane=Lane.emergency.value)
    before = len(gateway.sent)
    await until(lambda: "13911111111" in gateway.addresses())
    assert len(gateway.sent) - before < 200
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_channel_that_had_nothing_begins_while_another_is_busy(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY[:200])
    slow = RecordingGateway(latency=0.1, connections=5)
    mail = RecordingGateway(SendingChannel.mail)
    worker = asyncio.create_task(a_worker(lishui.runtime, slow, mail).run_once())
    await until(lambda: slow.sent)
    async with lishui.runtime.work() as work:
        await queue(work, estate, "a@example.com", channel=SendingChannel.mail)
    await asyncio.sleep(1.5)
    assert mail.addresses() == ["a@example.com"]
    assert not worker.done()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_channel_without_a_gateway_waits_and_the_next_one_opens(lishui, estate, clock):
    mail = SendingChannel.mail
    async with lishui.runtime.work() as work:
        addresses = (SendingChannel.sms, MANY[0]), (mail, "a@example.com")
        await a_household(work, estate, "101", *addresses)
        (first,) = await queue(work, estate, MANY[0])
        due_at = work.now + timedelta(hours=18)
        held = {"state": DeliveryState.held, "due_at": due_at, "channel": mail}
        (second,) = await queue(work, estate, "a@example.com", **held)
    gateway = RecordingGateway(mail)
    worker = a_worker(lishui.runtime, gateway)
    assert await worker.run_once() == Delivered()
    clock.set(due_at)
    assert (await worker.run_once()).accepted == 1
    now = await states(lishui.runtime)
    assert (now[first], now[second]) == ("ready", "done")


async def test_a_gateway_that_raises_leaves_doubt_and_no_address_in_the_log(lishui, estate, caplog):
    async def raising(message):
        raise RuntimeError(f"no way to {message.address}")

    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, MANY[0])
    with caplog.at_level(logging.DEBUG):
        done = await a_worker(lishui.runtime, RecordingGateway(answer=raising)).run_once()
    assert done.in_doubt == 1
    assert id_ in caplog.text
    assert MANY[0] not in caplog.text


async def test_no_transaction_is_open_while_a_message_is_sent(lishui, estate):
    async def writing(message):
        async with asyncio.timeout(5), lishui.runtime.work() as work:
            held = await work.session.exec(select(Delivery).with_for_update())
            assert len(held.all()) == 1
        return await accepting(message)

    async with lishui.runtime.work() as work:
        await queue(work, estate, MANY[0])
    done = await a_worker(lishui.runtime, RecordingGateway(answer=writing)).run_once()
    assert done.accepted == 1


async def test_a_stopped_worker_lets_what_is_under_way_end_and_gives_back_the_rest(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY)
    gateway = RecordingGateway(latency=0.3, connections=10)
    worker = asyncio.create_task(a_worker(lishui.runtime, gateway).run_once())
    await until(lambda: gateway.sent)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    now = list((await states(lishui.runtime)).values())
    assert now.count("done") == len(gateway.sent) == 10
    assert now.count("ready") == len(MANY) - 10


async def test_a_database_that_is_away_for_a_moment_loses_nothing(lishui, estate, monkeypatch):
    async with lishui.runtime.work() as work:
        await queue(work, estate, *MANY)
    failures = iter([True, True, True])
    really = {"claim": pump.claim, "complete": pump.complete}

    def failing(name):
        async def act(*arguments, **named):
            if next(failures, False):
                raise OperationalError("gone", None, OSError())
            return await really[name](*arguments, **named)

        return act

    for name in really:
        monkeypatch.setattr(pump, name, failing(name))
    gateway = RecordingGateway()
    done = await a_worker(lishui.runtime, gateway).run_once()
    assert done.accepted == len(MANY) == len(gateway.sent)


async def test_an_sms_in_doubt_is_asked_about_before_anything_is_sent_again(lishui, estate, clock):
    answers = {
        MANY[0]: Reply(Outcome.accepted, "OK"),
        MANY[1]: Reply(Outcome.delivered, "OK"),
        MANY[2]: Reply(Outcome.failed, "off"),
        MANY[3]: Reply(Outcome.unknown, "none"),
        MANY[4]: None,
        MANY[5]: Reply(Outcome.in_doubt, "down"),
    }
    async with lishui.runtime.work() as work:
        ids = await queue(work, estate, *answers)
    await claimed(lishui.runtime, lishui.utility.id)  # by a worker that is never heard of again
    gateway = RecordingGateway(known=lambda message: answers[message.address])
    later = AT + timedelta(hours=1)
    done = await a_worker(lishui.runtime, gateway, wall=lambda: later).run_once()
    now = await states(lishui.runtime)
    assert sorted(gateway.addresses()) == [MANY[3], MANY[4]]
    assert {message.id for message in gateway.sent} == {ids[3], ids[4]}
    assert [now[id_] for id_ in ids] == ["done", "done", "dead", "done", "done", "in_doubt"]
    assert (await row_of(lishui.runtime, ids[1])).delivered_at == clock.now
    assert done.accepted == 4


async def test_a_mail_in_doubt_is_sent_again_under_the_same_id(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, "a@example.com", channel=SendingChannel.mail)
    await claimed(lishui.runtime, lishui.utility.id, channel=SendingChannel.mail)
    gateway = RecordingGateway(SendingChannel.mail)
    later = AT + timedelta(hours=1)
    await a_worker(lishui.runtime, gateway, wall=lambda: later).run_once()
    assert [message.id for message in gateway.sent] == [id_]
    assert gateway.asked == []
    assert (await row_of(lishui.runtime, id_)).state is DeliveryState.done


async def test_a_lease_that_ran_out_is_done_where_a_receipt_came(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, MANY[0])
    await claimed(lishui.runtime, lishui.utility.id)
    async with lishui.runtime.work() as work:
        await work.session.execute(
            text("UPDATE delivery SET accepted_at = due_at, delivered_at = due_at")
        )
    gateway = RecordingGateway()
    await a_worker(lishui.runtime, gateway, wall=lambda: AT + timedelta(hours=1)).run_once()
    assert gateway.sent == gateway.asked == []
    assert (await row_of(lishui.runtime, id_)).state is DeliveryState.done


async def test_one_number_gets_so_many_messages_a_day_and_emergencies_beyond(lishui, clock):
    async with lishui.runtime.work() as work:
        estates = [await an_estate(work, lishui, f"BY-{n}") for n in range(7)]
        ids = [(await queue(work, one, MANY[0]))[0] for one in estates[:5]]
    gateway = RecordingGateway()
    worker = a_worker(lishui.runtime, gateway, cap=3)
    assert (await worker.run_once()).accepted == 3  # the others might still fail to be accepted
    clock.set(clock.now + timedelta(minutes=1))
    await worker.run_once()
    now = await states(lishui.runtime)
    assert sorted(now[id_] for id_ in ids) == ["dead", "dead", "done", "done", "done"]
    async with lishui.runtime.work() as work:
        await queue(work, estates[5], MANY[0], lane=Lane.emergency.value)
    await worker.run_once()
    assert len(gateway.sent) == 4
    clock.set(clock.now + timedelta(days=1))
    async with lishui.runtime.work() as work:
        await queue(work, estates[6], MANY[0])
    await worker.run_once()
    assert len(gateway.sent) == 5


async def test_the_daily_cap_holds_for_two_workers_at_once(lishui, clock):
    async with lishui.runtime.work() as work:
        for number in range(8):
            await queue(work, await an_estate(work, lishui, f"BY-{number}"), MANY[0])
    gateways = [RecordingGateway(latency=0.02, connections=2) for _ in range(2)]
    workers = [a_worker(lishui.runtime, one, cap=3) for one in gateways]
    for _ in range(4):
        await asyncio.gather(*(one.run_once() for one in workers))
        clock.set(clock.now + timedelta(minutes=1))
    assert sum(len(one.sent) for one in gateways) == 3
    assert sorted((await states(lishui.runtime)).values()) == ["dead"] * 5 + ["done"] * 3


async def test_robots_keep_their_pace_across_workers(lishui, estate):
    channel = SendingChannel.dingtalk
    async with lishui.runtime.work() as work:
        robot = await an_endpoint(work, lishui.utility.id, channel)
        given = {"channel": channel, "endpoint_id": robot.id}
        await queue(work, estate, *(str(n) for n in range(50)), **given)
    gateways = [RecordingGateway(channel, connections=2) for _ in range(2)]
    tasks = [asyncio.create_task(a_worker(lishui.runtime, one).run_once()) for one in gateways]
    await asyncio.sleep(1.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(len(one.sent) for one in gateways) == 20


async def test_the_clock_of_leases_is_real_time(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, MANY[0])
    before = wall_clock()
    await a_worker(lishui.runtime, RecordingGateway(), wall=wall_clock).run_once()
    assert before <= (await row_of(lishui.runtime, id_)).attempted_at <= wall_clock()


async def test_a_channel_that_may_not_speak_now_ends_the_run(lishui, estate):
    """It is begun with again at the scheduler's next ring, and does not keep the processor busy."""
    channel = SendingChannel.wecom
    async with lishui.runtime.work() as work:
        robot = await an_endpoint(work, lishui.utility.id, channel)
        given = {"channel": channel, "endpoint_id": robot.id}
        await queue(work, estate, *(str(n) for n in range(30)), **given)
    worker = a_worker(lishui.runtime, RecordingGateway(channel))
    async with asyncio.timeout(10):
        assert (await worker.run_once()).accepted == 20
        assert await worker.run_once() == Delivered()
