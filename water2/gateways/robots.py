"""Group robots: they publish to whoever is in a group; what they take proves no household was told.

Each answers 200 with an error code in the body, and stops listening for a while beyond its rate.
The address of a robot holds its token, so it is shown nowhere.
"""

import base64
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import httpx

from water2.clock import Clock
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.answers import Answer, by_status
from water2.gateways.http_pool import HttpPool

_SILENCE_SECONDS = 60  # what all three ask for beyond their rate


class RobotGateway(ABC):
    """What the three have in common; whoever sends keeps the rates, which are per robot."""

    channel: SendingChannel
    per_minute: ClassVar[int]
    per_second: ClassVar[int | None] = None
    longest_bytes: ClassVar[int]
    """Of the text, in UTF-8; a longer one is cut."""
    outcomes: ClassVar[Mapping[str, Outcome]]
    """By the code of the body; any other code is tried again."""

    def __init__(self, pool: HttpPool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self.connections = pool.connections

    async def send(self, message: Message) -> Reply:
        """Publish one message."""
        at = message.sent_at or self._clock()
        try:
            url = self._url(message, at)
        except (httpx.InvalidURL, UnicodeError):
            return Reply(Outcome.permanent, "url_unreadable")
        body = self._body(_cut(f"{message.title}\n{message.text}", self.longest_bytes), message, at)
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = await self._pool.request("POST", url, headers=headers, content=content)
        return answer if isinstance(answer, Reply) else self._judged(answer)

    async def ask(self, message: Message) -> Reply | None:  # noqa: ARG002 - the seam has it
        """Return None: a robot cannot be asked."""
        return None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    def _url(self, message: Message, at: datetime) -> str:  # noqa: ARG002 - one signs the URL
        return message.address

    @abstractmethod
    def _body(self, text: str, message: Message, at: datetime) -> dict[str, Any]: ...

    def _code(self, told: dict[str, Any]) -> Any:
        return told.get("errcode")

    def _judged(self, answer: Answer) -> Reply:
        code = self._code(answer.json_object())
        if answer.is_unavailable or isinstance(code, bool) or not isinstance(code, int | str):
            return by_status(answer)
        outcome = self.outcomes.get(str(code), Outcome.retry)
        if outcome is Outcome.accepted and not answer.is_success:
            return by_status(answer)
        reply = answer.reply(outcome, code)
        if outcome is Outcome.retry and reply.wait_seconds is None:
            return replace(reply, wait_seconds=_SILENCE_SECONDS)
        return reply


class DingTalkGateway(RobotGateway):
    """DingTalk (钉钉): the signature stands in the query."""

    channel = SendingChannel.dingtalk
    per_minute = 20
    longest_bytes = 20_000
    outcomes: ClassVar[Mapping[str, Outcome]] = {
        "0": Outcome.accepted,
        "310000": Outcome.misconfigured,  # signature, keyword or address of the sender
        "300001": Outcome.misconfigured,  # no such token
        "300005": Outcome.misconfigured,
        "400101": Outcome.misconfigured,
        "400102": Outcome.misconfigured,  # stopped
        "130101": Outcome.retry,  # too fast
    }

    def _url(self, message: Message, at: datetime) -> str:
        if not message.secret:
            return message.address
        timestamp = str(int(at.timestamp() * 1000))
        to_sign = f"{timestamp}\n{message.secret}".encode()
        digest = hmac.digest(message.secret.encode(), to_sign, "sha256")
        signed = {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
        return str(httpx.URL(message.address).copy_merge_params(signed))

    def _body(self, text: str, message: Message, at: datetime) -> dict[str, Any]:  # noqa: ARG002 - as above
        return {"msgtype": "text", "text": {"content": text}}


class WeComGateway(RobotGateway):
    """WeCom (企业微信): the key in the address is all it asks for."""

    channel = SendingChannel.wecom
    per_minute = 20
    longest_bytes = 2048
    outcomes: ClassVar[Mapping[str, Outcome]] = {
        "0": Outcome.accepted,
        "93000": Outcome.misconfigured,  # no such robot
        "45009": Outcome.retry,  # too fast
    }

    def _body(self, text: str, message: Message, at: datetime) -> dict[str, Any]:  # noqa: ARG002 - as above
        return {"msgtype": "text", "text": {"content": text}}


class FeishuGateway(RobotGateway):
    """Feishu (飞书): the signature stands in the body; timestamp and secret are its key."""

    channel = SendingChannel.feishu
    per_minute = 100
    per_second = 5
    longest_bytes = 18_000  # of a request of 20 KB
    outcomes: ClassVar[Mapping[str, Outcome]] = {
        "0": Outcome.accepted,
        "19001": Outcome.misconfigured,  # no such robot
        "19021": Outcome.misconfigured,  # signature, or this machine's clock
        "19022": Outcome.misconfigured,  # address of the sender
        "19024": Outcome.misconfigured,  # keyword
        "11232": Outcome.retry,  # too fast
        "9499": Outcome.retry,
    }

    def _body(self, text: str, message: Message, at: datetime) -> dict[str, Any]:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if message.secret:
            timestamp = str(int(at.timestamp()))
            key = f"{timestamp}\n{message.secret}".encode()
            sign = base64.b64encode(hmac.digest(key, b"", "sha256")).decode()
            body |= {"timestamp": timestamp, "sign": sign}
        return body

    def _code(self, told: dict[str, Any]) -> Any:
        return told.get("code", told.get("StatusCode"))


def _cut(text: str, longest: int) -> str:
    """Return a text of at most so many bytes in UTF-8, with an ellipsis where it was cut."""
    content = text.encode()
    if len(content) <= longest:
        return text
    return content[: longest - len("…".encode())].decode(errors="ignore") + "…"
