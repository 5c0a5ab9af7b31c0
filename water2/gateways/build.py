"""The ways out of an installation, from its settings."""

import logging
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from water2.clock import Clock
from water2.config import Settings
from water2.domain.errors import Conflict, Invalid
from water2.domain.sending import ENDPOINT_CHANNELS, Gateway, SendingChannel
from water2.gateways.addresses import Allowed, check_host, check_url
from water2.gateways.aliyun_signature import AliyunKey
from water2.gateways.demonstration import DemonstrationGateway
from water2.gateways.http_pool import HttpPool
from water2.gateways.mail import MailGateway
from water2.gateways.mail_server import MailServer
from water2.gateways.robots import DingTalkGateway, FeishuGateway, WeComGateway
from water2.gateways.signatures import signing_key
from water2.gateways.sms_aliyun import AliyunAccount, SmsAliyunGateway
from water2.gateways.sms_http import SmsHttpGateway
from water2.gateways.webhook import WebhookGateway

_SMS_CONNECTIONS = 100
_WEBHOOK_CONNECTIONS = 20
_ROBOT_CONNECTIONS = 4
_ALIYUN_SCHEMES = {"aliyun": "https", "aliyun+http": "http"}  # the latter to a proxy of its own
_DEMONSTRATION = "demo:"


def build_gateways(
    settings: Settings, *, clock: Clock, demo: bool
) -> dict[SendingChannel, Gateway]:
    """Return a gateway for each channel that can be used; SMS and mail need a setting.

    `clock` gives real time, also in a demonstration: signatures are judged by it elsewhere. In a
    demonstration `demo:` is a gateway that sends nothing and accepts all.

    Raises:
        Conflict: `setting_unusable`, with the setting's name and why.
    """
    keep_addresses_out_of_logs()
    allowed = allowed_of(settings)
    _check_receipt_secret(settings.sms_receipt_secret)
    gateways: dict[SendingChannel, Gateway] = {
        SendingChannel.webhook: WebhookGateway(_pool(_WEBHOOK_CONNECTIONS, allowed), clock)
    }
    for robot in (DingTalkGateway, WeComGateway, FeishuGateway):
        gateways[robot.channel] = robot(_pool(_ROBOT_CONNECTIONS, allowed), clock)
    smtp_url = _revealed(settings.smtp_url)
    if _is_played(settings.sms_url, "sms_url", demo):
        gateways[SendingChannel.sms] = DemonstrationGateway(SendingChannel.sms)
    elif settings.sms_url:
        gateways[SendingChannel.sms] = _sms(settings.sms_url, settings, allowed, clock)
    if _is_played(smtp_url, "smtp_url", demo):
        gateways[SendingChannel.mail] = DemonstrationGateway(SendingChannel.mail)
    elif smtp_url:
        gateways[SendingChannel.mail] = _mail(smtp_url, allowed, clock)
    return gateways


def channels_of(settings: Settings) -> frozenset[SendingChannel]:
    """Return the channels that have a gateway, without building any."""
    set_up = ((SendingChannel.sms, settings.sms_url), (SendingChannel.mail, settings.smtp_url))
    return ENDPOINT_CHANNELS | {channel for channel, url in set_up if url}


def allowed_of(settings: Settings) -> Allowed:
    """Return the hosts and networks of its own that a utility may call.

    Raises:
        Conflict: as `build_gateways`.
    """
    try:
        return Allowed.parse(settings.allowed_networks)
    except ValueError:
        raise _unusable("allowed_networks", "network_unreadable") from None


def keep_addresses_out_of_logs() -> None:
    """Silence what libraries tell of each request: the addresses of robots hold their tokens."""
    for name in ("httpx", "httpcore", "aiosmtplib"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _unusable(setting: str, reason: str) -> Conflict:
    name = f"WATER2_{setting.upper()}"
    return Conflict("setting_unusable", {"setting": name, "reason": reason})


def _is_played(url: str | None, setting: str, demo: bool) -> bool:
    """Tell whether a channel only plays; outside a demonstration that would be false evidence."""
    if url == _DEMONSTRATION and not demo:
        raise _unusable(setting, "demo_only")
    return url == _DEMONSTRATION


def _pool(connections: int, allowed: Allowed) -> HttpPool:
    return HttpPool(connections, allowed=allowed)


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _check_receipt_secret(secret: SecretStr | None) -> None:
    try:
        signing_key(_revealed(secret) if secret else "whsec_AAAA")
    except ValueError:
        raise _unusable("sms_receipt_secret", "secret_unreadable") from None


def _sms(url: str, settings: Settings, allowed: Allowed, clock: Clock) -> Gateway:
    pool = _pool(_SMS_CONNECTIONS, allowed)
    if urlsplit(url).scheme in _ALIYUN_SCHEMES:
        secret = _revealed(settings.aliyun_secret)
        return SmsAliyunGateway(pool, _aliyun(url, secret, allowed), clock)
    _check(url, allowed)
    return SmsHttpGateway(pool, url, _revealed(settings.sms_token))


def _aliyun(url: str, secret: str, allowed: Allowed) -> AliyunAccount:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not (parts.username and query.get("sign") and query.get("template")):
        raise _unusable("sms_url", "aliyun_incomplete")
    if not secret:
        raise _unusable("aliyun_secret", "missing")
    host = parts.netloc.rpartition("@")[2]
    endpoint = f"{_ALIYUN_SCHEMES[parts.scheme]}://{host}"
    _check(endpoint, allowed)
    return AliyunAccount(
        AliyunKey(unquote(parts.username), secret),
        query["sign"],
        query["template"],
        query.get("variable", "text"),
        endpoint,
    )


def _check(url: str, allowed: Allowed) -> None:
    try:
        check_url(url, allowed)
    except Invalid as refusal:
        raise _unusable("sms_url", refusal.problems[0].code) from None


def _mail(url: str, allowed: Allowed, clock: Clock) -> Gateway:
    try:
        server = MailServer.parse(url)
        check_host(server.host, allowed)
    except Invalid as refusal:
        raise _unusable("smtp_url", refusal.problems[0].code) from None
    except ValueError:
        raise _unusable("smtp_url", "smtp_url_unreadable") from None
    return MailGateway(server, clock, allowed)
