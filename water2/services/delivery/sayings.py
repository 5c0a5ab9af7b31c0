"""What each source of deliveries says: a notice its own frozen words, all else short texts."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from water2.domain.delivery import ChannelStop, DeliverySource
from water2.domain.entry import instant_text
from water2.domain.facility import Facility
from water2.domain.notice import Notice
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageWarning
from water2.domain.subscription import Subscription
from water2.services.delivery.anomaly_sayings import say_escalations, say_reports
from water2.services.delivery.digest_lines import digest_lines
from water2.services.delivery.saying import Saying, Sayings, event, spoken
from water2.services.delivery.texts import channel_name, pattern, text
from water2.work import Work


async def say(
    work: Work, utility: Utility, source: DeliverySource, ids: Collection[str]
) -> Sayings:
    """Return what each of a source's rows says, by its id; a row that is gone says nothing."""
    return await _SAY[source](work, utility, ids)


async def _notices(work: Work, _utility: Utility, ids: Collection[str]) -> Sayings:
    rows = await work.session.exec(select(Notice).where(col(Notice.id).in_(ids)))
    return {
        row.id: Saying(
            *(row.title_zh, row.text_zh, row.short_zh, row.title_en, row.text_en),
            number=row.number,
            data=_published(row),
        )
        for row in rows
    }


def _published(notice: Notice) -> dict[str, object]:
    return event(
        "notice.published",
        notice.published_at,
        number=notice.number,
        revision=notice.revision,
        kind=notice.kind.value,
        starts_at=instant_text(notice.starts_at),
        ends_at=instant_text(notice.ends_at) if notice.ends_at else None,
        title_zh=notice.title_zh,
        title_en=notice.title_en,
        text_zh=notice.text_zh,
        text_en=notice.text_en,
        text_sha256=notice.text_sha256,
    )


async def _warnings(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    rows = await work.session.exec(
        select(OutageWarning, Outage, Facility.name)
        .join(Outage, col(Outage.id) == OutageWarning.outage_id)
        .join(Facility, col(Facility.id) == Outage.facility_id)
        .where(col(OutageWarning.id).in_(ids))
    )
    found = {}
    for warning, outage, facility in rows:
        starts = outage.starts_at.astimezone(ZoneInfo(utility.timezone))
        facts = {
            "utility": utility.name,
            "number": outage.number,
            "facility": facility,
            "starts": starts.strftime(pattern("moment")),
            "hours": warning.hours,
            "missing": warning.missing,
        }
        data = event(
            "outage.warned",
            warning.made_at,
            number=outage.number,
            starts_at=instant_text(outage.starts_at),
            hours=warning.hours,
            missing=warning.missing,
        )
        found[warning.id] = spoken("warning", facts, data)
    return found


async def _alerts(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    rows = await work.session.exec(select(ChannelStop).where(col(ChannelStop.id).in_(ids)))
    found = {}
    for stop in rows:
        channel = stop.channel.value
        facts = {
            "utility": utility.name,
            "channel": channel_name(channel),
            "code": stop.code or "-",
        }
        data = event("channel.stopped", stop.stopped_at, channel=channel, code=stop.code)
        found[stop.id] = spoken("alert", facts, data)
    return found


async def _confirmations(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    rows = await work.session.exec(
        select(Subscription, Facility.name)
        .join(Facility, col(Facility.id) == Subscription.facility_id)
        .where(col(Subscription.id).in_(ids), col(Subscription.code_sealed).is_not(None))
    )
    found = {}
    for subscription, facility in rows:
        code = work.contacts.open(subscription.code_sealed or b"")
        facts: dict[str, Any] = {"utility": utility.name, "facility": facility, "code": code}
        title, whole, short = (
            text(f"confirmation_{part}", subscription.language, **facts)
            for part in ("title", "text", "short")
        )
        language = subscription.language
        found[subscription.id] = Saying(title, whole, short, language=language)
    return found


async def _digests(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    found = {}
    for digest, lines in await digest_lines(work, utility, ids):
        facts = {
            "utility": utility.name,
            "day": digest.made_on.strftime(pattern("day")),
            "count": lines.count,
            "first": lines.shown[0],
            "lines": lines.text,
        }
        data = event(
            "reminders.due", digest.made_at, count=lines.count, reminders=list(lines.items)
        )
        found[digest.id] = spoken("digest", facts, data)
    return found


_SAY: Mapping[
    DeliverySource, Callable[[Work, Utility, Collection[str]], Coroutine[Any, Any, Sayings]]
] = {
    DeliverySource.notice: _notices,
    DeliverySource.digest: _digests,
    DeliverySource.warning: _warnings,
    DeliverySource.alert: _alerts,
    DeliverySource.confirmation: _confirmations,
    DeliverySource.escalation: say_escalations,
    DeliverySource.report: say_reports,
}
