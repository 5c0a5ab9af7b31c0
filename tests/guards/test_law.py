"""The law stands as it is printed, every article is accounted for, and no place is in the code."""

import ast
import re
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from water2.rules.articles import Part
from water2.rules.book import Rulebook, load_book, places

TODAY = date(2026, 11, 23)
RULES = files("water2.rules")
CODE = Path(str(files("water2")))
LISHUI = load_book("lishui")
LATER = {"4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"}
LATER_ITEMS = {"13(1)", "13(2)", "13(4)", "13(5)", "13(6)", "13(7)"}
RUNNING_TITLE = re.compile(r"第[一二三四五六]章.*")


def bare(text: str) -> str:
    return "".join(text.split())


def quotes(book: Rulebook) -> list[tuple[str, str, str]]:
    """(instrument's text, where, quote) of everything that is quoted."""
    own = book.instrument.text
    found = [
        (each.provision.instrument.text or "", each.id, each.provision.quote)
        for each in book.obligations
        if each.provision.quote is not None
    ]
    if own is not None:
        found += [(own, part.ref, part.quote) for each in book.articles for part in each.parts]
        found += [(own, each.old_article, each.quote) for each in book.amendments if each.quote]
        found += [
            (own, wording.where, wording.quote)
            for each in book.amendments
            for wording in each.wordings
        ]
    return found


@pytest.mark.parametrize("place", places())
def test_every_quote_stands_verbatim_in_a_text_we_hold(place: str):
    astray = [
        (where, quote)
        for text, where, quote in quotes(load_book(place))
        if not text or bare(quote) not in bare((RULES / text).read_text("utf-8"))
    ]
    assert astray == []


def test_the_text_is_the_one_handed_to_us():
    text = (RULES / "text" / "lishui-2022-58.md").read_text("utf-8")
    assert text.startswith("# 丽水市区高层住宅二次供水管理办法(试行)")


def test_the_articles_together_are_the_whole_text():
    text = (RULES / "text" / "lishui-2022-58.md").read_text("utf-8")
    _, _, printed = text.rpartition("丽水市区高层住宅二次供水管理办法(试行)\n")
    lines = (line.removeprefix("- ") for line in printed.splitlines())
    body = "".join(line for line in lines if not RUNNING_TITLE.fullmatch(line))
    held = "".join(part.quote for each in LISHUI.articles for part in each.parts)
    assert bare(held) == bare(body)


def test_the_articles_are_1_to_21_and_each_says_so_itself():
    assert [each.number for each in LISHUI.articles] == list(range(1, 22))
    assert all(re.match("第[一二三四五六七八九十]+条 ", each.quote) for each in LISHUI.articles)


def test_every_article_is_encoded_or_has_a_reason_in_both_languages():
    wanting = [
        each.number
        for each in LISHUI.articles
        if each.status != "encoded" and not (each.reason and each.reason_en)
    ]
    assert wanting == []


def parts() -> list[Part]:
    return [part for each in LISHUI.articles for part in each.parts]


def test_every_part_is_encoded_or_has_a_reason():
    assert [part.ref for part in parts() if part.status != "encoded" and not part.reason] == []


def test_what_comes_in_later_issues_is_not_shown_as_done():
    assert {str(each.number) for each in LISHUI.articles if each.status == "later"} == LATER
    assert {part.ref for part in parts() if part.status == "encoded"}.isdisjoint(LATER_ITEMS)
    done = [part.ref for part in parts() if part.status == "encoded"]
    assert [ref for ref in done if re.split(r"[.(]", ref)[0] in LATER] == ["13(3)"]


def test_an_encoded_part_has_an_encoded_obligation_and_a_later_one_has_none():
    status = {each.id: each.status for each in LISHUI.obligations_on(TODAY)}
    for part in parts():
        found = {status[id_] for id_ in part.obligations}
        if part.status == "encoded" and part.obligations:
            assert "encoded" in found, part.ref
        if part.status == "later":
            assert found <= {"later"}, part.ref


def test_every_obligation_of_the_rules_stands_in_a_part_that_names_it():
    own = [each for each in LISHUI.obligations if each.provision.instrument is LISHUI.instrument]
    named = {part.ref: part.obligations for part in parts()}
    assert [each.id for each in own if each.id not in named[each.provision.article]] == []


def test_what_is_not_encoded_says_why():
    wanting = [
        (place, each.id)
        for place in places()
        for each in load_book(place).obligations
        if each.status != "encoded" and not (each.reason and each.reason_en)
    ]
    assert wanting == []


def test_in_time_of_article_18_has_no_number():
    report = LISHUI.obligation("anomaly.report", TODAY)
    assert "及时" in (report.provision.quote or "")
    values = [*report.values.values(), *LISHUI.obligation("anomaly", TODAY).values.values()]
    assert {value.basis for value in values} == {"target"}


def test_the_hard_numbers_are_the_four_of_the_text():
    own = [each for each in LISHUI.obligations if each.provision.instrument is LISHUI.instrument]
    law = {
        (each.id, setting.value)
        for each in own
        for setting in each.values.values()
        if setting.basis == "law" and not isinstance(setting.value, bool)
    }
    assert law == {
        ("outage.planned", 24),
        ("outage.unauthorised", 24),
        ("cleaning", 6),
        ("staff.fitness", 12),
    }


def test_what_the_revision_changed_is_dated_and_its_earlier_words_are_not_quoted():
    changed = {(each.old_article, each.kind) for each in LISHUI.amendments}
    assert {("6.2", "reworded"), ("19", "reworded"), ("附件", "deleted")} <= changed
    assert {("20", "deleted"), ("21", "deleted")} <= changed
    assert {each.on for each in LISHUI.amendments} == {date(2022, 11, 9)}
    assert [each.text for each in LISHUI.instruments if each.key == "lishui-before-2022"] == [None]


def test_both_wordings_of_article_6_2_are_held():
    notice, reissued = next(
        each for each in LISHUI.amendments if each.old_article == "6.2"
    ).wordings
    assert notice.quote.startswith("高层住宅二次供水设施的设计应当符合")
    assert reissued.quote in {part.quote for part in parts() if part.ref == "6.2"}
    assert notice.on == reissued.on == date(2022, 11, 9)


@pytest.mark.parametrize("place", places())
def test_what_was_not_read_in_its_own_words_is_marked(place: str):
    book = load_book(place)
    unread = [each for each in book.instruments if each.text is None]
    assert [each.key for each in unread if each.verified] == []
    assert [
        each.id for each in book.obligations if each.verified and not each.provision.quote
    ] == []


@pytest.mark.parametrize("place", places())
def test_editions_of_one_obligation_never_end_before_they_begin(place: str):
    for each in load_book(place).obligations:
        assert (each.in_force_from or date.min) <= (each.in_force_to or date.max), each.id


def test_each_edition_of_the_item_sets_ends_the_day_before_the_next():
    editions = [each for each in LISHUI.item_sets if each.name == "routine"]
    for before, after in pairwise(editions):
        assert before.in_force_to is not None
        assert (after.in_force_from - before.in_force_to).days == 1


def strings(path: Path) -> list[str]:
    """String literals of a module that are no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


@pytest.mark.parametrize("layer", ["rules", "domain", "services"])
def test_no_place_is_named_in_the_code(layer: str):
    titles = [load_book(place).title for place in places()]
    name = re.compile("|".join(map(re.escape, (*places(), "丽水", "湖北", *titles))), re.IGNORECASE)
    named = [
        (path.name, text)
        for path in sorted((CODE / layer).rglob("*.py"))
        for text in strings(path)
        if name.search(text)
    ]
    assert named == []
