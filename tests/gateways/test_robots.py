"""Group robots: their signatures, their codes in a 200 body, and their limits."""

import base64
import hashlib
import hmac
import json

import pytest

from tests.gateways.messages import NOW, clock, message
from water2.domain.sending import Outcome, Reply, SendingChannel
from water2.gateways.robots import DingTalkGateway, FeishuGateway, RobotGateway, WeComGateway

SECRET = "SECabc"
ROBOTS = [DingTalkGateway, WeComGateway, FeishuGateway]


def hmac_sha256(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


async def publish(kind: type[RobotGateway], sink, pool, **more) -> tuple[Reply, dict]:
    address = f"{sink.url}/{kind.channel}?access_token=t0ken"
    sent = message(kind.channel, address, **({"secret": SECRET} | more))
    reply = await kind(pool, clock).send(sent)
    return reply, sink.accepted[-1]


async def test_dingtalk_is_signed_in_the_query(sink, pool):
    reply, record = await publish(DingTalkGateway, sink, pool, title="停水", text="正文")
    timestamp = str(int(NOW.timestamp() * 1000))
    assert reply.outcome is Outcome.accepted
    assert record["query"] == {
        "access_token": "t0ken",
        "timestamp": timestamp,
        "sign": hmac_sha256(SECRET, f"{timestamp}\n{SECRET}"),
    }
    assert record["body"] == {"msgtype": "text", "text": {"content": "停水\n正文"}}


async def test_wecom_needs_no_signature(sink, pool):
    reply, record = await publish(WeComGateway, sink, pool, title="停水", text="正文")
    assert reply.outcome is Outcome.accepted
    assert record["query"] == {"access_token": "t0ken"}
    assert record["body"] == {"msgtype": "text", "text": {"content": "停水\n正文"}}


async def test_feishu_is_signed_in_the_body_with_the_text_as_key(sink, pool):
    reply, record = await publish(FeishuGateway, sink, pool, title="停水", text="正文")
    timestamp = str(int(NOW.timestamp()))
    assert reply.outcome is Outcome.accepted
    assert record["body"] == {
        "msg_type": "text",
        "content": {"text": "停水\n正文"},
        "timestamp": timestamp,
        "sign": hmac_sha256(f"{timestamp}\n{SECRET}", ""),
    }


@pytest.mark.parametrize("kind", ROBOTS)
async def test_a_robot_without_a_secret_is_not_signed(sink, pool, kind):
    reply, record = await publish(kind, sink, pool, secret=None)
    assert reply.outcome is Outcome.accepted
    assert "sign" not in record["query"] | record["body"]


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        (DingTalkGateway, {"errcode": 310000, "errmsg": "sign not match"}, Outcome.misconfigured),
        (DingTalkGateway, {"errcode": 130101, "errmsg": "send too fast"}, Outcome.retry),
        (DingTalkGateway, {"errcode": -1}, Outcome.retry),
        (WeComGateway, {"errcode": 93000}, Outcome.misconfigured),
        (WeComGateway, {"errcode": 45009}, Outcome.retry),
        (FeishuGateway, {"code": 19021}, Outcome.misconfigured),
        (FeishuGateway, {"code": 19024}, Outcome.misconfigured),
        (FeishuGateway, {"code": 11232}, Outcome.retry),
        (FeishuGateway, {"StatusCode": 0, "StatusMessage": "success"}, Outcome.accepted),
    ],
)
async def test_the_code_in_a_200_body_decides(sink, pool, kind, body, outcome):
    sink.behave(body=json.dumps(body))
    sent = message(kind.channel, f"{sink.url}/{kind.channel}")
    reply = await kind(pool, clock).send(sent)
    assert (reply.outcome, reply.code) == (outcome, str(next(iter(body.values()))))
    assert reply.wait_seconds == (60 if outcome is Outcome.retry else None)


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, "<html></html>", Outcome.in_doubt),
        (200, '{"errmsg": "ok"}', Outcome.in_doubt),
        (404, "no", Outcome.misconfigured),
        (429, '{"errcode": 0, "code": 0}', Outcome.retry),
        (500, '{"errcode": 0, "code": 0}', Outcome.retry),
        (403, '{"errcode": 0, "code": 0}', Outcome.misconfigured),
    ],
)
async def test_no_success_without_its_word_and_its_status(sink, pool, kind, status, body, outcome):
    sink.behave(status=status, body=body)
    sent = message(kind.channel, f"{sink.url}/{kind.channel}")
    assert (await kind(pool, clock).send(sent)).outcome is outcome


async def test_a_text_too_long_for_a_robot_is_cut_between_characters(sink, pool):
    _, record = await publish(WeComGateway, sink, pool, text="水" * 1000)
    content = record["body"]["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.startswith("停水通知\n水水")
    assert content.endswith("水…")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://10.0.0.1/robot", "url_private_network"),
        ("https://exa mple/\n", "url_unreadable"),
        ("", "url_unreadable"),
    ],
)
@pytest.mark.parametrize("kind", ROBOTS)
async def test_an_address_that_must_not_be_called_is_refused(pool, kind, address, code):
    sent = message(kind.channel, address, secret=SECRET)
    assert await kind(pool, clock).send(sent) == Reply(Outcome.permanent, code)


def test_each_robot_tells_its_rate():
    rates = {kind.channel: (kind.per_minute, kind.per_second) for kind in ROBOTS}
    assert rates == {
        SendingChannel.dingtalk: (20, None),
        SendingChannel.wecom: (20, None),
        SendingChannel.feishu: (100, 5),
    }
