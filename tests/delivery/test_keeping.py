"""What managers keep: dead letters, channels, endpoints. Nobody else, and nobody else's."""

import pytest

from tests.delivery.builders import (
    an_endpoint,
    another_revision,
    claimed,
    queue,
    row_of,
    states,
)
from tests.delivery.test_completing import entries
from water2.domain.delivery import DeliveryState
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from water2.domain.sending import SendingChannel
from water2.services.delivery.channels import list_channels, resume_channel, stop_channel
from water2.services.delivery.dead_letters import (
    DeliveryFilters,
    WaiveDelivery,
    list_deliveries,
    requeue,
    waive,
)
from water2.services.delivery.endpoints import (
    AddEndpoint,
    add_endpoint,
    end_endpoint,
    list_endpoints,
)
from water2.services.paging import PageAsked

PHONE = "13900000001"
HOOK = "https://hooks.example/secret-token-abcd"


@pytest.fixture
async def dead(lishui, estate):
    async with lishui.runtime.work() as work:
        given = {"state": DeliveryState.dead, "attempts": 8, "failed_at": work.now}
        return (await queue(work, estate, PHONE, **given))[0]


async def test_dead_letters_are_listed_with_masked_addresses(lishui, estate, dead):
    async with lishui.runtime.work() as work:
        robot = await an_endpoint(work, lishui.utility.id, SendingChannel.webhook, HOOK)
        given = {"channel": SendingChannel.webhook, "endpoint_id": robot.id, "state": "dead"}
        await queue(work, estate, HOOK, **given)
        await queue(work, estate, "13900000002")
    async with lishui.runtime.read(lishui.manager) as work:
        filters = DeliveryFilters(state=DeliveryState.dead)
        first = await list_deliveries(work, filters, PageAsked(limit=1))
        second = await list_deliveries(work, filters, PageAsked(limit=1, cursor=first.next))
    shown = {row["address"] for row in first.items + second.items}
    assert shown == {"139****0001", "robot.example"}
    assert second.next is None


async def test_a_requeued_message_is_sent_as_if_never_tried(lishui, dead, clock):
    async with lishui.runtime.work(lishui.manager) as work:
        await requeue(work, dead)
    row = await row_of(lishui.runtime, dead)
    assert (row.state, row.attempts, row.due_at, row.failed_at) == (
        DeliveryState.ready,
        0,
        clock.now,
        None,
    )
    assert len(await claimed(lishui.runtime, lishui.utility.id)) == 1
    assert len(await entries(lishui.runtime, "delivery.requeued")) == 1


async def test_a_waived_message_keeps_who_and_why_and_may_be_sent_after_all(lishui, estate, dead):
    async with lishui.runtime.work(lishui.manager) as work:
        await waive(work, dead, WaiveDelivery(reason="已当面告知"))
    row = await row_of(lishui.runtime, dead)
    assert (row.state, row.waived_by, row.waived_reason) == (
        DeliveryState.waived,
        lishui.manager.user_id,
        "已当面告知",
    )
    ((ledger, _, data),) = await entries(lishui.runtime, "delivery.waived")
    assert (ledger, data["delivery"]) == (estate.facility.ledger_id, dead)
    async with lishui.runtime.work(lishui.manager) as work:
        await requeue(work, dead)
    assert (await row_of(lishui.runtime, dead)).waived_by is None


async def test_only_what_was_given_up_and_is_of_use_is_sent_again(lishui, estate):
    async with lishui.runtime.work() as work:
        (ready,) = await queue(work, estate, PHONE)
        given = {"state": DeliveryState.dead, "expires_at": work.now}
        (useless,) = await queue(work, estate, "13900000002", **given)
    for id_, act, code in (
        (ready, requeue, "delivery_state"),
        (useless, requeue, "delivery_expired"),
        (ready, lambda work, id_: waive(work, id_, WaiveDelivery(reason="x")), "delivery_state"),
    ):
        with pytest.raises(Conflict) as refused:
            async with lishui.runtime.work(lishui.manager) as work:
                await act(work, id_)
        assert refused.value.code == code


async def test_the_words_of_an_earlier_revision_are_not_sent_again(lishui, estate, dead):
    await another_revision(lishui, estate)
    with pytest.raises(Conflict) as refused:
        async with lishui.runtime.work(lishui.manager) as work:
            await requeue(work, dead)
    assert refused.value.code == "delivery_superseded"


async def test_another_utilitys_letters_and_other_roles_are_refused(lishui, dead):
    with pytest.raises(NotFound):
        async with lishui.runtime.work(lishui.outsider) as work:
            await requeue(work, dead)
    for actor in (lishui.crew, lishui.inspector):
        with pytest.raises(NotPermitted):
            async with lishui.runtime.work(actor) as work:
                await waive(work, dead, WaiveDelivery(reason="x"))
        async with lishui.runtime.read(actor) as work:
            seen = await list_deliveries(work, DeliveryFilters(), PageAsked())
        assert [row["address"] for row in seen.items] == ["139****0001"]
    async with lishui.runtime.read(lishui.outsider) as work:
        assert (await list_deliveries(work, DeliveryFilters(), PageAsked())).items == []


async def test_a_stopped_channel_is_shown_and_resumed_by_a_manager(lishui, estate):
    utility, sms = lishui.utility, SendingChannel.sms
    async with lishui.runtime.work() as work:
        await queue(work, estate, PHONE)
        assert await stop_channel(work, utility.id, sms, "isv.SIGN")
        assert not await stop_channel(work, utility.id, sms, "isv.SIGN")
    async with lishui.runtime.read(lishui.manager) as work:
        shown = {row["channel"]: row["code"] for row in await list_channels(work, utility)}
    assert (shown["sms"], shown["mail"]) == ("isv.SIGN", None)
    with pytest.raises(NotPermitted):
        async with lishui.runtime.work(lishui.crew) as work:
            await resume_channel(work, utility.id, sms)
    async with lishui.runtime.work(lishui.manager) as work:
        await resume_channel(work, utility.id, sms)
    assert len(await entries(lishui.runtime, "channel.resumed")) == 1
    assert len(await claimed(lishui.runtime, utility.id)) == 1
    with pytest.raises(NotFound):
        async with lishui.runtime.work(lishui.manager) as work:
            await resume_channel(work, utility.id, sms)


def allowed(_url):
    """Every address may be reached."""


def refusing(url):
    raise Invalid.one("url", "address_private", url)


async def add(lishui, channel="webhook", check=allowed, **changes):
    async with lishui.runtime.work(lishui.manager) as work:
        command = AddEndpoint(channel=channel, name="调度群", url=HOOK, **changes)
        return await add_endpoint(work, command, check)


async def test_a_webhooks_secret_is_made_and_told_once(lishui):
    added = await add(lishui)
    assert added.secret.startswith("whsec_")
    async with lishui.runtime.read(lishui.manager) as work:
        assert work.contacts.open(added.endpoint.secret_sealed) == added.secret
        (shown,) = await list_endpoints(work, lishui.utility)
    assert (shown["host"], shown["signed"]) == ("hooks.example", True)
    assert "token" not in str(shown)
    ((_, _, data),) = await entries(lishui.runtime, "endpoint.added")
    assert "token" not in str(data)


async def test_a_secret_that_was_given_is_not_told_back(lishui):
    assert (await add(lishui, "dingtalk", secret="SEC1")).secret is None
    assert (await add(lishui, "wecom")).secret is None


async def test_an_address_that_may_not_be_reached_leaves_nothing(lishui):
    with pytest.raises(Invalid):
        await add(lishui, check=refusing)
    with pytest.raises(Invalid):
        await add(lishui, "sms")
    async with lishui.runtime.read(lishui.manager) as work:
        assert await list_endpoints(work, lishui.utility) == []


async def test_an_ended_endpoint_gets_nothing_more_and_may_come_back(lishui, estate):
    endpoint = (await add(lishui)).endpoint
    with pytest.raises(Conflict):
        await add(lishui)
    async with lishui.runtime.work() as work:
        given = {"channel": SendingChannel.webhook, "endpoint_id": endpoint.id}
        (id_,) = await queue(work, estate, HOOK, **given)
    with pytest.raises(NotFound):
        async with lishui.runtime.work(lishui.outsider) as work:
            await end_endpoint(work, endpoint.id)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_endpoint(work, endpoint.id)
    assert (await states(lishui.runtime))[id_] == "superseded"
    with pytest.raises(Conflict):
        async with lishui.runtime.work(lishui.manager) as work:
            await end_endpoint(work, endpoint.id)
    assert (await add(lishui)).endpoint.id == endpoint.id
