"""What a provider answered over HTTP, and what its status alone allows to conclude."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from water2.domain.sending import Outcome, Reply

_LONGEST_WAIT = 24 * 3600
_LONGEST_CODE = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `body` is cut off after the pool's bound, and is then no readable JSON."""

    status: int
    body: bytes
    wait_seconds: int | None = None

    @property
    def is_success(self) -> bool:
        """Tell whether the status is 2xx; what the body says is another matter."""
        return 200 <= self.status < 300

    @property
    def is_unavailable(self) -> bool:
        """Tell whether the status says "not now", whatever the body adds."""
        return self.status >= 500 or self.status in (
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.REQUEST_TIMEOUT,
        )

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object, empty where it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def reply(self, outcome: Outcome, code: object = "", **more: Any) -> Reply:
        """Return a reply with the hash of this body and the wait asked for."""
        return Reply(
            outcome,
            str(code)[:_LONGEST_CODE],
            body_sha256=hashlib.sha256(self.body).hexdigest(),
            wait_seconds=self.wait_seconds,
            **more,
        )


def by_status(answer: Answer) -> Reply:
    """Judge an answer whose body says nothing that can be read.

    A success without its word, and a proxy that gave up waiting, leave it in doubt. A redirect or
    a refusal means that address or credentials are wrong: another attempt would end the same.
    """
    status = answer.status
    if answer.is_success or status == HTTPStatus.GATEWAY_TIMEOUT:
        outcome = Outcome.in_doubt
    elif answer.is_unavailable:
        outcome = Outcome.retry
    else:
        outcome = Outcome.misconfigured
    return answer.reply(outcome, status)


def wait_seconds(retry_after: str | None, date: str | None) -> int | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or an instant, counted from the answer's Date.

    At most a day; None where it cannot be read.
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return min(int(retry_after[:10]), _LONGEST_WAIT)
    try:
        until = _instant(retry_after) - _instant(date or "")
    except (ValueError, TypeError):
        return None
    return min(max(int(until.total_seconds()), 0), _LONGEST_WAIT)


def _instant(header: str) -> datetime:
    return parsedate_to_datetime(header)
