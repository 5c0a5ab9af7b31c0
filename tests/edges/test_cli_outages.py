"""Outages and channels from the command line: proof as one file, lists, resuming."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from tests.builders import Installation
from tests.estate import FLATS, accept_all, an_estate
from tests.shell import FOUNDING, Shell
from water2.domain.organisation import Utility
from water2.domain.outage import OutageKind, OutageReason
from water2.domain.sending import SendingChannel
from water2.main import opened
from water2.services.delivery.channels import stop_channel
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.transitions import publish_outage


def within(shell: Shell, act):
    """Run something on the installation, in a thread with a loop of its own."""

    async def run():
        async with opened(shell.settings) as runtime:
            async with runtime.read() as work:
                utility = (await work.session.exec(select(Utility))).one()
            return await act(Installation(runtime, utility))

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()


async def an_announced_outage(installation: Installation) -> str:
    estate = await an_estate(installation)
    runtime = installation.runtime
    async with runtime.work() as work:
        command = CreateOutage(
            kind=OutageKind.planned,
            facility_id=estate.facility.id,
            reason=OutageReason.tank_cleaning,
            starts_at=work.now + timedelta(hours=48),
            ends_at=work.now + timedelta(hours=52),
        )
        outage = await create_outage(work, command)
        await publish_outage(work, outage.id)
    await accept_all(runtime)
    return outage.number


async def a_stopped_channel(installation: Installation) -> None:
    async with installation.runtime.work() as work:
        await stop_channel(work, installation.utility.id, SendingChannel.sms, "no money")


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


def test_a_proof_is_one_file_that_can_be_handed_to_anyone(founded, tmp_path):
    number = within(founded, an_announced_outage)
    assert founded.run("ledger", "checkpoint").status == 0
    file = tmp_path / "proof.json"
    said = founded.run("outage", "proof", number, "--out", str(file), "--json")
    assert said.status == 0, said.err
    assert said.data == {
        "file": str(file),
        "number": number,
        "households": 6,
        "told": 5,
        "missing": 1,
        "unsigned": 0,
    }
    text = file.read_text(encoding="utf-8")
    proof = json.loads(text)
    assert proof["outage"]["number"] == number
    assert all(entry["receipt"] for entry in proof["entries"])
    assert proof["verifier_key"].startswith("water2/")
    assert not [told for flat in FLATS for told in flat[2:] if told and told in text]


def test_a_proof_is_found_by_id_named_after_its_number_and_says_what_is_not_signed(
    founded, tmp_path, monkeypatch
):
    number = within(founded, an_announced_outage)
    monkeypatch.chdir(tmp_path)
    ((id_,),) = founded.sql("SELECT id FROM outage")
    said = founded.run("outage", "proof", id_)
    assert said.status == 0, said.err
    assert f"outage-{number}-proof.json" in said.out
    assert "2 of its entries have no signed receipt yet" in said.out
    proof = json.loads((tmp_path / f"outage-{number}-proof.json").read_text(encoding="utf-8"))
    assert [entry["receipt"] for entry in proof["entries"]] == [None, None]


def test_an_unknown_outage_has_no_proof_and_no_file(founded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = founded.run("outage", "proof", "TS261123-AAAAAA")
    assert (said.status, said.out) == (2, "")
    assert said.err == "There is no outage of number or id TS261123-AAAAAA.\n"
    assert list(tmp_path.glob("outage-*")) == []


def test_a_proof_is_not_written_where_there_is_no_folder(founded, tmp_path):
    number = within(founded, an_announced_outage)
    said = founded.run("outage", "proof", number, "--out", str(tmp_path / "no" / "proof.json"))
    assert (said.status, "proof.json" in said.err) == (2, True)


def test_outages_are_listed_with_how_many_are_told(founded):
    assert founded.run("outage", "list", "--json").data == []
    number = within(founded, an_announced_outage)
    (outage,) = founded.run("outage", "list", "--json").data
    assert (outage["number"], outage["state"]) == (number, "published")
    assert outage["notified"] == {"households": 6, "told": 5, "missing": 1, "late": 0}
    line = founded.run("outage", "list").out
    assert line.startswith(f"{number}\tBY-001\tpublished\t")
    assert "5 of 6 told, earliest lawful start" in line


def test_a_stopped_channel_is_listed_and_resumed(founded):
    within(founded, a_stopped_channel)
    assert "sms: stopped since" in founded.run("channel", "list").out
    assert founded.run("channel", "resume", "sms").status == 0
    stopped = [one for one in founded.run("channel", "list", "--json").data if one["stopped"]]
    assert stopped == []
    again = founded.run("channel", "resume", "sms")
    assert (again.status, again.err) == (2, "The channel sms is not stopped.\n")
    assert founded.run("channel", "resume", "pigeon").status == 2
