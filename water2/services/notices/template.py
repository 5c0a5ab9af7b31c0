"""Templates of notices: the words of each kind, and the facts they must hold."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from water2.domain.errors import FieldProblem, Invalid
from water2.domain.notice import NoticeKind

LANGUAGES = ("zh", "en")
LONGEST_TITLE, LONGEST_SHORT = 300, 500
BRIEF = {
    "facility": 40,
    "utility": 30,
    "extent": 60,
    "reason": 40,
    "cause": 40,
    "progress": 40,
    "water_points": 80,
    "what_to_do": 150,
    "drinking": 150,
}
"""How many characters of what people typed a short text holds; the rest stands in the whole one."""
_INSTANT, _LONGEST_FACT = 20, 60
_LONGEST = dict.fromkeys(("starts", "ends", "old_starts", "old_ends", "restored"), _INSTANT) | {
    "number": 20,
    "back": 30,
    "store": 30,
    "flush": 30,
}


@dataclass(frozen=True)
class Template:
    """The words of one kind of notice in one language; the SMS text is Chinese alone."""

    title: str
    text: str
    short: str | None = None


@cache
def data_file(name: str) -> Mapping[str, Any]:
    """Return a file of this folder: the words of a language, or what is required."""
    text = files("water2.services.notices").joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def own_template(kind: NoticeKind, language: str) -> Template:
    """Return the template that holds where a utility has not set its own."""
    given = data_file(language)[kind.value]
    return Template(given["title"], given["text"].strip(), given.get("short"))


def required_fields(kind: NoticeKind, part: str) -> list[str]:
    """Return the facts a part (`text` or `short`) of a kind of notice must hold."""
    return list(data_file("required")[kind.value][part])


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
    if not problems and _longest(parts.get("short", "")) > LONGEST_SHORT:
        facts = {"most": LONGEST_SHORT, "length": _longest(parts["short"])}
        problems.append(FieldProblem("short", "template_too_long", facts=facts))
    if problems:
        raise Invalid(problems)


def _longest(short: str) -> int:
    """Return how long a short text can get: what it must hold is never cut off."""
    found = 0
    for literal, name, _, _ in Formatter().parse(short):
        found += len(literal) + (_longest_of(name) if name else 0)
    return found


def _longest_of(name: str) -> int:
    return BRIEF.get(name) or _LONGEST.get(name, _LONGEST_FACT)


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
