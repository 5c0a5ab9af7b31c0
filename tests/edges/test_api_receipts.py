"""Receipts that providers push: signed, once, of messages of ours."""

import json
from base64 import b64encode
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select

from tests.conftest import NOW
from tests.edges.outages import published, shown
from tests.estate import an_estate
from water2.api.state import ApiState
from water2.config import Settings
from water2.domain.delivery import Delivery
from water2.domain.sending import SendingChannel
from water2.gateways.signatures import signed_headers

SECRET = f"whsec_{b64encode(bytes(range(24))).decode()}"
OTHER = f"whsec_{b64encode(bytes(24)).decode()}"
JSON = {"content-type": "application/json"}


@pytest.fixture
def secret(app, tmp_path, api):
    """The same API with a secret that providers share."""
    before: ApiState = app.state.api
    settings = Settings(data_dir=tmp_path, sms_receipt_secret=SecretStr(SECRET))
    app.state.api = ApiState(before.runtime, settings, before.wall_clock)
    return SECRET


@pytest.fixture
async def outage(api, secret):
    return await published(api, await an_estate(api.installation))


async def a_message(api):
    async with api.installation.runtime.read() as work:
        rows = await work.session.exec(
            select(Delivery).where(Delivery.channel == SendingChannel.sms).order_by(Delivery.id)
        )
        return rows.all()[0]


async def row_of(api, message):
    async with api.installation.runtime.read() as work:
        return (await work.session.exec(select(Delivery).where(Delivery.id == message.id))).one()


def a_receipt(message_id, **changes):
    return {"id": message_id, "status": "delivered", "at": NOW.isoformat()} | changes


async def pushed(api, *receipts, secret=SECRET, at=NOW, **headers):
    body = json.dumps(receipts).encode()
    signed = signed_headers(secret, "msg_1", at, body)
    return await api.anybody.post("/receipts/sms", content=body, headers=JSON | signed | headers)


async def test_a_receipt_proves_delivery(api, outage):
    message = await a_message(api)
    answer = await pushed(api, a_receipt(message.id))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"applied": 1, "duplicate": 0, "unknown": 0}
    assert (await row_of(api, message)).delivered_at is not None
    assert (await shown(api.manager, outage))["notified"]["told"] >= 1


async def test_a_receipt_that_is_pushed_again_changes_nothing(api, outage):
    message = await a_message(api)
    await pushed(api, a_receipt(message.id))
    before = await row_of(api, message)
    again = await pushed(api, a_receipt(message.id))
    assert again.json() == {"applied": 0, "duplicate": 1, "unknown": 0}
    assert await row_of(api, message) == before


async def test_a_failure_undoes_what_was_accepted(api, outage):
    message = await a_message(api)
    await pushed(api, a_receipt(message.id, status="accepted"))
    assert (await shown(api.manager, outage))["notified"]["told"] >= 1
    later = (NOW + timedelta(seconds=1)).isoformat()
    await pushed(api, a_receipt(message.id, status="failed", at=later, code="UNDELIV"))
    assert (await shown(api.manager, outage))["notified"]["told"] == 0
    assert (await row_of(api, message)).code == "UNDELIV"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": OTHER},
        {"at": NOW - timedelta(minutes=6)},
        {"at": NOW + timedelta(minutes=6)},
        {"webhook-signature": "v1,bm9uZQ=="},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "soon"},
    ],
    ids=["another secret", "stale", "of the future", "no signature", "another id", "no instant"],
)
async def test_a_receipt_that_is_forged_or_stale_is_refused_and_not_taken(api, outage, changes):
    message = await a_message(api)
    answer = await pushed(api, a_receipt(message.id), **changes)
    assert (answer.status_code, answer.json()["reason"]) == (401, "receipt_forged")
    assert answer.json()["detail"] != "receipt_forged"
    assert await row_of(api, message) == message


async def test_a_receipt_without_any_signature_is_refused(api, outage):
    body = json.dumps([a_receipt((await a_message(api)).id)])
    answer = await api.anybody.post("/receipts/sms", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["reason"]) == (401, "receipt_forged")


async def test_a_receipt_of_a_message_we_never_sent_is_told_so(api, outage):
    answer = await pushed(api, a_receipt("0" * 32))
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")


@pytest.mark.parametrize(
    "changes", [{"status": "read"}, {"at": "2026-11-23T09:00:00"}, {"id": None}, {"id": "x" * 200}]
)
async def test_a_receipt_nobody_understands_is_refused_and_none_beside_it_taken(
    api, outage, changes
):
    message = await a_message(api)
    answer = await pushed(api, a_receipt(message.id), a_receipt(message.id, **changes))
    assert (answer.status_code, answer.json()["facts"]["fields"]) == (
        422,
        {"receipt": "receipt_unreadable"},
    )
    assert await row_of(api, message) == message


async def test_without_a_secret_there_is_no_such_route(api):
    for path in ("/receipts/sms", "/receipts/aliyun?token="):
        answer = await api.anybody.post(path, content=b"[]", headers=JSON)
        assert answer.status_code == 404, path


def aliyuns(message_id, **changes):
    return {
        "phone_number": "13900000001",
        "success": True,
        "err_code": "DELIVERED",
        "report_time": "2026-11-23 09:00:00",
        "biz_id": "932702304080415357^0",
        "out_id": message_id,
    } | changes


async def test_aliyun_is_known_by_its_token_and_gets_the_answer_it_waits_for(api, outage):
    message = await a_message(api)
    for token in ("", "wrong", OTHER):
        place = {"params": {"token": token}, "json": [aliyuns(message.id)]}
        answer = await api.anybody.post("/receipts/aliyun", **place)
        assert (answer.status_code, answer.json()["reason"]) == (401, "receipt_forged")
    assert await row_of(api, message) == message
    for _ in range(2):
        place = {"params": {"token": SECRET}, "json": [aliyuns(message.id)]}
        answer = await api.anybody.post("/receipts/aliyun", **place)
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "成功"})
    assert (await row_of(api, message)).delivered_at is not None


async def test_aliyuns_receipts_are_of_messages_of_ours(api, outage):
    place = {"params": {"token": SECRET}, "json": [aliyuns("0" * 32)]}
    assert (await api.anybody.post("/receipts/aliyun", **place)).status_code == 404


async def test_a_secret_that_cannot_be_used_is_named_by_its_setting(api, app, tmp_path):
    before: ApiState = app.state.api
    settings = Settings(data_dir=tmp_path, sms_receipt_secret=SecretStr("whsec_*"))
    app.state.api = ApiState(before.runtime, settings, before.wall_clock)
    answer = await pushed(api, a_receipt("0" * 32))
    assert (answer.status_code, answer.json()["reason"]) == (409, "setting_unusable")
