"""The words of notices: templates with the fields each kind must hold, filled with an outage."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from water2.domain.errors import FieldProblem, Invalid
from water2.domain.facility import Facility
from water2.domain.notice import NoticeKind
from water2.domain.organisation import Utility
from water2.domain.outage import Outage

LANGUAGES = ("zh", "en")
LONGEST_TITLE, LONGEST_SHORT = 300, 500


@dataclass(frozen=True)
class Template:
    """The words of one kind of notice in one language; the SMS text is Chinese alone."""

    title: str
    text: str
    short: str | None = None


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


@cache
def _file(name: str) -> Mapping[str, Any]:
    text = files("water2.services.notices").joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def own_template(kind: NoticeKind, language: str) -> Template:
    """Return the template that holds where a utility has not set its own."""
    given = _file(language)[kind.value]
    return Template(given["title"], given["text"].strip(), given.get("short"))


def required_fields(kind: NoticeKind, part: str) -> list[str]:
    """Return the facts a part (`text` or `short`) of a kind of notice must hold."""
    return list(_file("required")[kind.value][part])


@cache
def known_fields() -> frozenset[str]:
    """Return the facts a template may name."""
    templates = [own_template(kind, language) for kind in NoticeKind for language in LANGUAGES]
    parts = [part for one in templates for part in (one.title, one.text, one.short or "")]
    return frozenset(field for part in parts for field in fields_in(part))


def fields_in(text: str) -> set[str]:
    """Return the names in braces.

    Raises:
        ValueError: a brace is unclosed, or holds more than a name.
    """
    found = set()
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            if form or conversion or not name.isidentifier():
                raise ValueError(name)
            found.add(name)
    return found


def check_template(kind: NoticeKind, language: str, template: Template) -> None:
    """Refuse a template that lacks a fact, names an unknown one, or cannot be read.

    Raises:
        Invalid: names each part at fault and the fields it lacks.
    """
    parts = {"title": template.title, "text": template.text}
    if language == "zh":
        parts["short"] = template.short or ""
    problems: list[FieldProblem] = []
    for part, text in parts.items():
        problems += _faults(kind, part, text)
    if problems:
        raise Invalid(problems)


def _faults(kind: NoticeKind, part: str, text: str) -> list[FieldProblem]:
    try:
        named = fields_in(text)
    except ValueError:
        return [FieldProblem(part, "template_unreadable")]
    required = [] if part == "title" else required_fields(kind, part)
    lacking = [field for field in required if field not in named]
    unknown = sorted(named - known_fields())
    faults = [(lacking, "template_field_missing"), (unknown, "template_field_unknown")]
    return [
        FieldProblem(part, code, facts={"fields": ", ".join(names)})
        for names, code in faults
        if names
    ]


def write(templates: Mapping[str, Template], told: Told) -> Words:
    """Write a notice: the templates of both languages filled with what it is about."""
    zh, en = (templates[language] for language in LANGUAGES)
    facts_zh, facts_en = (notice_fields(language, told) for language in LANGUAGES)
    return Words(
        title_zh=zh.title.format_map(facts_zh)[:LONGEST_TITLE],
        title_en=en.title.format_map(facts_en)[:LONGEST_TITLE],
        text_zh=_filled(zh.text, facts_zh),
        text_en=_filled(en.text, facts_en),
        short_zh=(zh.short or "").format_map(facts_zh)[:LONGEST_SHORT],
    )


def _filled(text: str, facts: Mapping[str, str]) -> str:
    """Fill a text in; a line whose facts are all empty falls away."""
    lines = (line.format_map(facts).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def notice_fields(language: str, told: Told) -> dict[str, str]:
    """Return every fact a template may name, in one language."""
    outage, say = told.outage, _file(language)["phrase"]
    phone = told.utility.hotline or say["no_hotline"]
    at = _Instants(language, ZoneInfo(told.utility.timezone))
    return {
        "facility": told.facility.name,
        "extent": _extent(say, told.buildings),
        "reason": outage.detail or _file(language)["reason"][outage.reason.value],
        "cause": outage.cause or outage.detail or _file(language)["reason"][outage.reason.value],
        "starts": at.said(outage.started_at or outage.starts_at),
        "ends": at.said(outage.ends_at) or say["no_estimate"],
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
        "progress": outage.detail or say["no_progress"],
        "health": say["health"],
        "at_risk": say["at_risk"],
        "what_to_do": outage.health_advice or say["what_to_do"],
        "neighbours": say["neighbours"],
    }


def _extent(say: Mapping[str, str], buildings: tuple[str, ...]) -> str:
    if not buildings:
        return say["whole"]
    return say["building"].format(buildings=say["mark"].join(buildings))


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
        say, local = _file(self.language)["phrase"], at.astimezone(self.zone)
        months = say.get("months", "").split()
        parts = {name: getattr(local, name) for name in ("year", "month", "day", "hour", "minute")}
        name = months[local.month - 1] if months else ""
        return str(say[form].format(month_name=name, **parts))
