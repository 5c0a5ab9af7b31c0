"""Webhooks: signed as the standard's own package verifies, and judged by their status."""

import json

import pytest
from standardwebhooks import Webhook

from tests.gateways.messages import clock, message, taken
from water2.clock import wall_clock
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.webhook import WebhookGateway

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DATA = {"type": "outage.published", "data": {"number": "OC-2026-1", "title": "停水通知"}}


@pytest.fixture
def gateway(pool) -> WebhookGateway:
    return WebhookGateway(pool, clock)


def webhook(sink, **more) -> Message:
    given = {"address": f"{sink.url}/webhook", "secret": SECRET, "data": DATA}
    return message(SendingChannel.webhook, **(given | more))


async def test_what_arrives_is_verified_by_the_standards_own_package(sink, gateway):
    sent = webhook(sink, sent_at=wall_clock())
    reply = await gateway.send(sent)
    assert (reply.outcome, reply.code) == (Outcome.accepted, "200")
    (record,) = taken(sink, sent)
    assert record["headers"]["webhook-id"] == sent.id
    assert record["headers"]["content-type"] == "application/json"
    assert Webhook(SECRET).verify(record["raw"], record["headers"]) == DATA


async def test_a_repetition_bears_the_same_id(sink, gateway):
    sink.behave(reset_first=1)
    sent = webhook(sink)
    assert (await gateway.send(sent)).outcome is Outcome.in_doubt
    assert (await gateway.send(sent)).outcome is Outcome.accepted
    assert len(taken(sink, sent)) == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Outcome.accepted),
        (204, Outcome.accepted),
        (410, Outcome.permanent),
        (302, Outcome.retry),
        (400, Outcome.retry),
        (401, Outcome.retry),
        (404, Outcome.retry),
        (429, Outcome.retry),
        (500, Outcome.retry),
        (504, Outcome.in_doubt),
    ],
)
async def test_any_2xx_is_success_and_410_the_end(sink, gateway, status, outcome):
    sink.behave(status=status, body=json.dumps({"errcode": 1}))
    assert (await gateway.send(webhook(sink))).outcome is outcome


@pytest.mark.parametrize("secret", [None, "", "whsec_", "whsec_%%%"])
async def test_without_a_usable_secret_nothing_is_sent(sink, gateway, secret):
    sent = webhook(sink, secret=secret)
    assert await gateway.send(sent) == Reply(Outcome.permanent, "secret_unusable")
    assert taken(sink, sent) == []


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://localhost/hook", "url_private_network"),
        ("https://169.254.169.254/latest/meta-data", "url_private_network"),
        ("http://example.com/", "url_not_https"),
        ("https://[::ffff:10.0.0.1]/", "url_private_network"),
    ],
)
async def test_an_address_inside_is_never_called(gateway, address, code):
    sent = message(SendingChannel.webhook, address, secret=SECRET)
    assert await gateway.send(sent) == Reply(Outcome.permanent, code)


async def test_a_receiver_cannot_be_asked(sink, gateway):
    assert await gateway.ask(webhook(sink)) is None
