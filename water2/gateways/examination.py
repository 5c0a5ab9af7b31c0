"""Whether messages can go out by the settings: what `water2 doctor` tells of the gateways."""

from collections.abc import Iterator

from water2.clock import wall_clock
from water2.config import Settings
from water2.domain.errors import Conflict
from water2.domain.sending import SendingChannel
from water2.gateways.build import build_gateways, channels_of
from water2.services.doctor.finding import Finding, note, well, wrong


def look_at_gateways(settings: Settings, *, demo: bool) -> Iterator[Finding]:
    """Judge the settings of SMS and mail; nothing is sent."""
    try:
        build_gateways(settings, clock=wall_clock, demo=demo)
    except Conflict as refused:
        yield wrong("gateways", "unusable", **refused.facts)
        return
    found = channels_of(settings)
    for channel, setting in (
        (SendingChannel.sms, "WATER2_SMS_URL"),
        (SendingChannel.mail, "WATER2_SMTP_URL"),
    ):
        if channel in found:
            yield well("gateways", channel=channel.value)
        else:
            yield note("gateways", "missing", channel=channel.value, setting=setting)
