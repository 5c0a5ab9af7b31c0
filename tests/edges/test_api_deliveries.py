"""The queue of messages over HTTP, channels that stopped, webhooks and robots."""

import pytest
from sqlalchemy import update

from tests.edges.outages import entries, published, shown
from tests.estate import FLATS, an_estate
from water2.api.state import ApiState
from water2.config import Settings
from water2.domain.delivery import Delivery, DeliveryState
from water2.domain.sending import SendingChannel
from water2.services.delivery.channels import stop_channel

WEBHOOK = {
    "channel": "webhook",
    "name": "街道办",
    "url": "https://hooks.example.com/x?token=not-to-be-shown",
}


@pytest.fixture
async def outage(api):
    return await published(api, await an_estate(api.installation))


async def given_up(api, **where):
    """Let all messages of a channel be given up, as after the provider's refusal."""
    async with api.installation.runtime.work() as work:
        await work.session.execute(
            update(Delivery)
            .where(*(getattr(Delivery, name) == value for name, value in where.items()))
            .values(
                state=DeliveryState.dead,
                attempts=1,
                code="isv.MOBILE_NUMBER_ILLEGAL",
                settled_at=work.now,
            )
        )


async def listed(client, **params):
    answer = await client.get("/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_what_was_given_up_is_listed_without_any_address(api, outage):
    await given_up(api, channel=SendingChannel.sms)
    dead = await listed(api.manager, state="dead")
    assert {(one["channel"], one["level"], one["code"]) for one in dead} == {
        ("sms", "attempted", "isv.MOBILE_NUMBER_ILLEGAL")
    }
    assert "139****0001" in {one["address"] for one in dead}
    everything = (await api.manager.get("/deliveries")).text
    assert not [told for flat in FLATS for told in flat[2:] if told and told in everything]
    notice = (await shown(api.manager, outage, "/notices"))["items"][0]["id"]
    assert len(await listed(api.manager, source_id=notice, channel="mail")) == 2
    assert await listed(api.manager, source_id="none") == []


async def test_what_was_given_up_is_sent_again_once(api, outage):
    await given_up(api, channel=SendingChannel.sms)
    dead = (await listed(api.manager, state="dead"))[0]
    again = await api.manager.post(f"/deliveries/{dead['id']}/requeue")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (200, "ready", 0)
    refused = await api.manager.post(f"/deliveries/{dead['id']}/requeue")
    assert (refused.status_code, refused.json()["reason"]) == (409, "delivery_state")
    assert refused.json()["detail"] not in ("", "delivery_state")
    assert await entries(api, "delivery.requeued") == ["delivery.requeued"]


async def test_what_was_given_up_is_waived_with_a_reason(api, outage):
    await given_up(api, channel=SendingChannel.sms)
    dead = (await listed(api.manager, state="dead"))[0]
    place = f"/deliveries/{dead['id']}/waive"
    assert (await api.manager.post(place, json={"reason": ""})).status_code == 422
    waived = (await api.manager.post(place, json={"reason": "已张贴告示"})).json()
    assert (waived["state"], waived["waived_reason"]) == ("waived", "已张贴告示")
    assert waived["waived_by"]
    assert await entries(api, "delivery.waived") == ["delivery.waived"]


async def test_managers_alone_keep_deliveries(api, outage):
    await given_up(api, channel=SendingChannel.sms)
    dead = (await listed(api.manager, state="dead"))[0]
    for act, body in (("requeue", None), ("waive", {"reason": "x"})):
        place = f"/deliveries/{dead['id']}/{act}"
        assert (await api.crew.post(place, json=body)).status_code == 403
        assert (await api.outsider.post(place, json=body)).status_code == 404
    assert await listed(api.outsider) == []


async def test_a_channel_that_stopped_says_why_until_it_is_resumed(api):
    runtime, utility = api.installation.runtime, api.installation.utility
    async with runtime.work() as work:
        await stop_channel(work, utility.id, SendingChannel.sms, "isv.AMOUNT_NOT_ENOUGH")
    found = {one["channel"]: one for one in (await api.health.get("/channels")).json()["items"]}
    assert {name for name, one in found.items() if one["stopped"]} == {"sms"}
    assert found["sms"]["code"] == "isv.AMOUNT_NOT_ENOUGH"
    assert (await api.crew.post("/channels/sms/resume")).status_code == 403
    resumed = await api.manager.post("/channels/sms/resume")
    assert (resumed.status_code, resumed.json()["stopped"]) == (200, False)
    assert await entries(api, "channel.stopped", "channel.resumed") == [
        "channel.stopped",
        "channel.resumed",
    ]
    again = await api.manager.post("/channels/sms/resume")
    assert (again.status_code, again.json()["facts"]["kind"]) == (404, "channel_stop")
    assert (await api.manager.post("/channels/pigeon/resume")).status_code == 422


async def test_a_webhook_is_entered_shows_its_secret_once_and_never_its_address(api):
    added = await api.manager.post("/endpoints", json=WEBHOOK)
    assert added.status_code == 201, added.text
    endpoint = added.json()
    assert endpoint["secret"].startswith("whsec_")
    (found,) = (await api.manager.get("/endpoints")).json()["items"]
    assert (found["host"], found["signed"]) == ("hooks.example.com", True)
    assert "not-to-be-shown" not in added.text + (await api.manager.get("/endpoints")).text
    again = await api.manager.post("/endpoints", json=WEBHOOK)
    assert (again.status_code, again.json()["reason"]) == (409, "endpoint_exists")
    ended = await api.manager.post(f"/endpoints/{endpoint['id']}/end")
    assert ended.json()["ended_at"]
    assert (await api.manager.get("/endpoints")).json()["items"] == []
    again = await api.manager.post(f"/endpoints/{endpoint['id']}/end")
    assert (again.status_code, again.json()["reason"]) == (409, "endpoint_ended")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"url": "https://127.0.0.1/hook"}, "url", "url_private_network"),
        ({"url": "https://2130706433/hook"}, "url", "url_private_network"),
        ({"url": "https://[::1]/hook"}, "url", "url_private_network"),
        ({"url": "https://sms.local/hook"}, "url", "url_private_network"),
        ({"url": "https://169.254.169.254/latest"}, "url", "url_private_network"),
        ({"url": "http://hooks.example.com/"}, "url", "url_not_https"),
        ({"url": "https://me:secret@hooks.example.com/"}, "url", "url_has_credentials"),
        ({"url": "ftp://hooks.example.com/"}, "url", "url_unreadable"),
        ({"channel": "sms"}, "channel", "not_an_endpoint"),
        ({"channel": "pigeon"}, "channel", "enum"),
    ],
)
async def test_an_endpoint_that_must_not_be_called_is_refused_and_none_is_entered(
    api, changes, field, code
):
    answer = await api.manager.post("/endpoints", json=WEBHOOK | changes)
    problem = answer.json()
    assert (answer.status_code, problem["facts"]["fields"]) == (422, {field: code})
    assert problem["errors"][0]["detail"] != code
    assert (await api.manager.get("/endpoints")).json()["items"] == []
    assert await entries(api, "endpoint.added") == []


async def test_an_address_of_its_own_network_a_utility_allows_in_its_settings(api, app, tmp_path):
    before: ApiState = app.state.api
    own = Settings(data_dir=tmp_path, allowed_networks="10.8.0.0/16")
    app.state.api = ApiState(before.runtime, own, before.wall_clock)
    body = WEBHOOK | {"url": "http://10.8.0.7/hook"}
    assert (await api.manager.post("/endpoints", json=body)).status_code == 201


async def test_managers_alone_enter_endpoints(api):
    assert (await api.crew.post("/endpoints", json=WEBHOOK)).status_code == 403
    endpoint = (await api.manager.post("/endpoints", json=WEBHOOK)).json()
    assert (await api.outsider.post(f"/endpoints/{endpoint['id']}/end")).status_code == 404
    assert (await api.outsider.get("/endpoints")).json()["items"] == []


async def test_a_published_notice_is_queued_to_a_webhook_too(api):
    await api.manager.post("/endpoints", json=WEBHOOK)
    await published(api, await an_estate(api.installation))
    (queued,) = await listed(api.manager, channel="webhook")
    assert (queued["address"], queued["state"]) == ("hooks.example.com", "ready")
