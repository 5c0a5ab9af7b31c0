"""The command line speaks Chinese unless English is asked for, and never shows a call stack."""

import pytest

from tests.shell import FOUNDING, Shell
from water2.cli import COMMANDS, GROUPS, build
from water2.cli.command import help_of
from water2.words import words


@pytest.fixture
def plain(tmp_path) -> Shell:
    return Shell(tmp_path / "installation")


def test_both_languages_have_the_same_keys():
    assert set(words("zh").texts) == set(words("en").texts)


@pytest.mark.parametrize(
    ("variables", "asked", "expected"),
    [
        pytest.param({"LANG": "C.UTF-8"}, (), "没有", id="no language is Chinese"),
        pytest.param({"LANG": "zh_CN.UTF-8"}, (), "没有", id="Chinese"),
        pytest.param({"LANG": "en_GB.UTF-8"}, (), "There is no", id="English by the environment"),
        pytest.param({"LANG": "en_GB.UTF-8"}, ("--lang", "zh"), "没有", id="Chinese by option"),
        pytest.param({"LC_ALL": "zh_CN", "LANG": "en"}, (), "没有", id="LC_ALL before LANG"),
    ],
)
def test_a_refusal_is_one_sentence_in_the_language_asked_for(plain, variables, asked, expected):
    said = plain.with_(**variables).run("restore", "nothing", "--yes", *asked)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(expected)
    assert said.err.count("\n") == 1


def test_every_command_has_help_in_both_languages():
    for language in ("zh", "en"):
        assert build(words(language)) is not None
    named = [("", name) for name in COMMANDS]
    named += [(group, name) for group, members in GROUPS.items() for name in members]
    told = [help_of(words("zh"), name, group) for group, name in named]
    assert len(set(told)) == len(named)


def test_a_setting_that_makes_no_sense_is_named(plain):
    said = plain.with_(WATER2_SWEEP_SECONDS="never").run("jobs")
    assert said.status == 2
    assert "WATER2_SWEEP_SECONDS" in said.err


def test_an_address_is_never_shown_with_its_password(plain):
    said = plain.run("db", "upgrade", "--database-url", "nonsense://user:hunter2@host/name")
    assert said.status == 2
    assert "hunter2" not in said.err + said.out


def test_a_command_that_is_not_understood_answers_2(plain):
    assert plain.run("init", "--code", "OC").status == 2
    assert plain.run("no-such-command").status == 2


def test_json_is_all_that_a_machine_gets_on_standard_output(plain):
    said = plain.run(*FOUNDING, "--json")
    assert set(said.data) >= {"utility_id", "username", "one_time_password"}
