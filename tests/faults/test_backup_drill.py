"""The drill: back up, go on, lose the database, restore; and the program says what was lost."""

import sqlite3
from contextlib import closing

import pytest

from tests.shell import FOUNDING, Shell


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


def users(shell: Shell) -> list[str]:
    return [one["username"] for one in shell.run("user", "list", "--json").data]


def add_user(shell: Shell, name: str) -> None:
    assert shell.run("user", "add", name, "--role", "manager").status == 0


def test_the_drill_ends_in_a_sound_ledger_that_is_told_to_be_set_back(founded):
    add_user(founded, "before")
    founded.run("ledger", "checkpoint")
    assert founded.run("backup", "--name", "drill").status == 0
    add_user(founded, "after")
    add_user(founded, "last")
    founded.run("ledger", "checkpoint")

    restored = founded.run("restore", "drill", "--yes", "--json")
    rebuilt = founded.run("ledger", "fsck", "--json")

    assert (restored.status, restored.data["sound"]) == (0, True)
    lost = {one["ledger_id"]: one["signed"] - one["size"] for one in restored.data["set_back"]}
    assert sorted(lost.values()) == [1, 2]  # the roll-up entered one head, the utility two users
    assert users(founded) == ["admin", "before"]
    assert {one["code"] for one in rebuilt.data["findings"]} == {"set_back"}


def test_a_restore_of_what_is_there_sets_nothing_back(founded):
    founded.run("ledger", "checkpoint")
    founded.run("backup", "--name", "now")
    said = founded.run("restore", "now", "--yes")
    assert said.status == 0
    assert "no ledger was set back" in said.out
    assert founded.run("ledger", "fsck").status == 0


def test_a_restored_installation_goes_on(founded):
    founded.run("backup", "--name", "drill")
    founded.run("restore", "drill", "--yes")
    add_user(founded, "after")
    assert founded.run("run-job", "sweep").status == 0
    assert founded.run("doctor").status == 0
    assert founded.run("ledger", "fsck").status == 0


def test_what_was_there_before_a_restore_is_kept_aside(founded):
    founded.run("backup", "--name", "drill")
    add_user(founded, "after")
    kept = founded.run("restore", "drill", "--yes", "--json").data["kept_aside"]
    if founded.database_url is None:
        with closing(sqlite3.connect(f"{kept}/water2.db")) as connection:
            names = connection.execute("SELECT username FROM user").fetchall()
    else:
        names = founded.sql(f'SELECT username FROM {kept.removeprefix("schema ")}."user"')
    assert sorted(name[0] for name in names) == ["admin", "after"]


def test_keys_are_never_in_a_backup(founded):
    founded.run("backup", "--name", "drill")
    contents = b"".join(path.read_bytes() for path in (founded.folder / "backups").rglob("*.*"))
    for key in (founded.folder / "keys").iterdir():
        assert key.read_bytes().strip() not in contents


def test_a_damaged_backup_is_refused_and_nothing_is_changed(founded):
    founded.run("backup", "--name", "drill")
    add_user(founded, "after")
    copy = next((founded.folder / "backups" / "drill").glob("water2.*"))
    with copy.open("r+b") as file:
        file.seek(5000)
        file.write(b"!")
    said = founded.run("restore", "drill", "--yes")
    assert (said.status, "damaged" in said.err) == (2, True)
    assert users(founded) == ["admin", "after"]


def test_a_restore_asks_to_be_confirmed(founded):
    founded.run("backup", "--name", "drill")
    assert founded.run("restore", "drill").status == 2


def test_a_backup_of_the_other_engine_is_refused(founded, tmp_path):
    founded.run("backup", "--name", "drill")
    if founded.database_url is None:
        other = Shell(founded.folder, "postgresql://nobody@/none?host=/nowhere")
    else:
        other = Shell(founded.folder)
    assert other.run("restore", "drill", "--yes").status == 2


def test_a_name_that_leads_elsewhere_is_refused(founded):
    assert founded.run("backup", "--name", "../elsewhere").status == 2
    assert founded.run("restore", "../keys", "--yes").status == 2


def test_a_backup_is_never_overwritten(founded):
    assert founded.run("backup", "--name", "drill").status == 0
    assert founded.run("backup", "--name", "drill").status == 2
    assert len(founded.run("backup", "--list", "--json").data) == 1


def test_an_empty_database_is_not_backed_up(shell):
    said = shell.run("backup")
    assert (said.status, said.err) == (2, "The database is empty: there is nothing to back up.\n")
    assert not shell.folder.exists()
