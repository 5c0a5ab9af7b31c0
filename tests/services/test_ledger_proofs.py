"""Proofs and receipts from the database, verified as an outsider would."""

from base64 import b64decode

import pytest

from tests.ledgers import add_ledger, an_entry, append, sign, unguarded, verifier_of
from water2.domain.errors import Conflict, Invalid, NotFound
from water2.domain.merkle import verify_consistency, verify_inclusion
from water2.domain.note import LogProof, NoteError
from water2.services.ledger import fetch_entry, fetch_ledger, root_of
from water2.services.ledger_heads import HeadsFile
from water2.services.ledger_proofs import (
    give_receipt,
    prove_consistency,
    prove_inclusion,
    verify_extension,
    verify_receipt,
)

SIZE = 21


@pytest.fixture
async def facility(lishui):
    ledger_id = await add_ledger(lishui.runtime, utility_id=lishui.utility.id)
    await append(lishui.runtime, *[an_entry(ledger_id, data={"n": n}) for n in range(SIZE)])
    return ledger_id


@pytest.fixture
def heads(tmp_path):
    return HeadsFile(tmp_path / "heads.json")


async def test_every_entry_is_proved_against_every_head(lishui, facility):
    async with lishui.runtime.read(lishui.inspector) as work:
        root = root_of(await fetch_ledger(work, facility))
        for seq in range(SIZE):
            proof = await prove_inclusion(work, facility, seq)
            assert (proof.size, proof.root) == (SIZE, root)
            for size in (seq + 1, SIZE):
                proof = await prove_inclusion(work, facility, seq, size)
                assert verify_inclusion(proof.leaf, seq, size, proof.hashes, proof.root)


async def test_every_head_is_proved_to_go_on_to_the_last(lishui, facility):
    async with lishui.runtime.read(lishui.inspector) as work:
        for first in range(1, SIZE + 1):
            proof = await prove_consistency(work, facility, first)
            assert proof.second == SIZE
            assert verify_consistency(
                first, SIZE, proof.hashes, proof.first_root, proof.second_root
            )


@pytest.mark.parametrize(
    ("seq", "size"), [(SIZE, None), (-1, None), (3, 3), (0, SIZE + 1), (0, -1)]
)
async def test_no_proof_is_given_of_what_is_not_there(lishui, facility, seq, size):
    async with lishui.runtime.read(lishui.inspector) as work:
        with pytest.raises(Invalid):
            await prove_inclusion(work, facility, seq, size)


@pytest.mark.parametrize(("first", "second"), [(0, 5), (6, 5), (1, SIZE + 1)])
async def test_no_consistency_is_proved_from_nothing_backwards_or_ahead(
    lishui, facility, first, second
):
    async with lishui.runtime.read(lishui.inspector) as work:
        with pytest.raises(Invalid):
            await prove_consistency(work, facility, first, second)


async def test_an_outsider_sees_no_ledger_of_another_utility(lishui, facility):
    async with lishui.runtime.read(lishui.outsider) as work:
        with pytest.raises(NotFound):
            await prove_inclusion(work, facility, 0)


async def test_a_receipt_proves_the_entry_s_bytes_without_the_database(lishui, facility, heads):
    await sign(lishui, heads)
    async with lishui.runtime.read(lishui.inspector) as work:
        receipt = await give_receipt(work, facility, 7)
        body = b64decode((await fetch_entry(work, facility, 7)).body)
        other = b64decode((await fetch_entry(work, facility, 8)).body)
    verifier = verifier_of(lishui.utility.id)
    head = verify_receipt(receipt, body, verifier)
    assert (head.size, head.origin) == (SIZE, f"water2/{lishui.utility.id}/{facility}")
    with pytest.raises(NoteError, match="does not lead"):
        verify_receipt(receipt, other, verifier)
    with pytest.raises(NoteError, match="does not lead"):
        verify_receipt(receipt.replace("index 7\n", "index 6\n"), body, verifier)
    with pytest.raises(NoteError, match="not signed by"):
        verify_receipt(receipt, body, verifier_of("another"))


async def test_an_entry_has_no_receipt_until_a_head_with_it_is_signed(lishui, facility, heads):
    await sign(lishui, heads)
    await append(lishui.runtime, an_entry(facility))
    async with lishui.runtime.read(lishui.inspector) as work:
        with pytest.raises(Conflict) as refused:
            await give_receipt(work, facility, SIZE)
        with pytest.raises(Invalid):
            await give_receipt(work, facility, SIZE + 1)
    assert refused.value.code == "not_signed_yet"


async def test_a_receipt_keeps_to_the_first_head_that_has_the_entry(lishui, facility, heads):
    await sign(lishui, heads)
    await append(lishui.runtime, an_entry(facility))
    await sign(lishui, heads)
    async with lishui.runtime.read(lishui.inspector) as work:
        assert f"\n{SIZE}\n" in LogProof.parse(await give_receipt(work, facility, 0)).note
        assert f"\n{SIZE + 1}\n" in LogProof.parse(await give_receipt(work, facility, SIZE)).note


async def test_a_later_checkpoint_is_verified_to_extend_an_earlier(lishui, facility, heads):
    first = await sign(lishui, heads)
    await append(lishui.runtime, an_entry(facility))
    second = await sign(lishui, heads)
    earlier, later = (
        next(note.note for note in run.signed if note.ledger_id == facility)
        for run in (first, second)
    )
    async with lishui.runtime.read(lishui.inspector) as work:
        proof = await prove_consistency(work, facility, SIZE, SIZE + 1)
    verifier = verifier_of(lishui.utility.id)
    before, after = verify_extension(earlier, later, proof.hashes, verifier)
    assert (before.size, after.size) == (SIZE, SIZE + 1)
    with pytest.raises(NoteError, match="does not extend"):
        verify_extension(earlier, later, proof.hashes[:-1], verifier)
    with pytest.raises(NoteError, match="does not extend"):
        verify_extension(later, earlier, proof.hashes, verifier)
    other = next(n.note for n in first.signed if n.ledger_id == lishui.utility.ledger_id)
    with pytest.raises(NoteError, match="two ledgers"):
        verify_extension(other, later, proof.hashes, verifier)


async def test_a_proof_that_needs_a_lost_hash_says_that_the_ledger_is_damaged(lishui, facility):
    await unguarded(
        lishui.runtime,
        ("DELETE FROM ledger_entry WHERE ledger_id = :id AND seq = 15", {"id": facility}),
    )
    async with lishui.runtime.read(lishui.inspector) as work:
        with pytest.raises(Conflict) as refused:
            await prove_inclusion(work, facility, 20)
    assert refused.value.code == "ledger_damaged"
