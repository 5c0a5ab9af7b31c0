"""The pool: what became of a request when the network or the other side misbehaves."""

import asyncio
import socket
from contextlib import suppress

import pytest

from tests.gateways.conftest import ALLOWED
from water2.domain.sending import Outcome, Reply
from water2.gateways.answers import Answer, wait_seconds
from water2.gateways.http_pool import LARGEST_ANSWER, HttpPool, tls_context


async def post(pool: HttpPool, url: str) -> Answer | Reply:
    return await pool.request("POST", url, headers={}, content=b'{"id": "1"}')


async def test_nobody_listening_means_try_again(pool):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert await post(pool, f"http://127.0.0.1:{port}/") == Reply(Outcome.retry, "connect_failed")


async def test_a_name_that_does_not_resolve_means_try_again(pool):
    reply = await post(pool, "https://nobody.invalid/")
    assert reply == Reply(Outcome.retry, "connect_failed")


async def test_a_connection_cut_after_the_request_was_sent_leaves_it_in_doubt(sink, pool):
    sink.behave(reset_first=1)
    before = len(sink.accepted)
    reply = await post(pool, f"{sink.url}/sms")
    assert reply == Reply(Outcome.in_doubt, "connection_lost")
    assert len(sink.accepted) == before + 1


async def test_no_answer_in_time_leaves_it_in_doubt(sink):
    impatient = HttpPool(1, timeout=1.0, allowed=ALLOWED)
    sink.behave(hang_first=1)
    assert await post(impatient, f"{sink.url}/sms") == Reply(Outcome.in_doubt, "no_answer")
    await impatient.close()


async def test_an_answer_that_drips_ends_in_doubt(pool):
    ended = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    short = HttpPool(1, timeout=0.1, allowed=ALLOWED)
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reply = await post(short, f"http://127.0.0.1:{port}/")
    assert reply == Reply(Outcome.in_doubt, "no_answer")
    await short.close()
    await ended.wait()
    server.close()
    await server.wait_closed()


async def test_no_more_of_a_body_is_read_than_the_bound(sink, pool):
    sink.behave(padding=10 * LARGEST_ANSWER)
    answer = await post(pool, f"{sink.url}/sms")
    assert len(answer.body) == LARGEST_ANSWER
    assert answer.json_object() == {}


async def test_a_server_without_tls_where_tls_is_due_gets_nothing(sink, pool):
    reply = await post(pool, f"https://127.0.0.1:{sink.port}/sms")
    assert reply.outcome is Outcome.retry


async def test_a_header_that_cannot_be_sent_is_a_setting_at_fault(sink, pool):
    headers = {"Authorization": "Bearer a\nb"}
    reply = await pool.request("POST", f"{sink.url}/sms", headers=headers)
    assert reply == Reply(Outcome.misconfigured, "request_unsendable")


async def test_connections_are_used_again_and_shared_among_clients(sink):
    pool = HttpPool(40, allowed=ALLOWED)
    sink.behave(latency_ms=50)
    before = sink.counts["connections"]
    for _ in range(3):
        await asyncio.gather(*(post(pool, f"{sink.url}/sms") for _ in range(40)))
    assert [client._pool._max_connections for client in pool._clients] == [2] * 20
    counts = sink.counts
    assert counts["connections"] - before <= 40 + 2  # and those of the two questions
    assert counts["most_at_once"] >= 35
    await pool.close()


async def test_no_cookie_is_kept_and_no_environment_is_asked(sink, pool, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    fresh = HttpPool(1, allowed=ALLOWED)
    assert (await post(fresh, f"{sink.url}/sms")).status == 200
    headers = sink.accepted[-1]["headers"]
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers
    await fresh.close()


def test_all_pools_share_one_tls_context():
    contexts = {client._pool._ssl_context for client in HttpPool(30)._clients}
    assert contexts == {tls_context()}


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        (None, None, None),
        ("7", None, 7),
        ("99999999999999999999", None, 24 * 3600),
        ("soon", None, None),
        ("-5", None, None),
        ("Mon, 23 Nov 2026 01:02:00 GMT", "Mon, 23 Nov 2026 01:00:00 GMT", 120),
        ("Mon, 23 Nov 2026 00:00:00 GMT", "Mon, 23 Nov 2026 01:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 01:02:00 GMT", None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(retry_after, date, seconds):
    assert wait_seconds(retry_after, date) == seconds
