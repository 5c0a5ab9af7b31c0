"""SMS by Aliyun: the signature, the codes of the body, and the details to ask for."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest

from tests.gateways.messages import clock, sms, taken
from tests.sinks import http_gateway
from water2.domain.sending import Outcome
from water2.gateways.aliyun_signature import AliyunCall, AliyunKey, authorised_headers
from water2.gateways.sms_aliyun import AliyunAccount, SmsAliyunGateway

KEY = AliyunKey("LTAItest", "s3cret-of-the-key")


@pytest.fixture
def gateway(sink, pool) -> SmsAliyunGateway:
    account = AliyunAccount(KEY, "瓯城供水", "SMS_1", endpoint=sink.url)
    return SmsAliyunGateway(pool, account, clock)


def test_the_signature_is_that_of_the_documented_example():
    """The example of Aliyun's page on signature V3: RunInstances with a fixed date and nonce."""
    parameters = {
        "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        "RegionId": "cn-shanghai",
    }
    call = AliyunCall(
        "ecs.cn-shanghai.aliyuncs.com",
        "RunInstances",
        "2014-05-26",
        parameters,
        "2023-10-26T10:22:32Z",
        "3156853299f313e23d1673dc12e1703d",
    )
    headers = authorised_headers(call, AliyunKey("YourAccessKeyId", "YourAccessKeySecret"))
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
        "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


async def test_what_arrives_bears_a_signature_over_what_arrived(sink, gateway):
    sent = sms(short="1幢 25日8–12时停水 ~*'()")
    reply = await gateway.send(sent)
    assert (reply.outcome, reply.code) == (Outcome.accepted, "OK")
    assert reply.provider_id == f"biz-{sent.id}"
    (record,) = taken(sink, sent)
    headers = record["headers"]
    names = sorted(name for name in headers if name == "host" or name.startswith("x-acs-"))
    query = "&".join(
        sorted(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in record["query"].items())
    )
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(
        ["POST", "/", query, *(f"{name}:{headers[name]}" for name in names), "", ";".join(names)]
    )
    hashed = hashlib.sha256(f"{canonical}\n{nothing}".encode()).hexdigest()
    signature = hmac.new(
        KEY.secret.encode(), f"ACS3-HMAC-SHA256\n{hashed}".encode(), "sha256"
    ).hexdigest()
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert headers["x-acs-action"] == "SendSms"
    assert headers["x-acs-version"] == "2017-05-25"
    assert headers["x-acs-date"] == "2026-11-23T01:00:00Z"
    assert headers["host"] == urlsplit(sink.url).netloc


async def test_the_parameters_are_those_of_send_sms(sink, gateway):
    sent = sms()
    await gateway.send(sent)
    assert taken(sink, sent)[0]["query"] == {
        "PhoneNumbers": sent.address,
        "SignName": "瓯城供水",
        "TemplateCode": "SMS_1",
        "TemplateParam": json.dumps({"text": sent.short}, ensure_ascii=False),
        "OutId": sent.id,
    }


async def test_a_long_text_is_sent_whole(sink, gateway):
    sent = sms(short="水" * 1000)
    assert (await gateway.send(sent)).outcome is Outcome.accepted
    assert json.loads(taken(sink, sent)[0]["query"]["TemplateParam"]) == {"text": sent.short}


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (200, "isv.BUSINESS_LIMIT_CONTROL", Outcome.blocked),
        (200, "isv.DAY_LIMIT_CONTROL", Outcome.blocked),
        (200, "isv.SMS_CONTENT_ILLEGAL", Outcome.blocked),
        (200, "isv.MOBILE_NUMBER_ILLEGAL", Outcome.permanent),
        (200, "isv.AMOUNT_NOT_ENOUGH", Outcome.misconfigured),
        (200, "isv.SMS_TEMPLATE_ILLEGAL", Outcome.misconfigured),
        (200, "isv.SMS_SIGNATURE_ILLEGAL", Outcome.misconfigured),
        (400, "SignatureDoesNotMatch", Outcome.misconfigured),
        (404, "InvalidAccessKeyId.NotFound", Outcome.misconfigured),
        (403, "Forbidden.RAM", Outcome.misconfigured),
        (200, "isp.SYSTEM_ERROR", Outcome.retry),
        (400, "Throttling.User", Outcome.retry),
        (503, "ServiceUnavailable", Outcome.retry),
        (200, "isv.NOBODY_KNOWS", Outcome.retry),
    ],
)
async def test_each_code_has_its_outcome(sink, gateway, status, code, outcome):
    sink.behave(status=status, body=json.dumps({"Code": code, "Message": "…"}))
    reply = await gateway.send(sms())
    assert (reply.outcome, reply.code) == (outcome, code)


async def test_a_body_without_a_code_is_no_success(sink, gateway):
    sink.behave(body="<html></html>")
    assert (await gateway.send(sms())).outcome is Outcome.in_doubt
    sink.behave(status=502, body='{"Code": "OK"}')
    assert (await gateway.send(sms())).outcome is Outcome.retry


@pytest.mark.parametrize(
    ("status", "code"),
    [("accepted", "DELIVERED"), ("delivered", "DELIVERED"), ("failed", "UNKNOWN_NUMBER")],
)
async def test_a_message_in_doubt_is_found_in_the_details_of_its_day(sink, gateway, status, code):
    sink.behave(reset_first=1, ask_status=status)
    sent = sms()
    assert (await gateway.send(sent)).outcome is Outcome.in_doubt
    reply = await gateway.ask(sent)
    assert (reply.outcome, reply.code) == (Outcome(status), code)
    assert reply.at == datetime(2026, 11, 23, 1, 0, 30, tzinfo=UTC)


async def test_a_message_in_no_details_is_unknown_and_the_day_before_is_asked_too(sink, gateway):
    before = sink.counts["requests"]
    assert (await gateway.ask(sms())).outcome is Outcome.unknown
    assert sink.counts["requests"] - before == 3  # two days, and the question for the counts


async def test_details_that_cannot_be_had_leave_it_in_doubt(pool):
    with http_gateway() as silent:
        account = AliyunAccount(KEY, "瓯城供水", "SMS_1", endpoint=silent.url)
        silent.process.kill()
        reply = await SmsAliyunGateway(pool, account, clock).ask(sms())
    assert reply.outcome is Outcome.in_doubt


def test_the_secret_of_the_key_shows_nowhere():
    assert KEY.secret not in repr(AliyunAccount(KEY, "瓯城供水", "SMS_1"))
