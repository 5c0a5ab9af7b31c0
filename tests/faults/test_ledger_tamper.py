"""Whatever is done to entries behind the program's back, fsck names what was touched."""

import random
from types import SimpleNamespace

import pytest

from tests.faults.kept_ledger import SIZE, flipped
from tests.ledgers import SIGNING_KEY, an_entry, append, unguarded
from water2.domain.tree_check import TreeCheck
from water2.services.ledger_fsck import LedgerCheck
from water2.services.ledger_rebuild import entry_faults


async def test_an_untouched_ledger_is_sound_and_counted(kept):
    run = LedgerCheck(SIGNING_KEY, kept.heads.read())
    async with kept.runtime.read() as work:
        assert [finding async for finding in run.findings(work)] == []
    async with kept.runtime.read() as work:
        assert await LedgerCheck(SIGNING_KEY, kept.heads.read()).quick_findings(work) == []
    # the utility's own ledger has its founding; the roll-up an entry for each changed head
    assert (run.ledgers, run.entries, run.checkpoints) == (4, 2 * SIZE + 1 + 5, 7)


async def test_every_flipped_byte_of_every_body_names_that_entry_alone(kept):
    chance = random.Random(1)
    for seq, row in kept.rows.items():
        for at in sorted(chance.sample(range(len(row.body)), 4)):
            await kept.put(seq, body=flipped(row.body, at))
            assert await kept.named() == {(kept.ledger_id, seq)}, (seq, at)
        await kept.put(seq, body=row.body)
    assert await kept.find() == []


async def test_no_byte_of_an_entry_is_too_small_to_be_noticed(kept):
    for seq, row in kept.rows.items():
        told = row.model_dump()
        assert entry_faults(SimpleNamespace(**told)) == []
        for at in range(len(row.body)):
            tree = TreeCheck()
            for one in sorted(kept.rows):
                body = flipped(row.body, at) if one == seq else kept.rows[one].body
                check = tree.take(body, kept.rows[one].hashes)
                assert (check.leaf_differs, check.strangers) == (one == seq, ())


async def test_every_stored_hash_flipped_names_its_row_alone(kept):
    for seq, row in kept.rows.items():
        for at in range(0, len(row.hashes), 32):
            await kept.put(seq, hashes=flipped(row.hashes, at + seq))
            assert await kept.named() == {(kept.ledger_id, seq)}, (seq, at)
        await kept.put(seq, hashes=row.hashes[:-1])
        assert await kept.named() == {(kept.ledger_id, seq)}
        await kept.put(seq, hashes=row.hashes)


@pytest.mark.parametrize(
    "columns", [{"type": "cleaning.cancelled"}, {"subject": "tank:t2"}], ids=["type", "subject"]
)
async def test_a_column_that_is_not_what_the_bytes_say_names_its_entry(kept, columns):
    await kept.put(4, **columns)
    assert await kept.named() == {(kept.ledger_id, 4)}
    assert await kept.codes() == {"columns_altered"}


async def test_another_way_of_writing_the_same_entry_is_not_taken(kept):
    row = kept.rows[4]
    await kept.put(4, body=row.body.replace(b'{"actor"', b'{ "actor"'))
    assert await kept.named() == {(kept.ledger_id, 4)}
    assert await kept.codes() == {"entry_altered", "entry_not_canonical"}


@pytest.mark.parametrize("seq", range(SIZE))
async def test_a_removed_entry_is_missed_by_its_number(kept, seq):
    await kept.do(
        "DELETE FROM ledger_entry WHERE ledger_id = :id AND seq = :seq", id=kept.ledger_id, seq=seq
    )
    assert await kept.named() == {(kept.ledger_id, seq)}
    assert await kept.codes() == {"entry_missing"}


async def test_a_removed_stretch_is_one_finding_with_both_ends(kept):
    await kept.do(
        "DELETE FROM ledger_entry WHERE ledger_id = :id AND seq BETWEEN 3 AND 5", id=kept.ledger_id
    )
    (finding,) = await kept.find()
    assert (finding.code, finding.seq, finding.detail) == ("entry_missing", 3, {"to": 5})


@pytest.mark.parametrize(("one", "other"), [(2, 3), (0, 10), (3, 7)])
async def test_two_swapped_bodies_name_both_entries(kept, one, other):
    await kept.put(one, body=kept.rows[other].body)
    await kept.put(other, body=kept.rows[one].body)
    assert await kept.named() == {(kept.ledger_id, one), (kept.ledger_id, other)}
    assert "entry_misplaced" in await kept.codes()


async def test_two_rows_that_swapped_their_numbers_are_both_named(kept):
    for seq, to in ((2, 99), (5, 2), (99, 5)):
        await kept.put(seq, seq=to)
    assert {(kept.ledger_id, 2), (kept.ledger_id, 5)} <= await kept.named()
    assert "entry_misplaced" in await kept.codes()


async def test_an_entry_moved_to_another_ledger_is_missed_here_and_surplus_there(kept):
    await kept.do(
        "UPDATE ledger_entry SET ledger_id = :other, seq = :size WHERE ledger_id = :id AND seq = 4",
        other=kept.other,
        size=SIZE,
        id=kept.ledger_id,
    )
    assert (kept.ledger_id, 4) in await kept.named()
    assert (kept.other, SIZE) in await kept.named()


async def test_an_entry_put_again_behind_the_last_is_surplus(kept):
    await kept.do(
        "INSERT INTO ledger_entry (ledger_id, seq, body, hashes, type, subject, recorded_at)"
        " SELECT ledger_id, :size, body, hashes, type, subject, recorded_at FROM ledger_entry"
        " WHERE ledger_id = :id AND seq = 4",
        size=SIZE,
        id=kept.ledger_id,
    )
    assert await kept.named() == {(kept.ledger_id, SIZE)}
    assert "entry_surplus" in await kept.codes()


async def test_a_number_far_away_is_one_finding(kept):
    await kept.put(4, seq=2**40)
    assert await kept.named() == {(kept.ledger_id, 4), (kept.ledger_id, 2**40)}


async def test_a_long_ledger_is_read_in_batches(kept):
    await unguarded(kept.runtime)
    entries = [an_entry(kept.ledger_id, data={"n": n}) for n in range(3000)]
    await append(kept.runtime, *entries)
    assert await kept.find() == []
