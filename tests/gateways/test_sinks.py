"""The gateway the tests stand on: it can do what providers do to us, and is fast enough to."""

import asyncio
import time

import httpx
import pytest
from standardwebhooks import Webhook

from tests.gateways.messages import sms
from tests.sinks import HttpSink, http_gateway
from water2.domain.sending import Outcome
from water2.gateways.receipts import read_aliyun_receipts, read_generic_receipts

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CLIENTS = 20
ENOUGH_PER_SECOND = 2000


async def send(sink: HttpSink, path: str = "/sms") -> str:
    sent = sms()
    body = {"id": sent.id, "to": sent.address, "text": sent.short}
    async with httpx.AsyncClient() as client:
        await client.post(f"{sink.url}{path}?OutId={sent.id}&PhoneNumbers=1", json=body)
    return sent.id


async def test_receipts_are_pushed_late_doubled_and_signed(sink):
    with http_gateway() as receiver:
        sink.behave(
            receipts_url=f"{receiver.url}/receipts",
            receipts_secret=SECRET,
            receipts_copies=2,
            receipts_delay_ms=200,
        )
        began = time.monotonic()
        identity = await send(sink)
        assert receiver.accepted == []
        (push,) = receiver.wait_for(1)
    assert time.monotonic() - began >= 0.2
    Webhook(SECRET).verify(push["raw"], push["headers"])
    receipts = read_generic_receipts(push["raw"].encode())
    assert [(one.outcome, one.message_id) for one in receipts] == 2 * [
        (Outcome.delivered, identity)
    ]


async def test_receipts_come_before_the_answer_where_told_so(sink):
    with http_gateway() as receiver:
        sink.behave(
            receipts_url=f"{receiver.url}/receipts",
            receipts_early=1,
            receipts_style="aliyun",
            receipts_status="failed",
        )
        identity = await send(sink, "/")
        (push,) = receiver.accepted
    (receipt,) = read_aliyun_receipts(push["raw"].encode())
    assert (receipt.outcome, receipt.message_id) == (Outcome.failed, identity)


async def test_more_than_its_rate_is_throttled(sink):
    sink.behave(per_second=5)
    async with httpx.AsyncClient() as client:
        posts = [client.post(f"{sink.url}/sms", json={"id": str(n)}) for n in range(20)]
        statuses = [(await answer).status_code for answer in posts]
    assert 5 <= statuses.count(200) <= 10
    assert statuses.count(429) == 20 - statuses.count(200)


async def test_it_answers_more_than_any_of_our_senders_asks():
    """Raw sockets: httpx itself would be what is measured."""
    body = b'{"id": "1", "to": "13812345678", "text": "x"}'
    head = b"POST /sms HTTP/1.1\r\nhost: sink\r\ncontent-length: %d\r\n\r\n" % len(body)

    async def client(port: int, until: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answered = 0
        while time.perf_counter() < until:
            writer.write(head + body)
            await reader.readuntil(b"}")
            answered += 1
        writer.close()
        await writer.wait_closed()
        return answered

    with http_gateway() as sink:
        until = time.perf_counter() + 1
        counts = await asyncio.gather(*(client(sink.port, until) for _ in range(CLIENTS)))
        assert sum(counts) == len(sink.accepted)
    assert sum(counts) >= ENOUGH_PER_SECOND


async def test_a_sink_that_does_not_start_says_why():
    with pytest.raises(RuntimeError, match="unrecognized arguments"), http_gateway(nonsense=1):
        pass
