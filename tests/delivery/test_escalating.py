"""The next channel opens before the deadline is at risk, for those who are not told; not else."""

from datetime import timedelta

import pytest

from tests.delivery.builders import a_household, queue, row_of, states
from water2.domain.delivery import DeliveryState
from water2.domain.organisation import PolicySetting
from water2.domain.sending import SendingChannel
from water2.services.delivery.escalating import expire_all, open_next_channels

SMS, MAIL = SendingChannel.sms, SendingChannel.mail
PHONE = "13900000001"


async def open_them(runtime, utility_id):
    async with runtime.work() as work:
        return await open_next_channels(work, utility_id)


async def a_held(work, estate, address="li@example.com", **changes):
    held = {"state": DeliveryState.held, "channel": MAIL, "due_at": work.now}
    return (await queue(work, estate, address, **(held | changes)))[0]


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ({}, "ready"),
        ({"accepted_at": 0}, "superseded"),
        ({"accepted_at": 0, "failed_at": 1}, "ready"),
        ({"accepted_at": 0, "failed_at": 1, "delivered_at": 2}, "superseded"),
    ],
)
async def test_it_opens_for_a_household_that_is_not_told(lishui, estate, evidence, state):
    async with lishui.runtime.work() as work:
        await a_household(work, estate, "101", (SMS, PHONE), (MAIL, "li@example.com"))
        told = {name: work.now + timedelta(seconds=at) for name, at in evidence.items()}
        await queue(work, estate, PHONE, attempts=1, state=DeliveryState.done, **told)
        id_ = await a_held(work, estate)
    await open_them(lishui.runtime, lishui.utility.id)
    assert (await states(lishui.runtime))[id_] == state


async def test_one_household_that_is_not_told_is_enough(lishui, estate):
    async with lishui.runtime.work() as work:
        await a_household(work, estate, "101", (SMS, PHONE), (MAIL, "li@example.com"))
        await a_household(work, estate, "102", (SMS, "13900000002"), (MAIL, "li@example.com"))
        done = {"state": DeliveryState.done, "accepted_at": work.now}
        await queue(work, estate, PHONE, **done)
        await queue(work, estate, "13900000002")
        id_ = await a_held(work, estate)
    await open_them(lishui.runtime, lishui.utility.id)
    assert (await states(lishui.runtime))[id_] == "ready"


async def test_where_delivery_is_demanded_acceptance_is_not_enough(lishui, estate):
    async with lishui.runtime.work() as work:
        work.session.add(
            PolicySetting(
                utility_id=lishui.utility.id,
                obligation="outage.planned",
                key="delivered_required",
                value=True,
                from_on=work.today(lishui.utility.timezone),
                set_at=work.now,
            )
        )
        await a_household(work, estate, "101", (SMS, PHONE), (MAIL, "li@example.com"))
        await queue(work, estate, PHONE, state=DeliveryState.done, accepted_at=work.now)
        id_ = await a_held(work, estate)
    await open_them(lishui.runtime, lishui.utility.id)
    assert (await states(lishui.runtime))[id_] == "ready"


async def test_before_its_time_it_stays_held(lishui, estate, clock):
    async with lishui.runtime.work() as work:
        await a_household(work, estate, "101", (SMS, PHONE), (MAIL, "li@example.com"))
        id_ = await a_held(work, estate, due_at=work.now + timedelta(seconds=1))
    assert await open_them(lishui.runtime, lishui.utility.id) == 0
    assert (await states(lishui.runtime))[id_] == "held"
    clock.set(clock.now + timedelta(seconds=1))
    assert await open_them(lishui.runtime, lishui.utility.id) == 1


async def test_what_is_useless_expires_wherever_it_waits(lishui, estate, clock):
    async with lishui.runtime.work() as work:
        expires = {"expires_at": work.now + timedelta(hours=1)}
        ready = (await queue(work, estate, PHONE, **expires))[0]
        held = await a_held(work, estate, **expires)
        kept = (await queue(work, estate, "13900000002"))[0]
    clock.set(clock.now + timedelta(hours=1))
    assert await expire_all(lishui.runtime) == 2
    now = await states(lishui.runtime)
    assert (now[ready], now[held], now[kept]) == ("expired", "expired", "ready")
    assert (await row_of(lishui.runtime, ready)).settled_at == clock.now
