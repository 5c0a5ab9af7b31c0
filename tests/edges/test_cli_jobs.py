"""`run-job` runs the very row the scheduler runs, and keeps how it went."""

import pytest

from tests.shell import FOUNDING, Shell
from water2.jobs import JOBS


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


@pytest.mark.parametrize("name", JOBS)
def test_every_job_can_be_run_by_hand_and_again(founded, name):
    for more in ((), ("--json",)):
        assert founded.run("run-job", name, *more).status == 0
    row = founded.sql("SELECT started_at, finished_at, error FROM job_run WHERE name = :n", n=name)
    assert row[0][0] <= row[0][1]
    assert row[0][2] is None


def test_a_job_that_fails_says_why_and_keeps_it(founded):
    (founded.folder / "keys" / "signing.key").unlink()
    said = founded.run("run-job", "checkpoints")
    row = founded.sql("SELECT finished_at, error FROM job_run WHERE name = 'checkpoints'")
    assert said.status == 2
    assert "signing.key" in said.err
    assert row[0][0] is None
    assert "key_missing" in row[0][1]


def test_an_unknown_job_is_refused(founded):
    assert founded.run("run-job", "nonsense").status == 2
    assert founded.run("jobs", "--json").data["sweep"] == 60


def test_the_ledgers_are_signed_verified_and_rebuilt(founded):
    signed = founded.run("ledger", "checkpoint", "--json").data["signed"]
    again = founded.run("ledger", "checkpoint", "--json").data["signed"]
    rebuilt = founded.run("ledger", "fsck", "--json")
    assert (len(signed), again) == (2, [])  # the utility's own, and the roll-up
    verified = founded.run("ledger", "verify")
    assert verified.status == 0
    assert "The bytes of the entries were not read: water2 ledger fsck" in verified.out
    assert (rebuilt.status, rebuilt.data["sound"], rebuilt.data["ledgers"]) == (0, True, 2)


def test_a_touched_entry_is_named_and_the_status_is_1(founded):
    statement = (
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry"
        if founded.database_url
        else "DROP TRIGGER ledger_entry_no_update"
    )
    founded.sql(statement)
    founded.sql("UPDATE ledger_entry SET type = 'nothing.happened' WHERE seq = 0")
    said = founded.run("ledger", "fsck", "--json")
    found = said.data["findings"]
    assert said.status == 1
    assert [(one["code"], one["seq"]) for one in found] == [("columns_altered", 0)]
