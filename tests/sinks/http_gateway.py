"""A gateway over HTTP that speaks each provider's answers: `python -m tests.sinks.http_gateway`.

The path tells whom it plays: `/sms` the generic one, `/` Aliyun, `/dingtalk`, `/wecom`, `/feishu`,
`/webhook`. It prints its port. A raw protocol, since a benchmark shall measure the sender.
"""

import asyncio
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvloop

from tests.sinks.behaviours import HttpBehaviour, read_flags
from tests.sinks.provider_answers import accepting, details, identify, status_of
from tests.sinks.receipt_sender import ReceiptSender


class State:
    """What the gateway remembers; shared by its connections."""

    def __init__(self, behaviour: HttpBehaviour, folder: Path) -> None:
        self.behaviour = behaviour
        self.file = (folder / "accepted.jsonl").open("a", encoding="utf-8", buffering=1)
        self.ids: dict[str, int] = {}
        self.counts = {"requests": 0, "accepted": 0, "connections": 0, "most_at_once": 0}
        self.under_way = 0
        self.posted = 0
        self.second = (0, 0)
        self.receipts = ReceiptSender(self)

    def accept(self, message: dict[str, Any]) -> None:
        self.counts["accepted"] += 1
        self.ids[message["id"]] = self.ids.get(message["id"], 0) + 1
        self.file.write(json.dumps(message, ensure_ascii=False) + "\n")

    def is_throttled(self) -> bool:
        now = int(time.monotonic())
        self.second = (now, self.second[1] + 1 if self.second[0] == now else 1)
        limit = self.behaviour.per_second
        return self.posted <= self.behaviour.throttle_first or (0 < limit < self.second[1])


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class Connection(asyncio.Protocol):
    """One connection of a client; its requests are answered in turn."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.buffer = b""
        self.turn: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.state.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in lines)
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, target, _ = first.split(" ")
        request = Request(method, target, headers, rest[:length])
        self.turn = asyncio.get_running_loop().create_task(self.serve(request))

    async def serve(self, request: Request) -> None:
        state = self.state
        state.under_way += 1
        state.counts["requests"] += 1
        state.counts["most_at_once"] = max(state.counts["most_at_once"], state.under_way)
        try:
            if request.path.startswith("/_"):
                self.answer(200, self.control(request))
            elif request.method == "GET":
                self.answer(*self.asked(request))
            else:
                await self.posted(request)
        finally:
            state.under_way -= 1

    def control(self, request: Request) -> object:
        if request.path == "/_behave":
            changes = json.loads(request.body)
            self.state.behaviour = replace(self.state.behaviour, **changes)
            self.state.posted, self.state.second = 0, (0, 0)
            return asdict(self.state.behaviour)
        if request.path == "/_counts":
            return self.state.counts
        path = Path(self.state.file.name)
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def asked(self, request: Request) -> tuple[int, object]:
        """Tell what became of a message, by the sender's id of it."""
        identity = request.path.rpartition("/")[2]
        if not self.state.behaviour.can_be_asked:
            return 405, {}
        if identity not in self.state.ids:
            return 404, {"code": 404}
        return 200, status_of(self.state.behaviour.ask_status)

    async def posted(self, request: Request) -> None:
        state, behaviour = self.state, self.state.behaviour
        state.posted += 1
        number = state.posted
        if behaviour.latency_ms:
            await asyncio.sleep(behaviour.latency_ms / 1000)
        if request.headers.get("x-acs-action") == "QuerySendDetails":
            return self.answer(200, details(request.query, state.ids, behaviour.ask_status))
        if number <= behaviour.drop_first:
            return self.transport.abort()
        if refusal := self.refusal(request):
            return self.answer(*refusal)
        message = identify(request)
        state.accept(message)
        if behaviour.receipts_url:
            await state.receipts.add(message)
        if number <= behaviour.hang_first:
            return None
        every = behaviour.reset_every
        if number <= behaviour.reset_first or (every and number % every == 0):
            return self.transport.abort()
        return self.answer(200, accepting(request.path, message["id"]))

    def refusal(self, request: Request) -> tuple[int, object] | None:
        behaviour = self.state.behaviour
        if self.state.is_throttled():
            return 429, {"code": 429}
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if behaviour.token and token != behaviour.token:
            return 401, {"code": 401}
        if behaviour.body or behaviour.status != 200:
            return behaviour.status, behaviour.body
        return None

    def answer(self, status: int, body: object) -> None:
        behaviour = self.state.behaviour
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        content = b" " * behaviour.padding + text.encode()
        more = f"retry-after: {behaviour.retry_after}\r\n" if status in (429, 503) else ""
        more += f"location: {behaviour.location}\r\n" if behaviour.location else ""
        head = (
            f"HTTP/1.1 {status} so\r\ncontent-type: application/json\r\n{more}"
            f"date: Mon, 23 Nov 2026 01:00:00 GMT\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self.transport.write(head.encode() + content)


async def serve() -> None:
    behaviour, port, folder = read_flags(HttpBehaviour, "A gateway that records what it accepts.")
    state = State(behaviour, folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
