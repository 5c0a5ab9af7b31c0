"""HTTP to the outside: many small clients, checked addresses, bounded answers, no redirects."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from math import ceil

import httpcore
import httpx

from water2.domain.errors import Invalid
from water2.domain.sending import Outcome, Reply
from water2.gateways.addresses import Allowed, CheckedBackend, checked_url
from water2.gateways.answers import Answer, wait_seconds

LARGEST_ANSWER = 64 * 1024  # bytes of a body that are read
# httpcore looks at every connection of its pool at every request: one pool of 100 connections was
# measured at 81 requests/s, ten of ten at 847, and fifty of two take a sixth of CPU less than those
CONNECTIONS_EACH = 2
_KEEP_IDLE_SECONDS = 4.0  # servers close after five and more: sending into that leaves doubt
# bodies come as they are: what unfolds to gigabytes cannot be bounded by counting what is read
_HEADERS = {"User-Agent": "water2", "Accept": "*/*", "Accept-Encoding": "identity"}
_NOT_SENT = {
    httpx.ConnectError: "connect_failed",
    httpx.ConnectTimeout: "connect_timeout",
    httpx.PoolTimeout: "pool_timeout",
}


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one context all clients share: the usual authorities and the machine's own.

    Making one takes longer than sending a message.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


class _Client(httpx.AsyncHTTPTransport):
    """A client without what a client adds: cookies, redirects, proxies, and URLs in the log."""

    def __init__(self, connections: int, allowed: Allowed) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEEP_IDLE_SECONDS,
            network_backend=CheckedBackend(allowed),
        )


class HttpPool:
    """A spread of clients of few connections each, of which the least busy takes a request."""

    def __init__(
        self, connections: int = 100, timeout: float = 10.0, allowed: Allowed | None = None
    ) -> None:
        """Share `connections` among clients; `timeout` in seconds, of each step of a request."""
        self.connections = connections
        self._allowed = allowed or Allowed()
        self._step = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        self._longest = 4 * timeout  # of all steps: an answer that drips keeps nothing busy
        count = ceil(connections / CONNECTIONS_EACH)
        each = ceil(connections / count)
        self._clients = [_Client(each, self._allowed) for _ in range(count)]
        self._busy = [0] * count

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer | Reply:
        """Send a request; a reply instead of an answer tells what went wrong on the way.

        `retry`: it was never sent. `in_doubt`: it may have been taken. `permanent`: the address
        must not be called, with the code of `check_url`. `misconfigured`: it cannot be sent.
        """
        try:
            request = httpx.Request(
                method,
                checked_url(url, self._allowed),
                headers={**_HEADERS, **headers},
                content=content,
                extensions={"timeout": self._step},
            )
            async with asyncio.timeout(self._longest):
                return await self._answer(request)
        except Invalid as refusal:
            return Reply(Outcome.permanent, refusal.problems[0].code)
        except tuple(_NOT_SENT) as error:
            return Reply(Outcome.retry, _NOT_SENT[type(error)])
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, UnicodeEncodeError):
            return Reply(Outcome.misconfigured, "request_unsendable")
        except (httpx.TimeoutException, TimeoutError):
            return Reply(Outcome.in_doubt, "no_answer")
        except httpx.TransportError:
            return Reply(Outcome.in_doubt, "connection_lost")

    async def _answer(self, request: httpx.Request) -> Answer:
        at = self._busy.index(min(self._busy))
        self._busy[at] += 1
        try:
            response = await self._clients[at].handle_async_request(request)
            try:
                body = await _bounded_body(response)
            finally:
                await response.aclose()
        finally:
            self._busy[at] -= 1
        said = response.headers
        return Answer(
            response.status_code, body, wait_seconds(said.get("retry-after"), said.get("date"))
        )

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.aclose()


async def _bounded_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) >= LARGEST_ANSWER:
            break
    return bytes(body[:LARGEST_ANSWER])
