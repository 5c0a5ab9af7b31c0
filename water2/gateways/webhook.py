"""Webhooks as the Standard Webhooks specification has them: JSON, signed, retried under one id."""

import json
from http import HTTPStatus

from water2.clock import Clock
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.answers import Answer, by_status
from water2.gateways.http_pool import HttpPool
from water2.gateways.signatures import signed_headers


class WebhookGateway:
    """Posts the data of a message to an address a utility entered.

    Any 2xx is success; what it answers says nothing. 410 ends the address. All else is retried
    under the same `webhook-id`, by which the receiver knows a repetition.
    """

    channel = SendingChannel.webhook

    def __init__(self, pool: HttpPool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self.connections = pool.connections

    async def send(self, message: Message) -> Reply:
        """Send one message; without a usable secret it is not sent: `secret_unusable`."""
        body = json.dumps(message.data, ensure_ascii=False, separators=(",", ":")).encode()
        at = message.sent_at or self._clock()
        try:
            headers = signed_headers(message.secret or "", message.id, at, body)
        except ValueError:
            return Reply(Outcome.permanent, "secret_unusable")
        headers["Content-Type"] = "application/json"
        answer = await self._pool.request("POST", message.address, headers=headers, content=body)
        return answer if isinstance(answer, Reply) else _judged(answer)

    async def ask(self, message: Message) -> Reply | None:  # noqa: ARG002 - the seam has it
        """Return None: a receiver cannot be asked."""
        return None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


def _judged(answer: Answer) -> Reply:
    if answer.is_success:
        return answer.reply(Outcome.accepted, answer.status)
    if answer.status == HTTPStatus.GONE:
        return answer.reply(Outcome.permanent, answer.status)
    judged = by_status(answer)
    if judged.outcome is Outcome.misconfigured:  # one receiver's fault is not the channel's
        return answer.reply(Outcome.retry, answer.status)
    return judged
