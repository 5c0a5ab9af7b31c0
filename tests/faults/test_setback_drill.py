"""The drill goes on: what a restore set back is signed again once somebody stands for it.

The reader is a health inspector who has kept earlier checkpoints and trusts nobody's word.
"""

import json

import pytest

from tests.builders import a_facility
from tests.ledgers import an_entry, append, unguarded
from tests.shell import FOUNDING, Shell
from water2.domain.note import Checkpoint
from water2.main import opened
from water2.services.ledger_keys import load_signing_key, signer_of
from water2.services.ledger_proofs import give_receipt, verify_receipt
from water2.services.utilities import choose_utility

REASON = "磁盘损坏，恢复昨夜的备份"
ACCEPT = ("ledger", "accept-setback", "--by", "admin", "--reason", REASON)


def add_user(shell: Shell, name: str) -> None:
    assert shell.run("user", "add", name, "--role", "manager").status == 0


def checkpoint(shell: Shell):
    return shell.run("ledger", "checkpoint", "--json")


def lose(shell: Shell, *names: str) -> None:
    """Enter users, sign, and restore the backup from before them."""
    for name in names:
        add_user(shell, name)
    assert checkpoint(shell).status == 0
    assert shell.run("restore", "drill", "--yes").status == 0


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    assert checkpoint(shell).status == 0
    assert shell.run("backup", "--name", "drill").status == 0
    return shell


@pytest.fixture
def set_back(founded: Shell) -> Shell:
    lose(founded, "lost", "gone")
    add_user(founded, "after")
    return founded


def accepted(shell: Shell) -> list[dict]:
    rows = shell.sql(
        "SELECT body FROM ledger_entry WHERE type = 'setback.accepted' ORDER BY ledger_id, seq"
    )
    return [json.loads(row[0]) for row in rows]


def utility(shell: Shell) -> tuple[str, str]:
    """Return the utility's id, and its ledger's."""
    return tuple(shell.sql("SELECT id, ledger_id FROM utility")[0])


def last_note(shell: Shell, ledger_id: str) -> str:
    rows = shell.sql(
        "SELECT note FROM ledger_checkpoint WHERE ledger_id = :id ORDER BY size DESC", id=ledger_id
    )
    return rows[0][0]


def head_of(shell: Shell, ledger_id: str) -> Checkpoint:
    verifier = signer_of(load_signing_key(shell.folder / "keys"), utility(shell)[0]).verifier
    return Checkpoint.parse(verifier.open(last_note(shell, ledger_id)))


def doctor(shell: Shell) -> tuple[str, str]:
    found = {one["check"]: one for one in shell.run("doctor", "--json").data}["setbacks"]
    return found["level"], found["code"]


def heads(shell: Shell) -> dict[str, dict]:
    return json.loads((shell.folder / "heads.json").read_text())["heads"]


def test_until_somebody_stands_for_it_nothing_set_back_is_signed(set_back):
    _, ledger_id = utility(set_back)
    before = last_note(set_back, ledger_id)
    refused = checkpoint(set_back)
    assert refused.status == 1
    assert ledger_id in {one["ledger_id"] for one in refused.data["refused"]}
    assert last_note(set_back, ledger_id) == before
    assert doctor(set_back) == ("wrong", "not_accepted")
    assert set_back.run("ledger", "verify").status == 1


async def test_once_accepted_it_is_signed_again_with_the_acceptance_in_the_ledger(set_back):
    utility_id, ledger_id = utility(set_back)
    signed = heads(set_back)
    size = set_back.sql("SELECT size FROM ledger WHERE id = :id", id=ledger_id)[0][0]
    said = set_back.run(*ACCEPT, "--json")

    assert (said.status, said.data["refused"]) == (0, [])
    assert ledger_id in {one["ledger_id"] for one in said.data["signed"]}
    entries = {entry["data"]["ledger"]: entry for entry in accepted(set_back)}
    assert {one["ledger_id"] for one in said.data["accepted"]} == set(entries)
    told = entries[ledger_id]["data"]
    assert (told["signed_size"], told["signed_root"]) == (
        signed[ledger_id]["size"],
        signed[ledger_id]["root"],
    )
    assert (told["size"], told["reason"]) == (size, REASON)
    admin = set_back.run("user", "list", "--json").data[0]
    assert (entries[ledger_id]["actor"], admin["username"]) == (admin["id"], "admin")
    assert checkpoint(set_back).status == 0

    seq, body = set_back.sql(
        "SELECT seq, body FROM ledger_entry WHERE ledger_id = :id ORDER BY seq DESC", id=ledger_id
    )[0]
    assert json.loads(body)["type"] == "setback.accepted"
    assert head_of(set_back, ledger_id).size == seq + 1
    verifier = signer_of(load_signing_key(set_back.folder / "keys"), utility_id).verifier
    async with opened(set_back.settings) as runtime, runtime.read() as work:
        receipt = await give_receipt(work, ledger_id, seq)
    assert verify_receipt(receipt, bytes(body), verifier).size == seq + 1


def test_every_later_head_every_check_and_the_doctor_tell_of_it_for_good(set_back):
    _, ledger_id = utility(set_back)
    given_up = heads(set_back)[ledger_id]
    set_back.run(*ACCEPT)
    for name in ("one", "two"):
        add_user(set_back, name)
        assert checkpoint(set_back).status == 0
        (told,) = head_of(set_back, ledger_id).given_up
        assert told[0] == given_up["size"]
        assert f"setback {told[0]} {given_up['root']}\n" in last_note(set_back, ledger_id)
    for command in ("verify", "fsck"):
        said = set_back.run("ledger", command, "--json")
        assert (said.status, said.data["sound"]) == (0, True)
        told = {one["ledger_id"]: one for one in said.data["setbacks"]}[ledger_id]
        assert told["signed_root"] == given_up["root"]
        assert (told["signed_size"], told["reason"]) == (given_up["size"], REASON)
        assert f"Set back: ledger {ledger_id}, signed up to" in set_back.run("ledger", command).out
    assert doctor(set_back) == ("note", "accepted")


def test_a_second_restore_does_not_hide_the_first(set_back):
    _, ledger_id = utility(set_back)
    first = heads(set_back)[ledger_id]["root"]
    set_back.run(*ACCEPT)
    second = heads(set_back)[ledger_id]["root"]
    assert set_back.run("restore", "drill", "--yes").status == 0  # from before the acceptance

    assert accepted(set_back) == []
    assert doctor(set_back) == ("wrong", "not_accepted")
    assert "is lost: run water2" in set_back.run("ledger", "verify").out
    assert set_back.run(*ACCEPT).status == 0
    told = [one["data"]["signed_root"] for one in accepted(set_back)]
    assert {first, second} <= set(told)
    note = last_note(set_back, ledger_id)
    assert all(f" {root}\n" in note for root in (first, second))
    assert set_back.run("ledger", "fsck").status == 0
    assert doctor(set_back) == ("note", "accepted")


def test_another_node_with_heads_of_its_own_goes_on_by_the_same_acceptance(set_back):
    _, ledger_id = utility(set_back)
    own = (set_back.folder / "heads.json").read_text()
    set_back.run(*ACCEPT)
    (set_back.folder / "heads.json").write_text(own)  # as the other node last wrote it
    add_user(set_back, "more")
    assert set_back.run("ledger", "verify").status == 0
    signed = checkpoint(set_back)
    assert (signed.status, signed.data["refused"]) == (0, [])
    assert len(head_of(set_back, ledger_id).given_up) == 1


async def test_a_ledger_that_was_lost_whole_is_given_up_by_name(founded):
    async with opened(founded.settings) as runtime, runtime.work() as work:
        facility = await a_facility(work, await choose_utility(work, None))
    async with opened(founded.settings) as runtime:
        await append(runtime, an_entry(facility.ledger_id))
    lose(founded)
    assert founded.run("ledger", "fsck").status == 1
    assert founded.run(*ACCEPT).status == 0
    told = {one["data"]["ledger"]: one["data"] for one in accepted(founded)}
    assert (told[facility.ledger_id]["signed_size"], told[facility.ledger_id]["size"]) == (1, 0)
    assert founded.run("ledger", "fsck").status == 0
    assert "given_up" in heads(founded)[facility.ledger_id]


async def test_a_ledger_set_back_to_nothing_begins_anew(founded):
    async with opened(founded.settings) as runtime, runtime.work() as work:
        facility = await a_facility(work, await choose_utility(work, None))
    assert founded.run("backup", "--name", "empty").status == 0
    async with opened(founded.settings) as runtime:
        await append(runtime, an_entry(facility.ledger_id))
    assert checkpoint(founded).status == 0
    assert founded.run("restore", "empty", "--yes").status == 0
    assert founded.run(*ACCEPT).status == 0
    async with opened(founded.settings) as runtime:
        await append(runtime, an_entry(facility.ledger_id))
    assert checkpoint(founded).status == 0
    assert head_of(founded, facility.ledger_id).size == 1
    assert len(head_of(founded, facility.ledger_id).given_up) == 1


def test_there_is_nothing_to_accept_while_nothing_was_lost(founded):
    said = founded.run(*ACCEPT)
    assert (said.status, accepted(founded)) == (2, [])
    assert doctor(founded) == ("well", "well")


def test_it_is_accepted_by_an_administrator_and_with_a_reason(set_back):
    for by, reason in (("nobody", REASON), ("after", REASON), ("admin", " ")):
        said = set_back.run("ledger", "accept-setback", "--by", by, "--reason", reason)
        assert said.status == 2
    assert accepted(set_back) == []


async def test_other_damage_is_never_accepted_as_a_setback(set_back):
    _, ledger_id = utility(set_back)
    touch = "UPDATE ledger_entry SET subject = 'x' WHERE ledger_id = :id AND seq = 0"
    async with opened(set_back.settings) as runtime:
        await unguarded(runtime, (touch, {"id": ledger_id}))
    said = set_back.run(*ACCEPT)
    assert (said.status, accepted(set_back)) == (2, [])
    assert "damaged in other ways" in said.err
