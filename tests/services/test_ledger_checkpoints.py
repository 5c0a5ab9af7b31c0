"""Signed heads: what is signed, when, and what is never signed."""

import json
import stat

import pytest
from sqlmodel import col, select

from tests.ledgers import add_ledger, an_entry, append, sign, unguarded, verifier_of
from water2.config import load_settings
from water2.domain.entry import parse_entry
from water2.domain.errors import Conflict
from water2.domain.ledger import Ledger, LedgerCheckpoint, LedgerEntry
from water2.domain.merkle import GrowingTree
from water2.services.ledger import root_of
from water2.services.ledger_checkpoints import latest_checkpoint
from water2.services.ledger_heads import HeadsFile
from water2.services.ledger_keys import load_signing_key, make_signing_key
from water2.services.ledger_proofs import verify_checkpoint
from water2.services.ledger_signing import checkpoint_ledgers


@pytest.fixture
def heads(tmp_path):
    return HeadsFile(tmp_path / "heads.json")


@pytest.fixture
async def facility(lishui):
    """A facility's ledger with five entries."""
    ledger_id = await add_ledger(lishui.runtime, utility_id=lishui.utility.id)
    await append(lishui.runtime, *[an_entry(ledger_id, data={"n": n}) for n in range(5)])
    return ledger_id


async def ledger_of(runtime, ledger_id):
    async with runtime.read() as work:
        return await work.session.get_one(Ledger, ledger_id)


async def stored(runtime):
    async with runtime.read() as work:
        found = await work.session.exec(
            select(LedgerCheckpoint).order_by(
                col(LedgerCheckpoint.ledger_id), col(LedgerCheckpoint.size)
            )
        )
        return found.all()


async def test_every_changed_head_is_entered_in_the_roll_up_and_signed(lishui, facility, heads):
    run = await sign(lishui, heads)
    utility = lishui.utility
    signed = {note.ledger_id: note for note in run.signed}
    assert signed.keys() == {facility, utility.ledger_id, utility.rollup_ledger_id}
    assert not run.refused
    for ledger_id, note in signed.items():
        ledger = await ledger_of(lishui.runtime, ledger_id)
        head = verify_checkpoint(note.note, verifier_of(utility.id))
        assert (head.size, head.root) == (note.size, note.root) == (ledger.size, root_of(ledger))
    rollup = verify_checkpoint(signed[utility.rollup_ledger_id].note, verifier_of(utility.id))
    assert rollup.origin == f"water2/{utility.id}"
    own = verify_checkpoint(signed[facility].note, verifier_of(utility.id))
    assert own.origin == f"water2/{utility.id}/{facility}"


async def test_the_roll_up_names_size_and_root_of_each_head(lishui, facility, heads):
    run = await sign(lishui, heads)
    async with lishui.runtime.read() as work:
        bodies = await work.session.exec(
            select(LedgerEntry.body).where(LedgerEntry.ledger_id == lishui.utility.rollup_ledger_id)
        )
        told = {entry["data"]["ledger"]: entry for entry in map(parse_entry, bodies.all())}
    assert told.keys() == {facility, lishui.utility.ledger_id}
    note = next(note for note in run.signed if note.ledger_id == facility)
    assert told[facility]["data"]["size"] == 5
    assert told[facility]["data"]["root"] in note.note
    assert told[facility]["type"] == "head.changed"


async def test_nothing_new_is_signed_while_nothing_changes(lishui, facility, heads):
    await sign(lishui, heads)
    before = await stored(lishui.runtime)
    again = await sign(lishui, heads)
    assert (again.signed, again.refused) == ((), ())
    assert len(await stored(lishui.runtime)) == len(before) == 3


async def test_only_what_grew_is_signed_again(lishui, facility, heads):
    await sign(lishui, heads)
    await append(lishui.runtime, an_entry(facility))
    run = await sign(lishui, heads)
    assert [(note.ledger_id, note.size) for note in run.signed] == [
        (facility, 6),
        (lishui.utility.rollup_ledger_id, 3),
    ]
    async with lishui.runtime.read() as work:
        assert (await latest_checkpoint(work, facility)).size == 6


async def test_the_heads_file_holds_every_signed_head(lishui, facility, heads):
    run = await sign(lishui, heads)
    kept = heads.read()
    assert {(note.ledger_id, note.size, note.root) for note in run.signed} == {
        (ledger_id, head.size, head.root) for ledger_id, head in kept.items()
    }


async def set_back(runtime, ledger_id, size):
    """Take the last entries away, as restoring an old copy does."""
    tree = GrowingTree()
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(LedgerEntry.hashes)
            .where(LedgerEntry.ledger_id == ledger_id, LedgerEntry.seq < size)
            .order_by(col(LedgerEntry.seq))
        )
        for hashes in rows.all():
            tree.append(hashes[:32])
    where = {"id": ledger_id, "size": size, "frontier": tree.frontier}
    await unguarded(
        runtime,
        ("DELETE FROM ledger_entry WHERE ledger_id = :id AND seq >= :size", where),
        ("DELETE FROM ledger_checkpoint WHERE ledger_id = :id AND size > :size", where),
        ("UPDATE ledger SET size = :size, frontier = :frontier WHERE id = :id", where),
    )


async def test_a_head_that_went_backwards_is_not_signed(lishui, facility, heads):
    await sign(lishui, heads)
    await set_back(lishui.runtime, facility, 3)
    run = await sign(lishui, heads)
    assert [(one.ledger_id, one.code, one.size, one.signed_size) for one in run.refused] == [
        (facility, "went_back", 3, 5)
    ]
    assert facility not in {note.ledger_id for note in run.signed}
    assert heads.read()[facility].size == 5


async def test_a_head_that_took_another_way_since_is_not_signed(lishui, facility, heads):
    await sign(lishui, heads)
    await set_back(lishui.runtime, facility, 3)
    await append(lishui.runtime, *[an_entry(facility, data={"other": n}) for n in range(4)])
    run = await sign(lishui, heads)
    assert [(one.ledger_id, one.code) for one in run.refused] == [(facility, "rewritten")]
    assert heads.read()[facility].size == 5


async def test_a_note_that_was_signed_but_not_stored_is_no_obstacle(lishui, facility, heads):
    await sign(lishui, heads)
    await unguarded(lishui.runtime, "DELETE FROM ledger_checkpoint")
    run = await sign(lishui, heads)
    assert not run.refused
    assert {note.ledger_id for note in run.signed} == set(heads.read())


async def test_two_runs_in_one_folder_do_not_sign_at_once(lishui, facility, heads):
    with heads.held(), pytest.raises(Conflict) as refused:
        await sign(lishui, HeadsFile(heads.path))
    assert refused.value.code == "checkpoint_under_way"


async def test_a_damaged_heads_file_stops_the_signing(lishui, facility, heads):
    heads.path.write_text('{"heads": {"x": {"size": 1}}}')
    with pytest.raises(Conflict) as refused:
        await sign(lishui, heads)
    assert refused.value.code == "heads_unreadable"
    assert await stored(lishui.runtime) == []


async def test_the_job_signs_with_the_installation_s_key(lishui, facility, tmp_path):
    settings = load_settings(data_dir=tmp_path)
    make_signing_key(settings.keys)
    run = await checkpoint_ledgers(lishui.runtime, settings)
    assert len(run.signed) == 3
    assert len(json.loads((tmp_path / "heads.json").read_text())["heads"]) == 3


async def test_without_its_key_nothing_is_signed(lishui, facility, tmp_path):
    with pytest.raises(Conflict) as refused:
        await checkpoint_ledgers(lishui.runtime, load_settings(data_dir=tmp_path))
    assert refused.value.code == "key_missing"


def test_the_signing_key_is_its_owner_s_alone_and_never_replaced(tmp_path):
    make_signing_key(tmp_path)
    path = tmp_path / "signing.key"
    before = path.read_bytes()
    make_signing_key(tmp_path)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_signing_key(tmp_path).public_key() == load_signing_key(tmp_path).public_key()


def test_a_file_that_holds_no_signing_key_is_named(tmp_path):
    (tmp_path / "signing.key").write_text("nothing")
    with pytest.raises(Conflict) as refused:
        load_signing_key(tmp_path)
    assert refused.value.code == "key_unusable"
