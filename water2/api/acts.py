"""Writing requests: one act, one transaction, one answer per idempotency key.

The unit ends inside the route: it commits, or fails, before the answer is sent. As a dependency of
FastAPI's default scope a failing commit would still answer 201.
"""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import UploadFile

from water2.api.callers import AnyCaller, PresentCaller
from water2.api.state import state_of
from water2.domain.errors import Conflict
from water2.domain.operation import IdempotentAnswer
from water2.edge.database_away import broken_off
from water2.services.idempotency import FirstAnswer, claim_key
from water2.services.sign_in import Caller
from water2.work import Work

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it gets the first answer of success.",
    ),
]
_CHUNK = 1 << 20
ATTEMPTS = 3
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_log = logging.getLogger(__name__)


class Replayed(Exception):
    """A request whose key was answered before; nothing is done again."""

    def __init__(self, answer: FirstAnswer) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass
class Act:
    """A writing request's unit of work, and what it answers."""

    work: Work
    claimed: IdempotentAnswer | None

    def answer(
        self, shown: BaseModel | None, status: int = 200, version: int | None = None
    ) -> Response:
        """Answer, and keep the answer beside the act where the request has a key."""
        body = b"" if shown is None else shown.model_dump_json().encode()
        etag = None if version is None else f'"{version}"'
        if self.claimed is not None:
            # sealed: an answer may show flats, or cells of a refused row
            kept = self.work.contacts.seal(body.decode())
            self.claimed.status, self.claimed.body, self.claimed.etag = status, kept, etag
        return answer_of(status, body, etag)


def answer_of(status: int, body: bytes, etag: str | None) -> Response:
    """Return the HTTP answer of some bytes of JSON."""
    headers = {} if etag is None else {"ETag": etag}
    media_type = "application/json" if body else None
    return Response(body, status_code=status, headers=headers, media_type=media_type)


def replayed_answer(answer: FirstAnswer) -> Response:
    """Return the first answer again, marked as such."""
    response = answer_of(answer.status, answer.body, answer.etag)
    response.headers["Idempotent-Replayed"] = "true"
    return response


@asynccontextmanager
async def acting(request: Request, caller: Caller, key: str | None) -> AsyncIterator[Act]:
    """Open the unit of a writing request.

    Raises:
        Replayed: the key was answered before.
        Invalid: the key was used for another request.
    """
    state = state_of(request)
    told = await _told(request) if key else ""
    async with state.runtime.work(caller.actor, idempotency_key=key) as work:
        claimed = None
        if key is not None:
            # keyed, so that a kept hash does not let anybody guess a password in a body
            fingerprint = work.contacts.index(told).hex()
            found = await claim_key(work, key, fingerprint, state.wall_clock())
            if isinstance(found, FirstAnswer):
                raise Replayed(found)
            claimed = found
        yield Act(work, claimed)


async def _told(request: Request) -> str:
    """Return what makes two requests the same: method, address and body."""
    content = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").startswith("multipart/"):
        for name, value in (await request.form()).multi_items():
            content.update(f"{name}\n".encode())
            await _add_part(content, value)
    else:
        content.update(await request.body())
    return content.hexdigest()


async def _add_part(content: "hashlib._Hash", value: UploadFile | str) -> None:
    if isinstance(value, str):
        content.update(value.encode(errors="replace"))
        return
    content.update(f"{value.filename}\n".encode(errors="replace"))
    while chunk := await value.read(_CHUNK):
        content.update(chunk)
    await value.seek(0)


class ActRoute(APIRoute):
    """The class of writing routes: it ends their unit, and begins anew what PostgreSQL broke off.

    Of acts that wait for each other in a circle the server ends one, all of it: the whole request
    is done again, a few times at most, and nobody need know.
    """

    def get_route_handler(self) -> Handler:
        """Wrap the handler FastAPI makes, dependencies included."""
        handle = super().get_route_handler()

        async def act(request: Request) -> Response:
            async with AsyncExitStack() as unit:
                request.state.unit = unit
                return await handle(request)

        async def act_again(request: Request) -> Response:
            for _ in range(ATTEMPTS - 1):
                try:
                    return await act(request)
                except DBAPIError as error:
                    if not broken_off(error):
                        raise
                    _log.warning("%s was broken off and begins anew", request.url.path)
            return await act(request)

        return act_again


async def open_act(request: Request, caller: PresentCaller, idempotency_key: Key = None) -> Act:
    """Open the unit of a writing request of somebody signed in."""
    unit: AsyncExitStack = request.state.unit
    return await unit.enter_async_context(acting(request, caller, idempotency_key))


async def open_own_act(request: Request, caller: AnyCaller, idempotency_key: Key = None) -> Act:
    """Open a unit also while a one-time password is still to be changed."""
    return await open_act(request, caller, idempotency_key)


async def expected_version(
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` of the version this edit is made on, or `*`."),
    ] = None,
) -> int | None:
    """Read If-Match.

    Raises:
        Conflict: it is lacking, or names no version of ours.
    """
    if if_match is None:
        raise Conflict("version_missing")
    if if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise Conflict("version_changed", {"version": None, "expected": if_match})
    return int(digits)


Writing = Annotated[Act, Depends(open_act)]
OwnWriting = Annotated[Act, Depends(open_own_act)]
ExpectedVersion = Annotated[int | None, Depends(expected_version)]
