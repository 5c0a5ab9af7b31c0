"""Outages as the public sees them, made for the feeds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from water2.domain.public import PublicNotice, PublicOutage

ANNOUNCED = datetime(2026, 6, 1, 2, 0, 15, 250_000, tzinfo=UTC)  # 10:00:15 in Shanghai
STARTS = datetime(2026, 6, 3, 0, 0, tzinfo=UTC)
ENDS = STARTS + timedelta(hours=4)
STATES = {"cancelled": "cancelled", "restored": "restored"}
EMERGENCY = {"emergency", "quality", "update"}


def notice(revision, kind, *, number="LS-2026-0007", published_at=None, **given):
    at = published_at or ANNOUNCED + timedelta(hours=revision - 1)
    told = PublicNotice(
        number=number,
        revision=revision,
        kind=kind,
        published_at=at,
        starts_at=STARTS,
        ends_at=ENDS,
        title_zh=f"{kind} 停水通知（第 {revision} 版）",
        title_en=f"Notice of {kind}, revision {revision}",
        text_zh="丽水花园各用户：因清洗水箱停水。",
        text_en="To all in Lishui Garden: no water while the tank is cleaned.",
        text_sha256="0" * 64,
        buildings=("1", "2"),
    )
    return replace(told, **given)


def outage(*kinds, number="LS-2026-0007", notices=None, **given):
    told = notices or tuple(
        notice(revision, kind, number=number) for revision, kind in enumerate(kinds, 1)
    )
    last = told[-1]
    ended = last.published_at if last.kind in STATES else None
    shown = PublicOutage(
        number=number,
        utility="丽水供水",
        timezone="Asia/Shanghai",
        facility_id="f1",
        facility="丽水花园",
        address="丽阳街 1 号",
        district="莲都区",
        kind="emergency" if EMERGENCY & {one.kind for one in told} else "planned",
        state=STATES.get(last.kind, "published"),
        reason="tank_cleaning",
        buildings=last.buildings,
        starts_at=last.starts_at,
        ends_at=last.ends_at,
        started_at=None,
        restored_at=ended if last.kind == "restored" else None,
        cancelled_at=ended if last.kind == "cancelled" else None,
        updated_at=last.published_at,
        latitude="28.4676",
        longitude="119.9229",
        phone="0578-2112345",
        notices=told,
    )
    return replace(shown, **given)
