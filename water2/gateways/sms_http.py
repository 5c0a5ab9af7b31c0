"""SMS through any gateway that speaks this protocol, or a small bridge to one that does not.

Sending: `POST {url}`, `Authorization: Bearer TOKEN`, JSON `{"id": …, "to": …, "text": …}`. `id` is
ours, 32 hexadecimal digits, the same at every attempt: a gateway that has taken it before answers
as before and sends nothing. The answer is JSON `{"code": …, "message": …, "message_id": …}`:

| code, a number or its text | meaning | outcome |
|---|---|---|
| `0` or `OK` | taken | accepted |
| `100`–`199`, `busy`, `throttled` | try again later | retry |
| `200`–`299`, `invalid_number` | this number, never | permanent |
| `300`–`399`, `blocked`, `limit` | not to this number now | blocked |
| `400`–`499`, `unauthorized`, `balance` | the account, its token or template | misconfigured |

Any other code is tried again. With HTTP status 429 or 5xx it is tried again whatever the body
says, after `Retry-After`; where the body has no code, the status is judged.

Asking: `GET {url}/{id}` answers `{"code": 0, "status": …, "at": …, "reason": …}`: `accepted`,
`delivered`, `failed` (why: `reason`) or `unknown`, `at` by RFC 3339. 404: unknown. 405 or 501: it
cannot be asked.
"""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx

from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.answers import Answer, by_status
from water2.gateways.http_pool import HttpPool

_WORDS = {
    "ok": Outcome.accepted,
    "busy": Outcome.retry,
    "throttled": Outcome.retry,
    "invalid_number": Outcome.permanent,
    "blocked": Outcome.blocked,
    "limit": Outcome.blocked,
    "unauthorized": Outcome.misconfigured,
    "balance": Outcome.misconfigured,
}
_HUNDREDS = {
    "1": Outcome.retry,
    "2": Outcome.permanent,
    "3": Outcome.blocked,
    "4": Outcome.misconfigured,
}
_STATUSES = {
    "accepted": Outcome.accepted,
    "delivered": Outcome.delivered,
    "failed": Outcome.failed,
    "unknown": Outcome.unknown,
}


class SmsHttpGateway:
    """A gateway that speaks the protocol above."""

    channel = SendingChannel.sms

    def __init__(self, pool: HttpPool, url: str, token: str) -> None:
        self._pool, self._url = pool, url
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self.connections = pool.connections

    async def send(self, message: Message) -> Reply:
        """Send one message."""
        text = " ".join((message.short, *message.links))
        told = {"id": message.id, "to": message.address, "text": text}
        body = json.dumps(told, ensure_ascii=False).encode()
        answer = await self._pool.request("POST", self._url, headers=self._headers, content=body)
        return of_channel(answer) if isinstance(answer, Reply) else _judged(answer)

    async def ask(self, message: Message) -> Reply | None:
        """Ask by our id; `in_doubt` where there is no answer, or none that can be read."""
        url = httpx.URL(self._url)
        url = url.copy_with(path=f"{url.path.rstrip('/')}/{message.id}")
        answer = await self._pool.request("GET", str(url), headers=self._headers)
        if isinstance(answer, Reply):
            return Reply(Outcome.in_doubt, answer.code)
        if answer.status in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
            return None
        if answer.status == HTTPStatus.NOT_FOUND:
            return answer.reply(Outcome.unknown, answer.status)
        told = answer.json_object()
        status = _STATUSES.get(str(told.get("status"))) if answer.is_success else None
        if status is None:
            return answer.reply(Outcome.in_doubt, answer.status)
        at = instant_of(told.get("at"))
        return answer.reply(status, told.get("reason") or status, at=at, body=answer.body)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


def of_channel(reply: Reply) -> Reply:
    """Return a pool's reply as one about the channel, whose address is ours: not the number's."""
    if reply.outcome is Outcome.permanent:
        return Reply(Outcome.misconfigured, reply.code)
    return reply


def _judged(answer: Answer) -> Reply:
    told = answer.json_object()
    code = told.get("code")
    outcome = _outcome_of(code)
    if outcome is None or answer.is_unavailable:
        return by_status(answer)
    if outcome is Outcome.accepted and not answer.is_success:
        return by_status(answer)
    their_id = told.get("message_id")
    return answer.reply(outcome, code, provider_id=None if their_id is None else str(their_id))


def _outcome_of(code: object) -> Outcome | None:
    """Return what a code means; None where there is none."""
    if isinstance(code, bool) or not isinstance(code, str | int):
        return None
    text = str(code).strip().lower()
    if text == "0":
        return Outcome.accepted
    if text.isdecimal() and len(text) == 3:
        return _HUNDREDS.get(text[0], Outcome.retry)
    return _WORDS.get(text, Outcome.retry)


def instant_of(written: Any) -> datetime | None:
    """Read an instant by RFC 3339; None where it cannot be read or names no zone."""
    try:
        at = datetime.fromisoformat(written)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None
