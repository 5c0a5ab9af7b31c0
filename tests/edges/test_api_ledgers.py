"""Ledgers over HTTP: entries, proofs that verify, corrections, signed heads."""

import asyncio
from base64 import b64decode, b64encode

import pytest

from tests.edges.test_api_register import FACILITY, TANK, a_registered_place, added
from water2.api.openapi import examples
from water2.config import Settings
from water2.domain.entry import parse_entry
from water2.domain.merkle import leaf_hash, verify_consistency, verify_inclusion
from water2.domain.note import Checkpoint, Verifier
from water2.services.ledger_keys import make_signing_key


@pytest.fixture
async def ledger(api):
    """A facility's ledger with some entries."""
    return f"/ledgers/{(await a_registered_place(api))['/ledgers']}"


async def told(client, path, **params):
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_utility_has_its_own_ledger_a_roll_up_and_one_for_each_facility(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    listed = (await told(api.health, "/ledgers"))["items"]
    assert sorted(one["kind"] for one in listed) == ["facility", "rollup", "utility"]
    (own,) = [one for one in listed if one["kind"] == "facility"]
    assert (own["id"], own["subject_id"]) == (facility["ledger_id"], facility["id"])


async def test_entries_come_with_the_bytes_that_were_hashed(api, ledger):
    entries = (await told(api.health, f"{ledger}/entries"))["items"]
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    for entry in entries:
        body = b64decode(entry["body"])
        assert parse_entry(body) == entry["entry"]
        assert leaf_hash(body) == b64decode(entry["leaf"])


async def test_entries_are_paged_by_their_number(api, ledger):
    first = await told(api.health, f"{ledger}/entries", limit=2)
    second = await told(api.health, f"{ledger}/entries", limit=2, cursor=first["next"])
    assert [one["seq"] for one in first["items"] + second["items"]] == [0, 1, 2, 3]


async def test_an_inclusion_proof_verifies_against_the_ledgers_root(api, ledger):
    head = await told(api.health, ledger)
    proof = await told(api.health, f"{ledger}/proofs/inclusion", seq=1)
    assert (proof["size"], proof["root"]) == (head["size"], head["root"])
    assert verify_inclusion(
        b64decode(proof["leaf"]),
        1,
        proof["size"],
        [b64decode(one) for one in proof["hashes"]],
        b64decode(proof["root"]),
    )


async def test_a_consistency_proof_shows_that_the_ledger_only_grew(api, ledger):
    before = await told(api.health, ledger)
    await added(api.manager, f"/facilities/{before['subject_id']}/tanks", TANK | {"code": "2#"})
    sizes = {"from": before["size"]}
    proof = await told(api.health, f"{ledger}/proofs/consistency", **sizes)
    assert proof["first_root"] == before["root"]
    assert verify_consistency(
        proof["first"],
        proof["second"],
        [b64decode(one) for one in proof["hashes"]],
        b64decode(proof["first_root"]),
        b64decode(proof["second_root"]),
    )


@pytest.mark.parametrize(
    "path",
    [
        "/proofs/inclusion?seq=99",
        "/proofs/inclusion",
        "/proofs/inclusion?seq=-1",
        "/proofs/inclusion?seq=0&size=99",
        "/proofs/consistency?from=0",
        "/proofs/consistency?from=3&to=2",
        "/proofs/consistency",
    ],
)
async def test_a_proof_of_what_is_not_there_is_malformed(api, ledger, path):
    assert (await api.health.get(f"{ledger}{path}")).status_code == 422


async def test_a_correction_stands_beside_what_it_corrects(api, ledger):
    body = {
        "seq": 0,
        "field": "disinfectant",
        "old": "chlorine",
        "new": "chloramine",
        "reason": "录入有误",
    }
    await added(api.manager, f"{ledger}/corrections", body)
    entry = (await told(api.health, f"{ledger}/entries", limit=1))["items"][0]
    assert entry["entry"]["data"]["disinfectant"] == "chlorine"
    assert entry["corrected_data"]["disinfectant"] == "chloramine"
    assert entry["corrections"][0]["reason"] == "录入有误"
    refused = await api.manager.post(f"{ledger}/corrections", json=body)
    assert (refused.status_code, refused.json()["reason"]) == (409, "old_value_differs")
    assert (await api.crew.post(f"{ledger}/corrections", json=body)).status_code == 403


async def test_no_route_changes_or_deletes_an_entry(api, ledger):
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await api.manager.request(method, f"{ledger}/entries")).status_code == 405


async def test_a_signed_head_is_made_on_demand_and_receipts_follow(api, ledger, tmp_path):
    refused = await api.health.get(f"{ledger}/receipt", params={"seq": 0})
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_signed_yet")
    make_signing_key(Settings(data_dir=tmp_path).keys)
    head, signed = await told(api.health, ledger), await told(api.health, f"{ledger}/checkpoint")
    assert (signed["size"], signed["root"]) == (head["size"], head["root"])
    assert f"\n{head['size']}\n{head['root']}\n\n— " in signed["note"]
    receipt = await told(api.health, f"{ledger}/receipt", seq=0)
    assert signed["note"] in receipt["receipt"]


async def test_a_stranger_verifies_a_signed_head_with_the_published_key(api, ledger, tmp_path):
    unsigned = (await told(api.health, "/ledgers"))["items"]
    assert {one["verifier_key"] for one in unsigned} == {None}
    make_signing_key(Settings(data_dir=tmp_path).keys)
    listed = (await told(api.health, "/ledgers"))["items"]
    for one in sorted(listed, key=lambda one: one["kind"] == "rollup"):  # it tells of the others
        signed = await told(api.health, f"/ledgers/{one['id']}/checkpoint")
        head = Checkpoint.parse(Verifier.from_vkey(one["verifier_key"]).open(signed["note"]))
        assert (head.size, b64encode(head.root).decode()) == (signed["size"], signed["root"])
        assert signed["verifier_key"] == one["verifier_key"]
    assert (await told(api.health, ledger))["verifier_key"] == listed[0]["verifier_key"]


def test_the_example_of_a_checkpoint_verifies_with_the_key_beside_it():
    example = examples()["CheckpointAnswer"]
    assert Verifier.from_vkey(example["verifier_key"]).open(example["note"])


async def test_many_may_ask_for_the_signed_head_at_once(api, ledger, tmp_path):
    make_signing_key(Settings(data_dir=tmp_path).keys)
    asked = [api.health.get(f"{ledger}/checkpoint") for _ in range(12)]
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await told(api.health, f"{ledger}/checkpoint"))["size"] == 4
