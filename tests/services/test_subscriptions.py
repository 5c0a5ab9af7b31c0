"""Subscriptions: whoever asks proves that the address is theirs, and is forgotten when it ends."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlmodel import select

from tests.conftest import NOW
from tests.estate import accept_all, an_estate
from tests.ledgers import entries_of
from water2.domain.delivery import Delivery, DeliverySource, DeliveryState, Lane
from water2.domain.errors import Invalid, NotFound
from water2.domain.outage import OutageKind, OutageReason
from water2.domain.sending import SendingChannel
from water2.domain.subscription import Subscription
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.transitions import publish_outage
from water2.services.public.erasing import forget_unconfirmed
from water2.services.public.subscriptions import (
    VISITOR,
    ConfirmSubscription,
    Subscribe,
    confirm_subscription,
    end_subscription,
    end_token,
    subscribe,
)
from water2.services.throttling import Throttled

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PHONE = "13700000001"


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def ask(
    lishui, estate, address=PHONE, *, channel="phone", at=NOW, caller="192.0.2.1", **more
):
    command = Subscribe(facility_id=estate.facility.id, channel=channel, address=address, **more)
    async with lishui.runtime.work(VISITOR) as work:
        return await subscribe(work, command, caller_address=caller, at=at)


async def rows(runtime, table, **where):
    async with runtime.read() as work:
        return (await work.session.exec(select(table).filter_by(**where))).all()


async def code_of(runtime, id_):
    (subscription,) = await rows(runtime, Subscription, id=id_)
    return runtime.contacts.open(subscription.code_sealed)


async def confirm(runtime, id_, code=None):
    command = ConfirmSubscription(code=code or await code_of(runtime, id_))
    return await confirm_subscription(runtime, id_, command)


async def end(runtime, id_, token=None):
    async with runtime.work(VISITOR) as work:
        await end_subscription(work, id_, token or end_token(runtime.contacts, id_))


async def wrong_code(runtime, id_):
    code = await code_of(runtime, id_)
    return f"{(int(code) + 1) % 10**6:06d}"


async def a_published_outage(lishui, estate):
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        reason=OutageReason.tank_cleaning,
        starts_at=lishui.runtime.now() + timedelta(hours=48),
        ends_at=lishui.runtime.now() + timedelta(hours=52),
    )
    async with lishui.runtime.work(lishui.manager) as work:
        outage = await create_outage(work, command)
    async with lishui.runtime.work(lishui.manager) as work:
        return await publish_outage(work, outage.id)


async def told_of(lishui, estate, type_):
    bodies = await entries_of(lishui.runtime, estate.facility.ledger_id)
    return [entry for body in bodies if (entry := json.loads(body))["type"] == type_]


async def test_a_code_is_sent_to_the_address_and_expires_with_it(lishui, estate):
    id_ = await ask(lishui, estate, " 137-0000 0001 ", language="en")
    (message,) = await rows(lishui.runtime, Delivery, source_id=id_)
    (subscription,) = await rows(lishui.runtime, Subscription, id=id_)
    assert message.source is DeliverySource.confirmation
    assert message.channel is SendingChannel.sms
    assert (message.state, message.lane) == (DeliveryState.ready, Lane.planned)
    assert message.expires_at == subscription.code_expires_at == NOW + 30 * MINUTE
    assert lishui.runtime.contacts.open(message.sealed) == PHONE
    assert subscription.language == "en"
    assert subscription.confirmed_at is None
    assert (await code_of(lishui.runtime, id_)).isdecimal()


async def test_mail_is_sent_to_a_mail_address(lishui, estate):
    id_ = await ask(lishui, estate, "Wang@Example.com", channel="mail")
    (message,) = await rows(lishui.runtime, Delivery, source_id=id_)
    assert message.channel is SendingChannel.mail
    assert lishui.runtime.contacts.open(message.sealed) == "Wang@example.com"


@pytest.mark.parametrize(
    ("channel", "address", "code"),
    [
        ("phone", "1370000000x", "phone_letters"),
        ("phone", "12345", "phone_malformed"),
        ("mail", "nobody", "mail_malformed"),
    ],
)
async def test_an_address_that_is_none_is_refused_and_nothing_kept(
    lishui, estate, channel, address, code
):
    with pytest.raises(Invalid) as refused:
        await ask(lishui, estate, address, channel=channel)
    assert [(one.field, one.code) for one in refused.value.problems] == [("address", code)]
    assert await rows(lishui.runtime, Subscription) == []


async def test_an_estate_that_is_none_is_refused(lishui, estate):
    async with lishui.runtime.work(VISITOR) as work:
        command = Subscribe(facility_id="0" * 32, channel="phone", address=PHONE)
        with pytest.raises(NotFound):
            await subscribe(work, command, caller_address="192.0.2.1", at=NOW)


async def test_the_code_confirms_once_and_the_ledger_tells_no_address(lishui, estate):
    id_ = await ask(lishui, estate)
    code = await code_of(lishui.runtime, id_)
    await confirm(lishui.runtime, id_, f" {code[:3]} {code[3:]} ")
    await confirm(lishui.runtime, id_, code)
    (entry,) = await told_of(lishui, estate, "subscription.confirmed")
    assert entry["subject"] == f"subscription:{id_}"
    assert entry["data"] == {}
    assert entry["actor"] == "public"


async def test_a_code_guessed_wrong_five_times_is_of_no_use(lishui, estate):
    id_ = await ask(lishui, estate)
    code, wrong = await code_of(lishui.runtime, id_), await wrong_code(lishui.runtime, id_)
    for _ in range(5):
        with pytest.raises(Invalid):
            await confirm(lishui.runtime, id_, wrong)
    with pytest.raises(Invalid):
        await confirm(lishui.runtime, id_, code)


async def test_a_code_is_good_for_thirty_minutes_to_the_second(lishui, estate, clock):
    id_ = await ask(lishui, estate)
    code = await code_of(lishui.runtime, id_)
    clock.set(NOW + 30 * MINUTE)
    with pytest.raises(Invalid):
        await confirm(lishui.runtime, id_, code)
    clock.set(NOW + 30 * MINUTE - timedelta(seconds=1))
    assert (await confirm(lishui.runtime, id_, code)).confirmed_at == clock.now


async def test_a_code_of_nothing_is_refused_like_a_wrong_one(lishui, estate):
    id_ = await ask(lishui, estate)
    refusals = []
    for one in (id_, "0" * 32):
        with pytest.raises(Invalid) as refused:
            await confirm(lishui.runtime, one, await wrong_code(lishui.runtime, id_))
        refusals.append(refused.value)
    assert refusals[0] == refusals[1]


async def test_asked_again_one_row_stays_and_the_old_code_with_its_message_goes(lishui, estate):
    first = await ask(lishui, estate)
    old = await code_of(lishui.runtime, first)
    await accept_all(lishui.runtime)
    second = await ask(lishui, estate, at=NOW + 3 * MINUTE, language="en")
    assert second == first
    (message,) = await rows(lishui.runtime, Delivery)
    assert message.state is DeliveryState.ready
    if (new := await code_of(lishui.runtime, first)) != old:
        with pytest.raises(Invalid):
            await confirm(lishui.runtime, first, old)
    assert (await confirm(lishui.runtime, first, new)).language == "en"


async def test_whoever_asks_for_a_confirmed_address_changes_nothing_of_it(lishui, estate):
    id_ = await ask(lishui, estate)
    await confirm(lishui.runtime, id_)
    assert await ask(lishui, estate, at=NOW + 3 * MINUTE, language="en") == id_
    (subscription,) = await rows(lishui.runtime, Subscription)
    assert subscription.confirmed_at == NOW
    assert subscription.language == "zh"


async def test_an_address_is_asked_once_in_two_minutes_whatever_the_estate(lishui, estate):
    other = await an_estate(lishui, "BY-002")
    await ask(lishui, estate, "a@example.com", channel="mail")
    with pytest.raises(Throttled) as refused:
        await ask(lishui, other, "A@EXAMPLE.com", channel="mail", at=NOW + MINUTE, caller="::1")
    assert refused.value.retry_after_seconds == 61
    await ask(lishui, other, "a@example.com", channel="mail", at=NOW + 2 * MINUTE)


async def test_an_address_is_asked_five_times_a_day(lishui, estate):
    for hour in range(5):
        await ask(lishui, estate, at=NOW + hour * HOUR, caller=f"192.0.2.{hour}")
    with pytest.raises(Throttled) as refused:
        await ask(lishui, estate, at=NOW + 5 * HOUR)
    assert refused.value.retry_after_seconds == 19 * 3600 + 1
    await ask(lishui, estate, at=NOW + 24 * HOUR)


async def test_a_caller_asks_for_twenty_addresses_an_hour(lishui, estate):
    for number in range(20):
        await ask(lishui, estate, f"137000001{number:02}", at=NOW + number * MINUTE)
    with pytest.raises(Throttled):
        await ask(lishui, estate, "13700000200", at=NOW + 20 * MINUTE)
    await ask(lishui, estate, "13700000200", at=NOW + 20 * MINUTE, caller="192.0.2.2")
    await ask(lishui, estate, "13700000201", at=NOW + HOUR)


async def test_whoever_confirmed_gets_the_notices_and_nobody_else(lishui, estate):
    confirmed = await ask(lishui, estate)
    await ask(lishui, estate, "13700000002", at=NOW + 3 * MINUTE)
    await confirm(lishui.runtime, confirmed)
    await a_published_outage(lishui, estate)
    subscribers = [
        one.subscription_id
        for one in await rows(lishui.runtime, Delivery, source=DeliverySource.notice)
        if one.subscription_id
    ]
    assert subscribers == [confirmed]


async def test_an_ended_subscription_leaves_nothing_personal_and_sends_no_more(lishui, estate):
    runtime = lishui.runtime
    id_ = await ask(lishui, estate)
    await confirm(runtime, id_)
    await accept_all(runtime)
    await a_published_outage(lishui, estate)
    await end(runtime, id_)
    await end(runtime, id_)
    index = runtime.contacts.index(PHONE)
    (subscription,) = await rows(runtime, Subscription)
    messages = [
        one for one in await rows(runtime, Delivery) if id_ in (one.source_id, one.subscription_id)
    ]
    assert {one.state for one in messages} == {DeliveryState.done, DeliveryState.superseded}
    for kept in (subscription, *messages):
        assert kept.sealed == b""
        assert kept.address_index != index
    assert subscription.code_sealed is None
    ended = await told_of(lishui, estate, "subscription.ended")
    assert [entry["data"] for entry in ended] == [{}]
    others = await rows(runtime, Delivery, state=DeliveryState.ready)
    assert others
    assert all(one.sealed for one in others)


async def test_whoever_ended_may_come_again(lishui, estate):
    first = await ask(lishui, estate)
    await confirm(lishui.runtime, first)
    await end(lishui.runtime, first)
    second = await ask(lishui, estate, at=NOW + 3 * MINUTE)
    assert second != first
    assert (await confirm(lishui.runtime, second)).confirmed_at == NOW


async def test_only_its_own_token_ends_a_subscription(lishui, estate):
    mine = await ask(lishui, estate)
    others = await ask(lishui, estate, "13700000002", at=NOW + 3 * MINUTE)
    await confirm(lishui.runtime, mine)
    contacts = lishui.runtime.contacts
    for token in (end_token(contacts, others), f"{mine}.{'0' * 64}", mine, "", "ü.ü"):
        with pytest.raises(NotFound):
            await end(lishui.runtime, mine, token or " ")
    (subscription,) = await rows(lishui.runtime, Subscription, id=mine)
    assert subscription.ended_at is None


async def test_what_nobody_confirmed_is_forgotten_after_a_day(lishui, estate, clock):
    kept = await ask(lishui, estate)
    await ask(lishui, estate, "13700000002", at=NOW + 3 * MINUTE)
    await confirm(lishui.runtime, kept)
    clock.set(NOW + timedelta(days=1, seconds=1))
    async with lishui.runtime.work() as work:
        assert await forget_unconfirmed(work) == 1
    assert [one.id for one in await rows(lishui.runtime, Subscription)] == [kept]
    assert [one.source_id for one in await rows(lishui.runtime, Delivery)] == [kept]


async def test_of_many_who_ask_at_once_for_one_address_one_gets_a_code(lishui, estate):
    estates = [estate, await an_estate(lishui, "BY-002"), await an_estate(lishui, "BY-003")]
    asks = [ask(lishui, one, caller=f"192.0.2.{n}") for n, one in enumerate(estates * 3)]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Throttled)]
    assert len(refused) == len(answers) - 1
    assert len(await rows(lishui.runtime, Delivery)) == 1
