"""Accounts from the command line; each act is on the utility's ledger."""

import pytest

from tests.shell import FOUNDING, Shell


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


def entries(shell: Shell) -> list[str]:
    return [row[0] for row in shell.sql("SELECT type FROM ledger_entry ORDER BY recorded_at, seq")]


def test_a_user_is_added_with_a_one_time_password(founded):
    said = founded.run("user", "add", "lisi", "--role", "manager", "--json")
    changed = founded.sql("SELECT must_change_password FROM \"user\" WHERE username = 'lisi'")
    assert (said.status, len(said.data["one_time_password"])) == (0, 23)
    assert bool(changed[0][0])
    assert entries(founded)[-1] == "user.created"


def test_a_name_is_given_once(founded):
    said = founded.run("user", "add", "admin", "--role", "manager")
    assert (said.status, said.err) == (2, "The user name admin is taken.\n")


def test_a_regulators_role_needs_a_regulator(founded):
    assert founded.run("user", "add", "wang", "--role", "water_inspector").status == 2


def test_a_reset_password_is_another_one(founded):
    first = founded.run("user", "reset-password", "admin", "--json").data
    second = founded.run("user", "reset-password", "admin", "--json").data
    assert first["one_time_password"] != second["one_time_password"]
    assert entries(founded)[-1] == "user.password_reset"


def test_a_disabled_user_is_listed_as_such(founded):
    founded.run("user", "add", "lisi", "--role", "crew")
    assert founded.run("user", "disable", "lisi").status == 0
    listed = {one["username"]: one["active"] for one in founded.run("user", "list", "--json").data}
    assert listed == {"admin": True, "lisi": False}


def test_the_last_administrator_stays(founded):
    said = founded.run("user", "disable", "admin")
    assert (said.status, said.err[:30]) == (2, "This is the last administrator")


def test_nobody_of_that_name_is_said_so(founded):
    assert founded.run("user", "disable", "nobody").err == "There is no user nobody.\n"
