"""Accounts from the command line; each act is on the utility's ledger."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.shell import FOUNDING, Shell
from water2.main import opened
from water2.services.installation import FoundUtility, found_utility


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


@pytest.fixture
def second(founded) -> Shell:
    """The same installation with a second utility; the first one's regulator has an inspector."""
    assert founded.run("user", "put-under", "health", "卫健委").status == 0
    assert founded.run("user", "add", "wang", "--role", "health_inspector").status == 0

    async def found() -> None:
        async with opened(founded.settings) as runtime, runtime.work() as work:
            await found_utility(work, FoundUtility("LD", "莲都供水", "lishui"))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, found()).result()
    return founded


def test_a_regulator_is_founded_with_its_first_utility(founded):
    said = founded.run("user", "put-under", "water", "建设局", "--json")
    assert (said.status, said.data["new"], said.data["readers"]) == (0, True, [])
    assert entries(founded)[-1] == "jurisdiction.recorded"
    assert founded.run("user", "add", "wang", "--role", "water_inspector").status == 0
    again = founded.run("user", "put-under", "water", "建设局")
    assert (again.status, again.err) == (2, "The utility is under 建设局 already.\n")


def test_before_a_regulator_sees_a_second_utility_its_readers_are_named(second):
    asked = ("user", "put-under", "health", "卫健委", "--utility", "LD")
    refused, before = second.run(*asked), entries(second)
    assert refused.status == 2
    assert "wang" in refused.err
    assert "莲都供水" in refused.err
    assert entries(second) == before
    done = second.run(*asked, "--yes", "--json")
    assert (done.status, done.data["new"], done.data["readers"]) == (0, False, ["wang"])
    under = second.sql(
        "SELECT code FROM utility JOIN jurisdiction ON utility.id = utility_id ORDER BY code"
    )
    assert [row[0] for row in under] == ["LD", "OC"]


def test_an_account_that_is_disabled_reads_nothing_and_is_not_named(second):
    second.run("user", "disable", "wang")
    done = second.run("user", "put-under", "health", "卫健委", "--utility", "LD", "--json")
    assert (done.status, done.data["readers"]) == (0, [])


def test_what_was_typed_wrongly_is_named_by_its_field_and_not_as_a_setting(founded):
    said = founded.run("user", "add", "two words", "--role", "crew")
    assert (said.status, "WATER2_" in said.err) == (2, False)
    assert said.err.startswith("username: ")


def test_the_systems_role_is_nobodys(founded):
    said = founded.run("user", "add", "lisi", "--role", "system")
    assert said.status == 2
    assert "health_inspector" in said.err


def test_a_laboratory_is_let_report_and_its_people_get_accounts(founded):
    assert founded.run("user", "add", "zhou", "--role", "lab").status == 2
    said = founded.run("user", "put-under", "laboratory", "濯溪检测", "--json")
    assert (said.status, said.data["new"]) == (0, True)
    user = founded.run("user", "add", "zhou", "--role", "lab", "--json").data
    assert (user["role"], user["organisation_id"]) == ("lab", said.data["organisation_id"])
