"""Receipts asked for, where the provider pushes none: at growing pauses, of what still matters."""

from datetime import timedelta

import pytest
from sqlmodel import select

from tests.delivery.builders import AT, claimed, queue, row_of
from tests.delivery.test_completing import settle
from tests.sinks import http_gateway
from water2.config import Settings
from water2.domain.delivery import DeliveryReceipt, DeliveryState
from water2.domain.outage import Outage, OutageState
from water2.domain.sending import Message, Outcome, SendingChannel
from water2.gateways.build import build_gateways
from water2.jobs import run_job
from water2.services.delivery.completing import Settled
from water2.services.delivery.polling import FIRST, LONGEST, Polled, poll_receipts

PHONE = "13900000001"


@pytest.fixture
def provider():
    with http_gateway(ask_status="delivered") as sink:
        yield sink


@pytest.fixture
async def gateway(provider):
    settings = Settings(sms_url=f"{provider.url}/sms", allowed_networks="127.0.0.1/32")
    gateways = build_gateways(settings, clock=lambda: AT, demo=False)
    yield gateways["sms"]
    for one in gateways.values():
        await one.close()


@pytest.fixture
async def accepted(lishui, estate, gateway):
    """A message that the provider accepted, just now."""
    async with lishui.runtime.work() as work:
        await queue(work, estate, PHONE)
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    message = Message(got.id, SendingChannel.sms, PHONE, title="", text="", short="停水")
    reply = await gateway.send(message)
    assert reply.outcome is Outcome.accepted
    await settle(lishui.runtime, Settled(got, reply))
    return got.id


async def poll(lishui, gateway):
    return await poll_receipts(lishui.runtime, gateway, lambda: AT)


async def test_what_was_accepted_is_asked_about_after_a_moment_and_becomes_delivered(
    lishui, gateway, accepted, clock
):
    began = clock.now
    assert await poll(lishui, gateway) == Polled()
    clock.set(began + FIRST)
    assert await poll(lishui, gateway) == Polled(asked=1, told=1)
    row = await row_of(lishui.runtime, accepted)
    assert (row.state, row.delivered_at) == (DeliveryState.done, clock.now)
    async with lishui.runtime.read() as work:
        receipt = (await work.session.exec(select(DeliveryReceipt))).one()
        raw = work.contacts.open(receipt.raw_sealed)
    assert (receipt.gateway, receipt.delivery_id, "delivered" in raw) == ("polled", accepted, True)
    clock.set(began + 10 * FIRST)
    assert await poll(lishui, gateway) == Polled()


async def test_a_failure_that_is_told_undoes_the_acceptance(
    lishui, gateway, provider, accepted, clock
):
    provider.behave(ask_status="failed")
    clock.set(clock.now + FIRST)
    assert (await poll(lishui, gateway)).told == 1
    assert (await row_of(lishui.runtime, accepted)).state is DeliveryState.dead


async def test_the_pauses_grow_and_end_after_three_days(lishui, gateway, provider, accepted, clock):
    provider.behave(ask_status="accepted")
    began, asked = clock.now, []
    while clock.now - began <= LONGEST + timedelta(hours=1):
        if (await poll(lishui, gateway)).asked:
            asked.append((clock.now - began) // timedelta(minutes=1))
        clock.set(clock.now + timedelta(minutes=1 if len(asked) < 6 else 32))
    assert asked[:6] == [2, 4, 8, 16, 32, 64]
    assert len(asked) < 14
    assert asked[-1] <= LONGEST // timedelta(minutes=1)


async def test_a_provider_that_cannot_be_asked_is_left_alone(
    lishui, estate, gateway, provider, accepted, clock
):
    provider.behave(can_be_asked=0)
    async with lishui.runtime.work() as work:
        given = {"state": DeliveryState.done, "attempts": 1, "accepted_at": work.now}
        await queue(work, estate, *(f"138{n:08}" for n in range(20)), **given)
    clock.set(clock.now + FIRST)
    before = provider.counts["requests"]
    assert await poll(lishui, gateway) == Polled()
    assert provider.counts["requests"] - before == 1 + 1  # and this question itself


async def test_nobody_asks_once_the_outage_is_over(lishui, estate, gateway, accepted, clock):
    async with lishui.runtime.work() as work:
        outage = (await work.session.exec(select(Outage))).one()
        outage.state = OutageState.restored
        work.session.add(outage)
    clock.set(clock.now + FIRST)
    assert await poll(lishui, gateway) == Polled()


async def test_the_job_asks_where_nothing_is_pushed(lishui, provider, accepted, clock):
    clock.set(clock.now + FIRST)
    settings = Settings(sms_url=f"{provider.url}/sms", allowed_networks="127.0.0.1/32")
    assert await run_job(lishui.runtime, settings, "receipts") == Polled(asked=1, told=1)
    assert await run_job(lishui.runtime, Settings(), "receipts") is None
