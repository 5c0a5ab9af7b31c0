"""Requests to an application in this process: neither sockets nor a client hide a route's cost."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from tests.benchmarks.stage import NOW
from tests.builders import Installation
from water2.api.app import create_api
from water2.config import Settings
from water2.domain.access import Role
from water2.services.accounts import NewAccount, add_account
from water2.services.sign_in import open_session

CLIENTS = 8
Request = Callable[[int], Awaitable[bytes]]


def our_api(installation: Installation, folder: Path) -> FastAPI:
    """Return the product's API over an installation."""
    settings = Settings(data_dir=folder)
    return create_api(installation.runtime, settings, wall_clock=lambda: NOW)


async def a_token(installation: Installation) -> str:
    """Sign a manager in without the cost of a password."""
    async with installation.runtime.work() as work:
        organisation = installation.utility.organisation_id
        account = NewAccount(
            "manager", Role.manager, "none", organisation, must_change_password=False
        )
        user = await add_account(work, account)
        return (await open_session(work, user, at=NOW - timedelta(minutes=1), hours=12)).token


async def ask(
    app: FastAPI, method: str, target: str, *, token: str = "", body: object = None
) -> bytes:
    """Send one request and return the body of its answer, which must be of success."""
    path, _, query = target.partition("?")
    sent = b"" if body is None else json.dumps(body).encode()
    headers = [(b"host", b"water2"), (b"content-type", b"application/json")]
    headers += [
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-length", b"%d" % len(sent)),
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("water2", 80),
    }
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": sent, "more_body": False}]
    )
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        answer.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in answer)
    assert answer[0]["status"] < 300, content
    return content


async def rate(request: Request, first: int, count: int) -> float:
    """Return requests a second, from a few clients at once."""
    numbers = iter(range(first, first + count))

    async def client() -> None:
        for number in numbers:
            await request(number)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / (time.perf_counter() - began)
