"""The README's tables are those of the program; what it names is there."""

import re

import pytest

from tests.guards.readme import README, TABLES, written
from water2.config import Settings

ROOT = README.parent


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_the_program_does(name):
    assert written(name) == TABLES[name](), "python -m tests.guards.readme mends it"


def test_no_setting_is_a_value_of_the_law():
    assert not any("month" in name or "days" in name for name in Settings.model_fields)


def test_every_file_the_readme_names_is_there():
    text = README.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    named = re.findall(r"`((?:water2|deploy|tests)/[\w./-]+)`", text)
    assert [path for path in (*links, *named) if not (ROOT / path).exists()] == []


def test_every_make_target_the_readme_names_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = README.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)`", text)) <= targets
