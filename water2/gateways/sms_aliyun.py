"""SMS through Aliyun's Dysmsapi, version 2017-05-25: SendSms, and QuerySendDetails to ask.

A template of the utility's holds one variable, which takes the text of the message; `OutId` is our
id, under which receipts and details come back. Errors come with HTTP 4xx as well as 200, so the
`Code` of the body is judged first.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from water2.clock import Clock
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.aliyun_signature import AliyunCall, AliyunKey, authorised_headers
from water2.gateways.aliyun_times import BEIJING, beijing_instant
from water2.gateways.answers import Answer, by_status
from water2.gateways.http_pool import HttpPool
from water2.gateways.sms_http import of_channel

_VERSION = "2017-05-25"
_PAGE_SIZE = 50  # the most the API takes; a number gets far fewer messages a day

# by the beginning of the code, the first that fits; whatever else there is, is tried again
_CODES = {
    "isv.BUSINESS_LIMIT_CONTROL": Outcome.blocked,  # too many to this number
    "isv.DAY_LIMIT": Outcome.blocked,
    "isv.MONTH_LIMIT": Outcome.blocked,
    "isv.BLACK_KEY_CONTROL_LIMIT": Outcome.blocked,
    "isv.SMS_CONTENT_ILLEGAL": Outcome.blocked,
    "isv.PARAM_LENGTH_LIMIT": Outcome.blocked,
    "isv.PARAM_NOT_SUPPORT_URL": Outcome.blocked,
    "isv.MOBILE_NUMBER_ILLEGAL": Outcome.permanent,
    "isv.AMOUNT_NOT_ENOUGH": Outcome.misconfigured,
    "isv.OUT_OF_SERVICE": Outcome.misconfigured,
    "isv.PRODUCT_UN": Outcome.misconfigured,
    "isv.ACCOUNT_": Outcome.misconfigured,
    "isv.SMS_": Outcome.misconfigured,  # template, signature, their scene
    "isv.TEMPLATE_": Outcome.misconfigured,
    "isv.INVALID_": Outcome.misconfigured,
    "isv.DENY_IP_RANGE": Outcome.misconfigured,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Outcome.misconfigured,
    "isp.RAM_PERMISSION_DENY": Outcome.misconfigured,
    "SignatureDoesNotMatch": Outcome.misconfigured,
    "IncompleteSignature": Outcome.misconfigured,
    "InvalidAccessKeyId": Outcome.misconfigured,
    "InvalidTimeStamp": Outcome.misconfigured,  # this machine's clock is wrong
    "Missing": Outcome.misconfigured,
    "Forbidden": Outcome.misconfigured,
    "NoPermission": Outcome.misconfigured,
}
# of one message that was sent twice, the best word counts
_STATUSES = {"3": Outcome.delivered, "1": Outcome.accepted, "2": Outcome.failed}


@dataclass(frozen=True, slots=True)
class AliyunAccount:
    """What the utility agreed with Aliyun; `variable` is the template's one variable."""

    key: AliyunKey
    sign_name: str
    template_code: str
    variable: str = "text"
    endpoint: str = "https://dysmsapi.aliyuncs.com"


class SmsAliyunGateway:
    """Sends by an account at Aliyun."""

    channel = SendingChannel.sms

    def __init__(self, pool: HttpPool, account: AliyunAccount, clock: Clock) -> None:
        self._pool, self._account, self._clock = pool, account, clock
        self._host = httpx.URL(account.endpoint).netloc.decode("ascii")
        self.connections = pool.connections

    async def send(self, message: Message) -> Reply:
        """Send one message."""
        account = self._account
        parameters = {
            "PhoneNumbers": message.address,
            "SignName": account.sign_name,
            "TemplateCode": account.template_code,
            "TemplateParam": json.dumps({account.variable: message.short}, ensure_ascii=False),
            "OutId": message.id,
        }
        answer = await self._call("SendSms", parameters, self._instant(message))
        if isinstance(answer, Reply):
            return of_channel(answer)
        told = answer.json_object()
        code = told.get("Code")
        if not isinstance(code, str):
            return by_status(answer)
        if code == "OK":
            return _accepted(answer, told)
        return answer.reply(_outcome_of(code), code)

    async def ask(self, message: Message) -> Reply | None:
        """Ask by our id, on the day of `sent_at` in Beijing and the one before.

        `in_doubt` where there is no answer. Details appear a little after a message was taken:
        whoever asks at once may hear `unknown` of one that is on its way.
        """
        day = self._instant(message).astimezone(BEIJING)
        told = await self._details(message, f"{day:%Y%m%d}")
        if told.outcome is not Outcome.unknown:
            return told
        return await self._details(message, f"{day - timedelta(days=1):%Y%m%d}")

    async def _details(self, message: Message, day: str) -> Reply:
        parameters = {
            "PhoneNumber": message.address,
            "SendDate": day,
            "PageSize": str(_PAGE_SIZE),
            "CurrentPage": "1",
        }
        answer = await self._call("QuerySendDetails", parameters, self._clock())
        if isinstance(answer, Reply):
            return Reply(Outcome.in_doubt, answer.code)
        told = answer.json_object()
        if told.get("Code") != "OK" or not answer.is_success:
            return answer.reply(Outcome.in_doubt, told.get("Code", answer.status))
        return _found(answer, told, message.id) or answer.reply(Outcome.unknown, "OK")

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    def _instant(self, message: Message) -> datetime:
        return message.sent_at or self._clock()

    async def _call(
        self, action: str, parameters: Mapping[str, str], at: datetime
    ) -> Answer | Reply:
        date = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        call = AliyunCall(self._host, action, _VERSION, parameters, date, secrets.token_hex(16))
        url = f"{self._account.endpoint.rstrip('/')}/?{call.query}"
        headers = authorised_headers(call, self._account.key)
        return await self._pool.request("POST", url, headers=headers)


def _accepted(answer: Answer, told: dict[str, Any]) -> Reply:
    if not answer.is_success:
        return by_status(answer)
    biz_id = told.get("BizId")
    return answer.reply(Outcome.accepted, "OK", provider_id=biz_id and str(biz_id))


def _outcome_of(code: str) -> Outcome:
    return next((out for start, out in _CODES.items() if code.startswith(start)), Outcome.retry)


def _found(answer: Answer, told: dict[str, Any], identity: str) -> Reply | None:
    """Return the best word on a message in the details of a number's day."""
    try:
        details = [
            one for one in told["SmsSendDetailDTOs"]["SmsSendDetailDTO"] if one["OutId"] == identity
        ]
    except (KeyError, TypeError):
        details = []
    for status, outcome in _STATUSES.items():
        for detail in details:
            if str(detail.get("SendStatus")) == status:
                code = detail.get("ErrCode") or ""
                at = _received_at(detail)
                return answer.reply(outcome, code, at=at, body=answer.body)
    return None


def _received_at(detail: dict[str, Any]) -> datetime | None:
    try:
        return beijing_instant(detail.get("ReceiveDate"))
    except ValueError:
        return None
