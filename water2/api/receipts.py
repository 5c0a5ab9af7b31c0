"""Receipts that providers push: no account, but who pushes must share our secret.

They need no Idempotency-Key: each is kept once, by its content.
"""

import hmac
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from pydantic import BaseModel, Field

from water2.api.acts import ActRoute
from water2.api.openapi import examples
from water2.api.problems import problem_answer, words_for
from water2.api.shapes import Query
from water2.api.state import ApiState, state_of
from water2.domain.errors import Conflict, NotFound
from water2.domain.sending import Receipt
from water2.edge.problems import plain_problem
from water2.gateways.receipts import read_aliyun_receipts, read_generic_receipts
from water2.gateways.signatures import SignatureVerdict, verify
from water2.services.delivery.receiving import Received, receive

router = APIRouter(prefix="/receipts", tags=["receipts"], route_class=ActRoute)


class ReceivedAnswer(BaseModel):
    """How many changed anything, were taken before, or are of no message of ours."""

    applied: int
    duplicate: int
    unknown: int


class AliyunAnswer(BaseModel):
    """What Aliyun waits for; anything else it pushes again."""

    code: int = 0
    msg: str = "成功"


class AliyunQuery(Query):
    """The token of the address that Aliyun was given: our secret."""

    token: Annotated[str, Field(max_length=400)] = ""


def _body(name: str) -> dict[str, Any]:
    """Return what OpenAPI says of a body that is read raw: its signature is over its bytes."""
    one = {"type": "object"}
    schema = {"oneOf": [one, {"type": "array", "items": one}]}
    content = {"application/json": {"schema": schema, "example": examples()[name]}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/sms", response_model=ReceivedAnswer, openapi_extra=_body("GenericReceipts"))
async def take_generic(request: Request) -> Response:
    """Take receipts of the generic gateway, signed by Standard Webhooks: one, or a list.

    Each is `{"id": ours, "status": "accepted|delivered|failed", "at": RFC 3339, "code": …}`.
    """
    state, secret = state_of(request), _secret(request)
    body = await request.body()
    if _verdict(request, body, secret) is not SignatureVerdict.genuine:
        return _forged(request)
    taken = await _take(state, "generic", body, read_generic_receipts(body))
    shown = ReceivedAnswer.model_validate(vars(taken))
    return Response(shown.model_dump_json(), media_type="application/json")


@router.post("/aliyun", response_model=AliyunAnswer, openapi_extra=_body("AliyunReceipts"))
async def take_aliyun(request: Request, query: Annotated[AliyunQuery, Given()]) -> Response:
    """Take what Aliyun pushes by SmsReport; it signs nothing, so its address holds our secret."""
    state, secret = state_of(request), _secret(request)
    if not hmac.compare_digest(query.token.encode(), secret.encode()):
        return _forged(request)
    body = await request.body()
    await _take(state, "aliyun", body, read_aliyun_receipts(body))
    return Response(AliyunAnswer().model_dump_json(), media_type="application/json")


def _secret(request: Request) -> str:
    """Return the secret; without one there is no such route, for nobody could be told apart."""
    secret = state_of(request).settings.sms_receipt_secret
    if secret is None or not secret.get_secret_value():
        raise NotFound("route", request.url.path)
    return secret.get_secret_value()


def _verdict(request: Request, body: bytes, secret: str) -> SignatureVerdict:
    try:
        return verify(request.headers, body, secret, state_of(request).wall_clock())
    except ValueError:
        facts = {"setting": "WATER2_SMS_RECEIPT_SECRET", "reason": "secret_unreadable"}
        raise Conflict("setting_unusable", facts) from None


def _forged(request: Request) -> Response:
    return problem_answer(plain_problem(words_for(request), 401, "receipt_forged"))


async def _take(
    state: ApiState, gateway: str, body: bytes, receipts: Sequence[Receipt]
) -> Received:
    async with state.runtime.work() as work:
        return await receive(work, gateway, body, receipts, state.wall_clock())
