"""The words of notices: templates filled with what an outage is about."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, OutageReason
from water2.rules.book import load_book
from water2.services.notices.template import (
    BRIEF,
    LANGUAGES,
    LONGEST_TITLE,
    Template,
    data_file,
)

MOST_NAMED = 3  # failed items on a notice; the anomaly names all


@dataclass(frozen=True)
class Told:
    """What a notice is about: the outage as it stands, and what it was before the change."""

    outage: Outage
    facility: Facility
    utility: Utility
    buildings: tuple[str, ...]
    now: datetime
    old_starts_at: datetime | None = None
    old_ends_at: datetime | None = None


@dataclass(frozen=True)
class Words:
    """A notice's texts in both languages, and the hash over all of them."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    short_zh: str

    @property
    def sha256(self) -> str:
        """Return the hash that stands in the ledger, over the texts as canonical JSON."""
        told = json.dumps(vars(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()


def write(templates: Mapping[str, Template], told: Told) -> Words:
    """Write a notice: the templates of both languages filled with what it is about."""
    zh, en = (templates[language] for language in LANGUAGES)
    facts_zh, facts_en = (notice_fields(language, told) for language in LANGUAGES)
    return Words(
        title_zh=zh.title.format_map(facts_zh)[:LONGEST_TITLE],
        title_en=en.title.format_map(facts_en)[:LONGEST_TITLE],
        text_zh=_filled(zh.text, facts_zh),
        text_en=_filled(en.text, facts_en),
        short_zh=(zh.short or "").format_map(_brief(facts_zh)),
    )


def _brief(facts: Mapping[str, str]) -> dict[str, str]:
    """Return facts as a short text holds them: what people typed is cut, window and number not."""
    return {name: _cut(fact, BRIEF.get(name, len(fact))) for name, fact in facts.items()}


def _cut(fact: str, longest: int) -> str:
    return fact if len(fact) <= longest else f"{fact[: longest - 1]}…"


def _filled(text: str, facts: Mapping[str, str]) -> str:
    """Fill a text in; a line whose facts are all empty falls away."""
    lines = (line.format_map(facts).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def notice_fields(language: str, told: Told) -> dict[str, str]:
    """Return every fact a template may name, in one language."""
    outage, say = told.outage, data_file(language)["phrase"]
    phone = told.utility.hotline or say["no_hotline"]
    at = _Instants(language, ZoneInfo(told.utility.timezone))
    ends = at.said(outage.ends_at) or say["no_estimate"]
    return {
        "facility": told.facility.name,
        "extent": _extent(say, told.buildings, outage.zones),
        "reason": outage.detail or data_file(language)["reason"][outage.reason.value],
        "cause": _cause(language, told),
        "starts": at.said(outage.started_at or outage.starts_at),
        "ends": ends,
        "back": say["back"].format(ends=ends) if outage.ends_at else say["back_unknown"],
        "old_starts": at.said(told.old_starts_at),
        "old_ends": at.said(told.old_ends_at) or say["no_estimate"],
        "restored": at.said(outage.restored_at),
        "store": say["store"],
        "flush": say["flush"],
        "water_points": _water(say, outage),
        "carried_water": phone,
        "phone": phone,
        "utility": told.utility.name,
        "date": at.day(told.now),
        "updated": at.said(told.now),
        "number": outage.number,
        "revision": str(outage.revision),
        "progress": outage.detail or say["finding_out" if _unfit(outage) else "no_progress"],
        "health": _danger(language, outage, "health"),
        "at_risk": say["at_risk"],
        "what_to_do": (outage.health_advice or _danger(language, outage, "what_to_do")).rstrip(
            "。.；;，, "
        ),
        "drinking": _drinking(say, outage),
        "neighbours": say["neighbours"],
    }


def _cause(language: str, told: Told) -> str:
    """Say what somebody typed, or which items of the water failed."""
    outage, data = told.outage, data_file(language)
    if outage.cause or outage.failed_items is None:
        return outage.cause or outage.detail or str(data["reason"][outage.reason.value])
    say, known = data["phrase"], load_book(told.utility.place).parameters
    names = [
        known[item].title if language == "zh" else known[item].title_en
        for item in outage.failed_items
        if item in known
    ]
    if not names:
        return str(say["bad_water"])
    shown = say["mark"].join(names[:MOST_NAMED])
    more = say["and_others"] if len(names) > MOST_NAMED else ""
    return str(say["failed_items"].format(items=f"{shown}{more}"))


def _drinking(say: Mapping[str, str], outage: Outage) -> str:
    """Say whether the water may be drunk again, where it was stopped for its quality."""
    if not _unfit(outage):
        return ""
    return outage.health_advice or say["drinking_again" if outage.retested_at else "drinking"]


def _unfit(outage: Outage) -> bool:
    return outage.reason is OutageReason.water_quality


def _danger(language: str, outage: Outage, fact: str) -> str:
    """Say what the failed items mean for health, or what to do; unknown ones the gravest of it."""
    data = data_file(language)
    return str(data["danger"].get(outage.danger, data["phrase"])[fact])


def _extent(say: Mapping[str, str], buildings: tuple[str, ...], zones: Sequence[str]) -> str:
    """Say which buildings, and of them which pressure zones, where it was asked for by those."""
    told = say["building"].format(buildings=say["mark"].join(buildings)) if buildings else ""
    extent = told or say["whole"]
    return say["zoned"].format(extent=extent, zones=say["mark"].join(zones)) if zones else extent


def _water(say: Mapping[str, str], outage: Outage) -> str:
    parts = []
    if outage.water_points:
        parts.append(say["water_points"].format(points=outage.water_points))
    if outage.emergency_supply:
        parts.append(say["emergency_supply"].format(supply=outage.emergency_supply))
    return "\n".join(parts) or say["no_water_points"]


@dataclass(frozen=True)
class _Instants:
    """Writes instants as a notice says them, in the utility's zone."""

    language: str
    zone: ZoneInfo

    def said(self, at: datetime | None) -> str:
        return self._in("instant", at) if at else ""

    def day(self, at: datetime) -> str:
        return self._in("day", at)

    def _in(self, form: str, at: datetime) -> str:
        say, local = data_file(self.language)["phrase"], at.astimezone(self.zone)
        months = say.get("months", "").split()
        parts = {name: getattr(local, name) for name in ("year", "month", "day", "hour", "minute")}
        name = months[local.month - 1] if months else ""
        return str(say[form].format(month_name=name, **parts))
