"""Gateways from settings: which there are, what is refused, and what is never logged."""

import logging

import pytest

from tests.gateways.messages import clock, message, sms, taken
from tests.sinks import smtp_server
from water2.config import Settings
from water2.domain.errors import Conflict
from water2.domain.sending import ROBOTS, Outcome, SendingChannel
from water2.gateways.build import allowed_of, build_gateways, channels_of

ALIYUN = "aliyun://LTAI1@dysmsapi.aliyuncs.com?sign=%E7%93%AF%E5%9F%8E&template=SMS_1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def settings_of(**more) -> Settings:
    return Settings(**more)


async def close(gateways) -> None:
    for gateway in gateways.values():
        await gateway.close()


async def test_webhooks_and_robots_need_no_setting():
    gateways = build_gateways(settings_of(), clock=clock, demo=False)
    assert set(gateways) == {SendingChannel.webhook, *ROBOTS}
    assert all(gateway.channel is channel for channel, gateway in gateways.items())
    await close(gateways)


async def test_sms_and_mail_go_where_the_settings_say(sink):
    with smtp_server() as mailbox:
        given = settings_of(
            sms_url=f"{sink.url}/sms",
            sms_token="t0ken",
            smtp_url=f"smtp://{mailbox.address}?from=notice@water.example",
            allowed_networks="127.0.0.1",
        )
        gateways = build_gateways(given, clock=clock, demo=False)
        sent = sms()
        reply = await gateways[SendingChannel.sms].send(sent)
        assert reply.outcome is Outcome.accepted
        assert taken(sink, sent)[0]["headers"]["authorization"] == "Bearer t0ken"
        mail = message(SendingChannel.mail, "a@b.example")
        assert (await gateways[SendingChannel.mail].send(mail)).outcome is Outcome.accepted
        assert gateways[SendingChannel.sms].connections == 100
        await close(gateways)


async def test_aliyun_is_reached_through_a_proxy_that_is_allowed(sink):
    given = settings_of(
        sms_url=f"aliyun+http://LTAI1@127.0.0.1:{sink.port}?sign=S&template=T&variable=content",
        aliyun_secret="s3cret",
        allowed_networks="127.0.0.1",
    )
    gateways = build_gateways(given, clock=clock, demo=False)
    sent = sms()
    assert (await gateways[SendingChannel.sms].send(sent)).outcome is Outcome.accepted
    (record,) = taken(sink, sent)
    assert "Credential=LTAI1," in record["headers"]["authorization"]
    assert record["query"]["TemplateParam"].startswith('{"content": ')
    await close(gateways)


async def test_a_demonstration_plays_what_asks_for_it_and_nothing_else():
    gateways = build_gateways(settings_of(sms_url="demo:"), clock=clock, demo=True)
    gateway = gateways[SendingChannel.sms]
    assert (await gateway.send(sms())).outcome is Outcome.accepted
    assert (await gateway.send(sms(address="13800000009"))).outcome is Outcome.permanent
    assert (await gateway.ask(sms())).outcome is Outcome.accepted
    assert SendingChannel.mail not in gateways
    await close(gateways)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sms_url": "https://sms.example.com/send"},
        {"smtp_url": "smtps://mail.example.com?from=a@b.cn"},
    ],
)
async def test_the_channels_of_some_settings_are_those_that_get_a_gateway(given):
    settings = settings_of(**given)
    gateways = build_gateways(settings, clock=clock, demo=False)
    assert channels_of(settings) == set(gateways)
    await close(gateways)


@pytest.mark.parametrize(
    ("given", "setting", "reason"),
    [
        ({"sms_url": "demo:"}, "WATER2_SMS_URL", "demo_only"),
        ({"smtp_url": "demo:"}, "WATER2_SMTP_URL", "demo_only"),
        ({"sms_url": "http://sms.example/"}, "WATER2_SMS_URL", "url_not_https"),
        ({"sms_url": "https://10.0.0.1/"}, "WATER2_SMS_URL", "url_private_network"),
        ({"sms_url": "https://u:p@sms.example/"}, "WATER2_SMS_URL", "url_has_credentials"),
        ({"sms_url": "sms.example"}, "WATER2_SMS_URL", "url_unreadable"),
        ({"sms_url": "aliyun://dysmsapi.aliyuncs.com"}, "WATER2_SMS_URL", "aliyun_incomplete"),
        ({"sms_url": ALIYUN}, "WATER2_ALIYUN_SECRET", "missing"),
        (
            {"sms_url": "aliyun://K@10.0.0.1?sign=a&template=b", "aliyun_secret": "s"},
            "WATER2_SMS_URL",
            "url_private_network",
        ),
        (
            {"sms_url": "aliyun+http://K@sms.example?sign=a&template=b", "aliyun_secret": "s"},
            "WATER2_SMS_URL",
            "url_not_https",
        ),
        ({"smtp_url": "smtp://mail.example"}, "WATER2_SMTP_URL", "smtp_url_unreadable"),
        ({"smtp_url": "smtp://10.0.0.1?from=a@b.c"}, "WATER2_SMTP_URL", "url_private_network"),
        ({"sms_receipt_secret": "whsec_%"}, "WATER2_SMS_RECEIPT_SECRET", "secret_unreadable"),
        ({"allowed_networks": "10.0.0.0/99"}, "WATER2_ALLOWED_NETWORKS", "network_unreadable"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(given, setting, reason):
    with pytest.raises(Conflict) as caught:
        build_gateways(settings_of(**given), clock=clock, demo=False)
    assert caught.value == Conflict("setting_unusable", {"setting": setting, "reason": reason})


async def test_aliyun_itself_is_taken_with_its_secret():
    given = settings_of(sms_url=ALIYUN, aliyun_secret="s", sms_receipt_secret=SECRET)
    gateways = build_gateways(given, clock=clock, demo=False)
    assert SendingChannel.sms in gateways
    await close(gateways)


def test_secrets_show_in_no_representation_of_the_settings():
    given = settings_of(
        sms_token="hidden-1",
        aliyun_secret="hidden-2",
        sms_receipt_secret="hidden-3",
        smtp_url="smtp://u:hidden-4@mail.example?from=a@b.example",
    )
    assert "hidden" not in f"{given!r}{given}{given.model_dump()}{given.model_dump_json()}"


def test_allowed_networks_are_read_from_the_setting():
    allowed = allowed_of(settings_of(allowed_networks="10.8.0.0/16,sms.local"))
    assert allowed.has_host("10.8.1.1")
    assert allowed.has_host("sms.local")


async def test_no_token_is_ever_logged(sink, caplog):
    """With everything logged that anybody logs: the tokens of robots stand in their addresses."""
    caplog.set_level(logging.DEBUG)
    given = settings_of(
        sms_url=f"{sink.url}/sms", sms_token="hidden-sms", allowed_networks="127.0.0.1"
    )
    gateways = build_gateways(given, clock=clock, demo=False)
    for channel in (*ROBOTS, SendingChannel.webhook):
        address = f"{sink.url}/{channel}?access_token=hidden-robot"
        sent = message(channel, address, secret=SECRET)
        assert (await gateways[channel].send(sent)).outcome is Outcome.accepted
        sink.behave(reset_first=1)
        await gateways[channel].send(sent)
        private = message(channel, "https://10.0.0.1/?access_token=hidden-robot", secret=SECRET)
        await gateways[channel].send(private)
    await gateways[SendingChannel.sms].send(sms())
    await gateways[SendingChannel.sms].ask(sms())
    assert sink.accepted[-1]["headers"]["authorization"] == "Bearer hidden-sms"
    told = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert [line for line in told if "hidden" in line or SECRET in line] == []
    assert not any(record.name.startswith("httpcore") for record in caplog.records)
    await close(gateways)
