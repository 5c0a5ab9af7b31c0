"""What is refused before a route is looked for: bodies too large, of another media type, NUL."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from water2.api.problems import problem_answer, words_for
from water2.edge.problems import plain_problem

LARGEST_BODY = 1 << 20  # one MiB of JSON
LARGEST_UPLOAD = 64 << 20
_STATUS_CODES = {404: "route_unknown", 413: "body_too_large", 415: "media_type_unknown"}


class IncomingGuard:
    """Middleware over the API's paths; other paths pass untouched."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = LARGEST_UPLOAD if _is_upload(headers) else LARGEST_BODY
        status = _refused(scope, headers, most)
        if status is not None:
            request = Request(scope)
            problem = plain_problem(words_for(request), status, _STATUS_CODES[status])
            await problem_answer(problem)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most), _private(send))


def _is_upload(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("multipart/form-data")


def _refused(scope: Scope, headers: Headers, most: int) -> int | None:
    if "\x00" in scope["path"]:
        return 404  # no database keeps such a name, and PostgreSQL would not even look for it
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        return 413
    has_body = (length.isdecimal() and int(length) > 0) or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    known = kind == "application/json" or kind.endswith("+json") or _is_upload(headers)
    return 415 if has_body and not known else None


def _private(send: Send) -> Send:
    """Keep answers out of caches, unless they say otherwise: most are not for everybody."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_private


def _counted(receive: Receive, most: int) -> Callable[[], Awaitable[Message]]:
    """Count a body that did not say its length, and stop it at the limit."""
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413)
        return message

    return receive_counted
