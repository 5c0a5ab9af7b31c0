"""Whatever is done to a ledger's row, its signed heads or its whole history is found."""

import pytest
from sqlmodel import col, select

from tests.faults.kept_ledger import SIGNED, SIZE, flipped
from tests.ledgers import SIGNING_KEY
from water2.domain.ledger import Ledger, LedgerEntry
from water2.domain.merkle import leaf_hash
from water2.services.ledger_fsck import LedgerCheck


@pytest.mark.parametrize("change", [1, -1, 2**40])
async def test_a_count_that_is_not_that_of_the_entries_is_named_as_such(kept, change):
    await kept.do(
        "UPDATE ledger SET size = size + :change WHERE id = :id", change=change, id=kept.ledger_id
    )
    assert await kept.codes() == {"size_altered"}
    assert await kept.named() == {(kept.ledger_id, None)}


@pytest.mark.parametrize("at", [0, 33, 64])
async def test_a_frontier_that_does_not_follow_from_the_entries_is_named(kept, at):
    async with kept.runtime.read() as work:
        frontier = (await work.session.get_one(Ledger, kept.ledger_id)).frontier
    await kept.do(
        "UPDATE ledger SET frontier = :frontier WHERE id = :id",
        frontier=flipped(frontier, at),
        id=kept.ledger_id,
    )
    assert await kept.codes() == {"frontier_altered"}
    assert {ledger_id for ledger_id, _ in await kept.named()} == {kept.ledger_id}


async def test_a_removed_ledger_leaves_its_entries_and_its_signed_heads_accusing(kept):
    await kept.do("DELETE FROM ledger_checkpoint WHERE ledger_id = :id", id=kept.ledger_id)
    await kept.do("DELETE FROM ledger WHERE id = :id", id=kept.ledger_id)
    assert await kept.codes() == {"ledger_missing"}
    assert await kept.named() == {(kept.ledger_id, None)}


@pytest.mark.parametrize(("seq", "among"), [(3, [0, SIGNED - 1]), (SIGNED + 1, [SIGNED, SIZE - 1])])
async def test_a_history_rewritten_with_all_its_hashes_breaks_with_what_was_signed(
    kept, seq, among
):
    bodies = [kept.rows[one].body for one in range(SIZE)]
    bodies[seq] = bodies[seq].replace(b'"n":', b'"n":1')
    await kept.rewrite(bodies)
    findings = await kept.find()
    assert {finding.code.value for finding in findings} == {"history_rewritten"}
    assert {finding.ledger_id for finding in findings} == {kept.ledger_id}
    told = {finding.detail["source"]: finding.detail["among"] for finding in findings}
    assert told == {"checkpoint": among, "rollup": among, "signed_head": [0, SIZE - 1]}


async def test_an_entry_rewritten_with_its_leaf_is_found_by_the_subtree_above_it(kept):
    row = kept.rows[4]
    body = row.body.replace(b'"n":', b'"n":1')
    await kept.put(4, body=body, hashes=leaf_hash(body) + row.hashes[32:])
    findings = [one for one in await kept.find() if one.code == "hashes_altered"]
    assert [(one.seq, one.detail["among"]) for one in findings] == [(5, [4, 5])]


async def test_a_ledger_set_back_to_an_older_state_is_told_by_the_last_signed_head(kept):
    await kept.rewrite([kept.rows[one].body for one in range(SIGNED + 1)])
    await kept.do(
        "DELETE FROM ledger_checkpoint WHERE ledger_id = :id AND size > :size",
        id=kept.ledger_id,
        size=SIGNED,
    )
    findings = {one.detail["source"]: one for one in await kept.find()}
    assert findings["signed_head"].code == "set_back"
    assert findings["signed_head"].detail == {
        "source": "signed_head",
        "signed_size": SIZE,
        "size": SIGNED + 1,
    }


CHECKPOINT_DAMAGE = {
    "its size": "UPDATE ledger_checkpoint SET size = 6 WHERE ledger_id = :id AND size = 7",
    "its origin": (
        "UPDATE ledger_checkpoint SET note = replace(note, :id, 'x') WHERE ledger_id = :id"
    ),
    "its note": "UPDATE ledger_checkpoint SET note = 'nothing' WHERE ledger_id = :id",
}


@pytest.mark.parametrize("statement", CHECKPOINT_DAMAGE.values(), ids=CHECKPOINT_DAMAGE.keys())
async def test_a_changed_checkpoint_is_named(kept, statement):
    await kept.do(statement, id=kept.ledger_id)
    assert await kept.codes() == {"checkpoint_altered"}
    assert await kept.named() == {(kept.ledger_id, None)}


async def test_a_checkpoint_with_another_root_is_not_what_was_signed(kept):
    await kept.do(
        "UPDATE ledger_checkpoint SET root = :root WHERE ledger_id = :id",
        root=bytes(32),
        id=kept.ledger_id,
    )
    findings = await kept.find()
    assert {finding.detail["why"] for finding in findings} == {
        "the columns are not what was signed"
    }


async def test_a_head_in_the_roll_up_that_never_was_is_found(kept):
    async with kept.runtime.read() as work:
        rows = await work.session.exec(
            select(LedgerEntry)
            .where(LedgerEntry.ledger_id == kept.rollup)
            .order_by(col(LedgerEntry.seq))
        )
        row = next(one for one in rows.all() if one.subject == f"ledger:{kept.ledger_id}")
    at = row.body.index(b'"root":"') + 8
    kept_ledger, kept.ledger_id = kept.ledger_id, kept.rollup
    await kept.put(row.seq, body=row.body[:at] + b"AAAA" + row.body[at + 4 :])
    assert (kept.rollup, row.seq) in await kept.named()
    assert {one.code.value for one in await kept.find() if one.ledger_id == kept_ledger} == {
        "history_rewritten"
    }


async def test_the_quick_check_compares_signed_heads_with_stored_hashes(kept):
    row = kept.rows[3]
    await kept.put(3, hashes=flipped(row.hashes, 64))
    async with kept.runtime.read() as work:
        findings = await LedgerCheck(SIGNING_KEY, kept.heads.read()).quick_findings(work)
    assert {(one.code.value, one.ledger_id) for one in findings} == {
        ("history_rewritten", kept.ledger_id)
    }
