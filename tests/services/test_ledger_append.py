"""Appending: numbers, bytes and hashes alike on both databases, and what the guards refuse."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from tests.ledgers import add_ledger, an_entry, append
from water2 import journal
from water2.domain.entry import parse_entry
from water2.domain.errors import Invalid, NotFound
from water2.domain.ledger import Ledger, LedgerCheckpoint, LedgerEntry, LedgerKind
from water2.domain.merkle import GrowingTree, leaf_hash

SIGNED_AT = datetime(2026, 3, 1, tzinfo=UTC)


async def rows_of(runtime, ledger_id):
    async with runtime.read() as work:
        statement = (
            select(LedgerEntry)
            .where(LedgerEntry.ledger_id == ledger_id)
            .order_by(col(LedgerEntry.seq))
        )
        ledger = await work.session.get(Ledger, ledger_id)
        return ledger, (await work.session.exec(statement)).all()


def assert_is_the_tree_of_its_bytes(ledger, rows):
    tree = GrowingTree()
    for row in rows:
        told = parse_entry(row.body)
        assert (told["ledger"], told["seq"]) == (ledger.id, row.seq) == (ledger.id, tree.size)
        assert (told["type"], told["subject"]) == (row.type, row.subject)
        assert row.hashes == tree.append(leaf_hash(row.body))
    assert (ledger.size, ledger.frontier) == (tree.size, tree.frontier)


async def test_random_batches_come_out_byte_for_byte_as_python_makes_them(runtime):
    chance = random.Random(20260301)
    ids = [await add_ledger(runtime) for _ in range(4)]
    for _ in range(25):
        entries = [
            an_entry(
                chance.choice(ids), data={"n": n, "text": chance.choice(["", "水箱", '"\\\n'])}
            )
            for n in range(chance.choice([1, 1, 2, 7, 40]))
        ]
        receipts = await append(runtime, *entries)
        assert [receipt.ledger_id for receipt in receipts] == [one.ledger_id for one in entries]
    for ledger_id in ids:
        ledger, rows = await rows_of(runtime, ledger_id)
        assert rows[0].recorded_at == runtime.now()
        assert_is_the_tree_of_its_bytes(ledger, rows)


async def test_ten_thousand_entries_over_many_ledgers_go_in_at_once(runtime):
    ids = [await add_ledger(runtime) for _ in range(50)]
    entries = [an_entry(ids[n % 50], data={"n": n}) for n in range(10_000)]
    receipts = await append(runtime, *entries)
    assert [receipt.seq for receipt in receipts] == [n // 50 for n in range(10_000)]
    ledger, rows = await rows_of(runtime, ids[7])
    assert len(rows) == 200
    assert_is_the_tree_of_its_bytes(ledger, rows)


async def test_a_receipt_names_the_place_and_the_leaf_of_its_entry(runtime):
    one, other = await add_ledger(runtime), await add_ledger(runtime)
    receipts = await append(runtime, an_entry(other), an_entry(one), an_entry(other))
    assert [(r.ledger_id, r.seq) for r in receipts] == [(other, 0), (one, 0), (other, 1)]
    _, rows = await rows_of(runtime, other)
    assert receipts[2].leaf == leaf_hash(rows[1].body)


async def test_what_is_recorded_in_a_unit_is_appended_with_it_or_not_at_all(runtime):
    ledger_id = await add_ledger(runtime)
    async with runtime.work() as work:
        work.record(an_entry(ledger_id))
    with pytest.raises(RuntimeError, match="changed my mind"):
        await append_and_fail(runtime, an_entry(ledger_id))
    ledger, rows = await rows_of(runtime, ledger_id)
    assert (ledger.size, len(rows)) == (1, 1)


async def append_and_fail(runtime, entry):
    async with runtime.work() as work:
        await journal.append(
            work.session, [entry], now=work.now, actor_id="u", idempotency_key=None
        )
        raise RuntimeError("changed my mind")


async def test_writers_at_once_over_the_same_ledgers_leave_no_gap_and_no_deadlock(runtime):
    ids = [await add_ledger(runtime) for _ in range(3)]

    async def write(turn):
        chosen = ids[turn % 3 :] + ids[: turn % 3]
        return await append(runtime, *[an_entry(one, data={"turn": turn}) for one in chosen])

    written = await asyncio.gather(*(write(turn) for turn in range(30)))
    for ledger_id in ids:
        seqs = [one.seq for receipts in written for one in receipts if one.ledger_id == ledger_id]
        assert sorted(seqs) == list(range(30))
        assert_is_the_tree_of_its_bytes(*await rows_of(runtime, ledger_id))


async def test_a_refusal_of_the_database_comes_as_all_of_them_do(runtime):
    ledger_id = await add_ledger(runtime)
    async with runtime.work() as work:
        connection = await work.session.connection()
        await connection.execute(text("ALTER TABLE ledger_entry RENAME COLUMN type TO kind"))
    with pytest.raises(DBAPIError):
        await append(runtime, an_entry(ledger_id))


async def test_the_actor_the_key_and_the_instants_stand_in_the_bytes(runtime):
    ledger_id = await add_ledger(runtime)
    async with runtime.work(idempotency_key="k-1") as work:
        work.record(an_entry(ledger_id))
    _, rows = await rows_of(runtime, ledger_id)
    told = parse_entry(rows[0].body)
    assert (told["actor"], told["idempotency_key"]) == ("system", "k-1")
    assert told["recorded"] == "2026-11-23T01:00:00.000000Z"


async def test_an_entry_for_a_ledger_that_is_not_there_undoes_the_whole_unit(runtime):
    ledger_id = await add_ledger(runtime)
    with pytest.raises(NotFound):
        await append(runtime, an_entry(ledger_id), an_entry("0" * 32))
    ledger, rows = await rows_of(runtime, ledger_id)
    assert (ledger.size, rows) == (0, [])


async def test_an_entry_outside_the_model_undoes_the_whole_unit(runtime):
    ledger_id = await add_ledger(runtime)
    with pytest.raises(Invalid):
        await append(runtime, an_entry(ledger_id), an_entry(ledger_id, data={"x": 0.5}))
    assert (await rows_of(runtime, ledger_id))[1] == []


COLUMNS = "ledger_id, seq, body, hashes, type, subject, recorded_at"
COPY = "SELECT ledger_id, {seq}, body, hashes, type, subject, recorded_at FROM ledger_entry"
REFUSED = {
    "changing an entry": "UPDATE ledger_entry SET body = hashes WHERE seq = 1",
    "removing an entry": "DELETE FROM ledger_entry WHERE seq = 2",
    "putting an entry twice": f"INSERT INTO ledger_entry ({COLUMNS}) {COPY.format(seq=2)} LIMIT 1",
    "leaving a gap": f"INSERT INTO ledger_entry ({COLUMNS}) {COPY.format(seq=9)} LIMIT 1",
    "an entry without a ledger": (
        f"INSERT INTO ledger_entry ({COLUMNS}) SELECT '0', 0, body, hashes, type, subject,"
        " recorded_at FROM ledger_entry LIMIT 1"
    ),
    "shrinking a ledger": "UPDATE ledger SET size = size - 1",
    "moving a frontier": "UPDATE ledger SET frontier = frontier || frontier",
    "renaming a ledger": "UPDATE ledger SET subject_id = 'other'",
    "removing a ledger": "DELETE FROM ledger",
    "founding a ledger that has a past": (
        "INSERT INTO ledger (id, utility_id, kind, subject_id, size, frontier)"
        " SELECT 'x', utility_id, kind, 'x', size, frontier FROM ledger"
    ),
    "changing a checkpoint": "UPDATE ledger_checkpoint SET note = ''",
    "removing a checkpoint": "DELETE FROM ledger_checkpoint",
    "a checkpoint of what is not there": (
        "INSERT INTO ledger_checkpoint (ledger_id, size, root, note, signed_at)"
        " SELECT ledger_id, 4, root, note, signed_at FROM ledger_checkpoint"
    ),
    "a checkpoint backwards": (
        "INSERT INTO ledger_checkpoint (ledger_id, size, root, note, signed_at)"
        " SELECT ledger_id, 1, root, note, signed_at FROM ledger_checkpoint"
    ),
}
ON_SQLITE = {
    "replacing an entry": f"INSERT OR REPLACE INTO ledger_entry ({COLUMNS}) {COPY.format(seq=1)}",
    "replacing by update": "UPDATE OR REPLACE ledger_entry SET seq = 0 WHERE seq = 1",
    "replacing a ledger": "INSERT OR REPLACE INTO ledger SELECT * FROM ledger",
    "replacing a ledger by its subject": (
        "INSERT OR REPLACE INTO ledger (id, utility_id, kind, subject_id, size, frontier)"
        " SELECT 'x', utility_id, kind, subject_id, 0, x'' FROM ledger"
    ),
    "growing a ledger by hand": "UPDATE ledger SET size = size + 1",
    "replacing a checkpoint": (
        "INSERT OR REPLACE INTO ledger_checkpoint SELECT * FROM ledger_checkpoint"
    ),
}
ON_POSTGRESQL = {
    "emptying the entries": "TRUNCATE ledger_entry",
    "emptying the ledgers": "TRUNCATE ledger CASCADE",
    "emptying the checkpoints": "TRUNCATE ledger_checkpoint",
    "an entry in a conflict's place": (
        f"INSERT INTO ledger_entry ({COLUMNS}) {COPY.format(seq=1)} LIMIT 1"
        " ON CONFLICT (ledger_id, seq) DO UPDATE SET body = excluded.body"
    ),
    "the next entry without its head": (
        f"INSERT INTO ledger_entry ({COLUMNS}) {COPY.format(seq=3)} LIMIT 1"
    ),
}


async def test_the_guards_refuse_whatever_is_not_an_append(runtime):
    ledger_id = await add_ledger(runtime)
    await append(runtime, *[an_entry(ledger_id, data={"n": n}) for n in range(3)])
    async with runtime.work() as work:
        work.session.add(
            LedgerCheckpoint(
                ledger_id=ledger_id, size=2, root=bytes(32), note="note", signed_at=SIGNED_AT
            )
        )
    before = await rows_of(runtime, ledger_id)
    special = ON_SQLITE if runtime.database.dialect == "sqlite" else ON_POSTGRESQL
    for attempt, statement in (REFUSED | special).items():
        assert await is_refused(runtime, statement), attempt
    after = await rows_of(runtime, ledger_id)
    assert [one.model_dump() for one in after[1]] == [one.model_dump() for one in before[1]]
    assert after[0].model_dump() == before[0].model_dump()


async def is_refused(runtime, statement):
    try:
        async with runtime.work() as work:
            await (await work.session.connection()).execute(text(statement))
    except DBAPIError:
        return True
    return False


async def test_a_subject_has_one_ledger_of_a_kind(runtime):
    await add_ledger(runtime, subject_id="f1")
    await add_ledger(runtime, subject_id="f1", kind=LedgerKind.rollup)
    with pytest.raises(DBAPIError):
        await add_ledger(runtime, subject_id="f1")
