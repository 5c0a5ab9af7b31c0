"""SMS by the generic protocol: the body decides, and a message in doubt can be asked for."""

import hashlib
import json
import socket
from datetime import UTC, datetime

import pytest

from tests.gateways.messages import sms, taken
from water2.domain.sending import Outcome, Reply
from water2.gateways.addresses import Allowed
from water2.gateways.http_pool import HttpPool
from water2.gateways.sms_http import SmsHttpGateway


@pytest.fixture
def gateway(sink, pool) -> SmsHttpGateway:
    return SmsHttpGateway(pool, f"{sink.url}/sms", "t0ken")


async def test_a_message_is_accepted_by_the_word_of_the_body(sink, gateway):
    sent = sms()
    reply = await gateway.send(sent)
    assert (reply.outcome, reply.code, reply.provider_id) == (
        Outcome.accepted,
        "0",
        f"theirs-{sent.id}",
    )
    (record,) = taken(sink, sent)
    assert record["body"] == {"id": sent.id, "to": sent.address, "text": sent.short}
    assert record["headers"]["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.accepted),
        ("0", Outcome.accepted),
        ("OK", Outcome.accepted),
        (100, Outcome.retry),
        ("busy", Outcome.retry),
        (201, Outcome.permanent),
        ("invalid_number", Outcome.permanent),
        ("305", Outcome.blocked),
        ("limit", Outcome.blocked),
        (401, Outcome.misconfigured),
        ("balance", Outcome.misconfigured),
        (999, Outcome.retry),
        ("what", Outcome.retry),
        (-1, Outcome.retry),
    ],
)
async def test_an_error_in_a_body_with_status_200_is_an_error(sink, gateway, code, outcome):
    body = json.dumps({"code": code, "message": "…"})
    sink.behave(body=body)
    reply = await gateway.send(sms())
    assert (reply.outcome, reply.code) == (outcome, str(code))
    assert reply.body_sha256 == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, "<html>sign in to the network</html>", Outcome.in_doubt),
        (200, "{}", Outcome.in_doubt),
        (200, "[" * 5000, Outcome.in_doubt),
        (200, '{"code": true}', Outcome.in_doubt),
        (401, "", Outcome.misconfigured),
        (403, "", Outcome.misconfigured),
        (404, "", Outcome.misconfigured),
        (302, "", Outcome.misconfigured),
        (400, '{"code": "invalid_number"}', Outcome.permanent),
        (400, '{"code": 0}', Outcome.misconfigured),
        (500, "", Outcome.retry),
        (500, '{"code": 0}', Outcome.retry),
        (503, "", Outcome.retry),
        (504, "", Outcome.in_doubt),
    ],
)
async def test_the_status_counts_where_the_body_says_nothing(sink, gateway, status, body, outcome):
    sink.behave(status=status, body=body or " ")
    assert (await gateway.send(sms())).outcome is outcome


async def test_throttling_tells_how_long_to_wait(sink, gateway):
    sink.behave(throttle_first=1, retry_after="7")
    sent = sms()
    reply = await gateway.send(sent)
    assert (reply.outcome, reply.wait_seconds) == (Outcome.retry, 7)
    assert taken(sink, sent) == []
    assert (await gateway.send(sent)).outcome is Outcome.accepted


async def test_a_wrong_token_is_a_setting_at_fault(sink, gateway):
    sink.behave(token="another")
    assert (await gateway.send(sms())).outcome is Outcome.misconfigured


async def test_a_gateway_in_a_network_that_is_not_allowed_is_a_setting_at_fault(sink):
    pool = HttpPool(1, allowed=Allowed())
    gateway = SmsHttpGateway(pool, f"{sink.url}/sms", "")
    reply = await gateway.send(sms())
    assert reply == Reply(Outcome.misconfigured, "url_private_network")
    await gateway.close()


async def test_a_message_in_doubt_is_asked_for_by_our_id(sink, gateway):
    sink.behave(reset_first=1, ask_status="delivered")
    sent = sms()
    assert (await gateway.send(sent)).outcome is Outcome.in_doubt
    reply = await gateway.ask(sent)
    assert reply.outcome is Outcome.delivered
    assert reply.at == datetime(2026, 11, 23, 1, 0, 30, tzinfo=UTC)
    assert len(taken(sink, sent)) == 1


async def test_a_message_that_never_arrived_is_unknown(sink, gateway):
    sink.behave(drop_first=1)
    sent = sms()
    assert (await gateway.send(sent)).outcome is Outcome.in_doubt
    assert (await gateway.ask(sent)).outcome is Outcome.unknown


@pytest.mark.parametrize("status", ["accepted", "failed", "unknown"])
async def test_the_gateways_word_is_taken(sink, gateway, status):
    sink.behave(ask_status=status)
    sent = sms()
    await gateway.send(sent)
    assert (await gateway.ask(sent)).outcome is Outcome(status)


async def test_a_word_that_is_not_known_leaves_it_in_doubt(sink, gateway):
    sink.behave(ask_status="underway")
    sent = sms()
    await gateway.send(sent)
    assert (await gateway.ask(sent)).outcome is Outcome.in_doubt


async def test_a_gateway_that_cannot_be_asked_says_so(sink, gateway):
    sink.behave(can_be_asked=0)
    assert await gateway.ask(sms()) is None


async def test_asking_without_an_answer_leaves_it_in_doubt(pool):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    gateway = SmsHttpGateway(pool, f"http://127.0.0.1:{port}/sms", "")
    assert await gateway.ask(sms()) == Reply(Outcome.in_doubt, "connect_failed")


async def test_what_the_url_has_besides_is_kept_when_asking(sink, pool):
    gateway = SmsHttpGateway(pool, f"{sink.url}/sms/?tenant=4", "")
    sent = sms()
    await gateway.send(sent)
    assert taken(sink, sent)[0]["query"] == {"tenant": "4"}
    assert (await gateway.ask(sent)).outcome is Outcome.accepted
