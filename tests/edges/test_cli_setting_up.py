"""`init` makes an installation once; `doctor` says what is wrong with one."""

import shutil

import pytest

from tests.shell import FOUNDING, Shell


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


@pytest.fixture
def swept(founded: Shell) -> Shell:
    assert founded.run("run-job", "sweep").status == 0
    return founded


def wrong(shell: Shell) -> list[tuple[str, str]]:
    """Return what the doctor finds wrong, with the status it must answer then."""
    said = shell.run("doctor", "--json")
    found = [(one["check"], one["code"]) for one in said.data if one["level"] == "wrong"]
    assert said.status == (1 if found else 0)
    return found


def test_init_founds_a_utility_with_one_administrator_whose_password_is_told_once(shell):
    said = shell.run(*FOUNDING, "--json", "--admin", "chen")
    users = shell.run("user", "list", "--json").data
    assert said.status == 0
    assert said.data["username"] == "chen"
    assert [(one["username"], one["role"]) for one in users] == [("chen", "administrator")]
    assert said.data["one_time_password"] not in shell.run("user", "list").out


def test_init_puts_the_regulators_above_the_utility_when_they_are_named(shell):
    said = shell.run(*FOUNDING, "--health-regulator", "卫健局", "--water-regulator", "建设局")
    assert said.status == 0
    assert shell.run("user", "add", "zhou", "--role", "health_inspector").status == 0


def test_init_refuses_to_run_twice(founded):
    said = founded.run(*FOUNDING)
    assert said.status == 2
    assert said.err == "There is an installation here already; init runs once.\n"


def test_init_for_a_place_without_rules_makes_nothing(shell):
    said = shell.run(*FOUNDING, "--place", "atlantis")
    assert said.status == 2
    assert "atlantis" in said.err
    assert not shell.folder.exists()


def test_the_zone_is_the_rulebooks_unless_it_is_set(shell):
    assert shell.run(*FOUNDING, "--timezone", "Mars/Olympus").status == 2
    assert shell.with_(WATER2_TIMEZONE="Asia/Urumqi").run(*FOUNDING).status == 0
    assert shell.sql("SELECT timezone FROM utility") == [("Asia/Urumqi",)]


def test_keys_are_for_their_owner_alone_and_are_kept_when_they_are_there(shell):
    keys = shell.folder / "keys"
    keys.mkdir(parents=True)
    (keys / "contact.key").write_text("ab" * 32 + "\n")
    assert shell.run(*FOUNDING).status == 0
    assert (keys / "contact.key").read_text() == "ab" * 32 + "\n"
    assert (keys / "signing.key").stat().st_mode & 0o777 == 0o600


def test_commands_without_an_installation_say_what_to_do_and_make_nothing(shell):
    for command in (("user", "list"), ("worker",), ("run-job", "sweep"), ("import", "nothing")):
        said = shell.run(*command)
        assert said.status == 2
    assert "water2 init" in shell.run("user", "list").err
    assert not shell.folder.exists()


def test_the_doctor_finds_nothing_wrong_with_a_fresh_installation_that_sweeps(swept):
    assert wrong(swept) == []


def test_the_doctor_misses_the_first_sweep(founded):
    assert wrong(founded) == [("sweep", "never")]


def test_the_doctor_names_a_key_that_others_may_read(swept):
    (swept.folder / "keys" / "signing.key").chmod(0o644)
    assert wrong(swept) == [("key", "open")]


def test_the_doctor_names_a_key_that_is_not_one(swept):
    (swept.folder / "keys" / "contact.key").write_text("not hexadecimal\n")
    assert wrong(swept) == [("key", "unusable")]


def test_the_doctor_finds_keys_among_the_backups(swept):
    shutil.copytree(swept.folder / "keys", swept.folder / "backups" / "by hand")
    assert wrong(swept) == [("keys_apart", "in_backups")]


def test_the_doctor_names_a_variable_nobody_knows(swept):
    assert wrong(swept.with_(WATER2_SWEEP_SECOND="5")) == [("variables", "unknown")]


def test_the_doctor_names_a_gateway_whose_setting_no_worker_would_begin_with(swept):
    assert wrong(swept.with_(WATER2_SMS_URL="http://127.0.0.1:9/sms")) == [("gateways", "unusable")]
    said = swept.with_(WATER2_SMTP_URL="smtps://mail.example.com?from=a@example.com").run("doctor")
    assert (said.status, "settings of mail can be used" in said.out) == (0, True)
    assert "WATER2_SMS_URL" in said.out


def test_the_doctor_says_that_the_database_is_away(swept, tmp_path):
    away = Shell(swept.folder, f"postgresql://water2:secret@/water2?host={tmp_path}/nowhere")
    said = away.run("doctor")
    assert said.status == 1
    assert "cannot be reached" in said.out
    assert "secret" not in said.out + said.err


def test_the_doctor_misses_a_trigger_of_the_ledger(swept):
    table = " ON ledger" if swept.database_url else ""
    swept.sql(f"DROP TRIGGER ledger_begins_empty{table}")
    assert wrong(swept) == [("guards", "lacking")]


def test_the_doctor_knows_a_database_that_a_newer_program_wrote(swept):
    swept.sql("UPDATE alembic_version SET version_num = '9999'")
    assert wrong(swept) == [("schema", "newer")]


def test_the_doctor_finds_entries_that_lie_in_the_future(swept):
    (swept.folder / "demo-clock.json").write_text('{"now": "2020-01-01T00:00:00+00:00"}')
    assert ("clock", "behind") in wrong(swept)


def test_the_doctor_misses_an_application_without_an_installation(shell):
    checks = {check for check, _ in wrong(shell)}
    assert {"folder", "key", "database"} <= checks or {"folder", "key", "schema"} <= checks
