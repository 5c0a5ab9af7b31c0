"""`rules show` gives the law in force on a day with its articles and quotes."""

import pytest

from tests.shell import Shell
from water2.rules.book import places


@pytest.fixture
def plain(tmp_path) -> Shell:
    return Shell(tmp_path)


def test_the_law_of_lishui_is_shown_with_its_words(plain):
    said = plain.run("rules", "show", "--lang", "zh")
    assert said.status == 0
    assert "每半年对二次供水设施进行一次清洗、消毒" in said.out
    assert "第十七条（四）" in said.out


def test_machines_get_every_article_and_what_it_demands(plain):
    data = plain.run("rules", "show", "--on", "2026-11-23", "--json").data
    cleaning = next(one for one in data["obligations"] if one["id"] == "cleaning")
    assert [article["number"] for article in data["articles"]] == list(range(1, 22))
    assert cleaning["article"] == "17(4)"
    assert cleaning["values"]["months"] == {"value": 6, "unit": "month", "basis": "law"}


def test_a_day_before_the_rules_shows_none_of_their_demands(plain):
    data = plain.run("rules", "show", "--on", "2020-01-01", "--json").data
    assert "cleaning" not in {one["id"] for one in data["obligations"]}


def test_every_place_can_be_shown_in_both_languages(plain):
    listed = [one["key"] for one in plain.run("rules", "places", "--json").data]
    assert listed == list(places())
    for place in listed:
        for language in ("zh", "en"):
            assert plain.run("rules", "show", "--place", place, "--lang", language).status == 0


def test_a_place_without_rules_and_a_day_that_is_none_are_refused(plain):
    assert plain.run("rules", "show", "--place", "atlantis").status == 2
    assert plain.run("rules", "show", "--on", "2026-02-30").status == 2
