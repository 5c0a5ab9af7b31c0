"""Each page's template and typed context fit each other, and every word used exists twice."""

import re
import string
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import meta

import water2.web
from water2.domain.access import Role
from water2.domain.anomaly import AnomalySource, AnomalyState
from water2.domain.delivery import DeliveryState
from water2.domain.facility import FacilityKind
from water2.domain.notice import NoticeKind
from water2.domain.outage import PUBLIC_STATES, OutageKind, OutageReason
from water2.domain.regulator_report import Regulator, ReportKind, ReportState
from water2.domain.sending import SendingChannel
from water2.domain.water import Point, SampleVerdict
from water2.domain.work_order import WithdrawnBecause, WorkOrderKind
from water2.rules.anomaly import STEPS, Doing
from water2.rules.book import load_book, places
from water2.rules.flags import FlagCode
from water2.web import inspect_pages, pages, public_pages
from water2.web.page import Page, environment
from water2.words import words
from water2.words.citation import cite

TEMPLATES = Path(water2.web.__file__).parent / "templates"
GIVEN = {
    "t",
    "cite",
    "own",
    "when",
    "span",
    "style_version",
    "inspect_style_version",
    "public_style_version",
}  # what the rendering helper gives every template
BUILT_FROM_CODES = {
    "role": Role,
    "kind": FacilityKind,
    "because": WithdrawnBecause,
    "order_kind": WorkOrderKind,
    "flag": FlagCode,
    "law": ("encoded", "later", "not_encoded"),
    "provisions": ("law", "target", "law_note", "target_note"),
    "nav": ("inspect", "anomalies", "board", "overdue", "certificates", "facilities", "law"),
    "weekday": tuple("0123456"),
    "month": tuple(map(str, range(1, 13))),
    "channel": SendingChannel,
    "delivery_state": DeliveryState,
    "anomaly_state": AnomalyState,
    "anomaly_source": AnomalySource,
    "point": Point,
    "report_state": ReportState,
    "report_kind": ReportKind,
    "regulator": Regulator,
    "doing": get_args(Doing),
    "step": STEPS,
    "clock": ("phone", "written", "law", "target"),
    "sample_verdict": SampleVerdict,
    "public.state": ("due", *PUBLIC_STATES),
    "public.kind": OutageKind,
    "public.reason": OutageReason,
    "public.notice_kind": NoticeKind,
    "public.wait": ("seconds", "minutes", "hours"),
}
PAGES = [
    page
    for module in (pages, inspect_pages, public_pages)
    for page in vars(module).values()
    if isinstance(page, type) and issubclass(page, Page) and "template" in vars(page)
]


def names_in(template: str) -> set[str]:
    """The names a template takes from its context, with those of what it extends or imports."""
    source = (TEMPLATES / template).read_text(encoding="utf-8")
    tree = environment().parse(source)
    found = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        found |= names_in(str(other))
    return found - GIVEN - {"parts", "public", "inspecting"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_a_template_uses_its_whole_context_and_nothing_else(page: type[Page]) -> None:
    assert names_in(page.template) == {field.name for field in fields(page)}


def test_every_template_is_some_page_or_a_part_of_one() -> None:
    of_pages = {page.template for page in PAGES} | {"base.html", "parts.html"}
    of_pages |= {"public_base.html", "public_parts.html", "inspect_parts.html"}
    assert {path.name for path in TEMPLATES.iterdir()} == of_pages


def keys_used() -> Iterator[str]:
    """Every key of a word that a template names outright."""
    for path in TEMPLATES.iterdir():
        yield from re.findall(r'\bt\("([a-z_.0-9]+)"[,)]', path.read_text(encoding="utf-8"))


def test_every_word_a_template_names_exists() -> None:
    assert sorted(key for key in set(keys_used()) if not words("zh").has(key)) == []


@pytest.mark.parametrize("group", BUILT_FROM_CODES)
def test_every_code_a_template_may_meet_has_a_word(group: str) -> None:
    joint = "_" if "." in group else "."  # a group within a group: public.state_due
    keys = [f"{group}{joint}{code}" for code in BUILT_FROM_CODES[group]]
    assert [key for key in keys if not words("zh").has(key)] == []


def test_every_target_the_page_of_the_law_lists_has_a_word() -> None:
    settings = {
        setting.key
        for place in places()
        for obligation in load_book(place).obligations_on(date(2026, 11, 23))
        for setting in obligation.values.values()
        if setting.basis == "target" and setting.source
    }
    assert sorted(key for key in settings if not words("zh").has(f"setting.{key}")) == []


def facts_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_words_and_take_the_same_facts() -> None:
    chinese, english = words("zh").texts, words("en").texts
    assert chinese.keys() == english.keys()
    differing = [key for key in chinese if facts_of(chinese[key]) != facts_of(english[key])]
    assert differing == []


@pytest.mark.parametrize(
    ("article", "chinese", "english"),
    [
        ("17(4)", "第十七条（四）", "art. 17(4)"),
        ("6.2", "第六条第二款", "art. 6.2"),
        ("20", "第二十条", "art. 20"),
        ("22", "第二十二条", "art. 22"),
        ("附件", "附件", "附件"),
    ],
)
def test_an_article_is_cited_as_each_language_does(
    article: str, chinese: str, english: str
) -> None:
    assert (cite("zh", article), cite("en", article)) == (chinese, english)


def test_pages_need_no_script_and_no_style_of_their_own() -> None:
    for path in TEMPLATES.iterdir():
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|\|\s*safe", source), path.name
