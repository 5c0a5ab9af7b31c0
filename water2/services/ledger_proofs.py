"""Proofs that an entry is in a ledger and that a ledger only grew; receipts; their verification."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from water2.domain.entry import parse_entry
from water2.domain.errors import Conflict, Invalid
from water2.domain.ledger import Ledger, LedgerCheckpoint
from water2.domain.merkle import (
    Node,
    NodeAt,
    Span,
    consistency_proof,
    consistency_spans,
    inclusion_proof,
    inclusion_spans,
    leaf_hash,
    perfect_nodes,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from water2.domain.note import Checkpoint, LogProof, NoteError, Verifier
from water2.services.ledger import fetch_ledger
from water2.services.ledger_nodes import read_nodes
from water2.work import Work


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That the entry `seq` with this leaf hash is in the tree of `size` entries with this root."""

    ledger_id: str
    seq: int
    size: int
    leaf: bytes
    hashes: Sequence[bytes]
    root: bytes


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of `second` entries begins with the whole tree of `first`."""

    ledger_id: str
    first: int
    second: int
    hashes: Sequence[bytes]
    first_root: bytes
    second_root: bytes


async def prove_inclusion(
    work: Work, ledger_id: str, seq: int, size: int | None = None
) -> InclusionProof:
    """Prove an entry against the tree as it was at `size`, else as it is.

    Raises:
        Invalid: there is no such entry or size.
        Conflict: `ledger_damaged`; a hash the proof needs is not there.
    """
    ledger = await fetch_ledger(work, ledger_id)
    size = ledger.size if size is None else size
    if not 0 <= size <= ledger.size:
        raise Invalid.one("size", "no_such_size", size, largest=ledger.size)
    if not 0 <= seq < size:
        raise Invalid.one("seq", "no_such_entry", seq, size=size)
    leaf: Node = (0, seq)
    node_at = await _nodes(work, ledger, [*inclusion_spans(seq, size), (0, size)], leaf)
    hashes = inclusion_proof(size, seq, node_at)
    return InclusionProof(ledger_id, seq, size, node_at(leaf), hashes, root_at(size, node_at))


async def prove_consistency(
    work: Work, ledger_id: str, first: int, second: int | None = None
) -> ConsistencyProof:
    """Prove that the tree at `second` (else as it is) extends the tree at `first`.

    Raises:
        Invalid: the sizes are not 1 ≤ first ≤ second ≤ the ledger's.
        Conflict: `ledger_damaged`; a hash the proof needs is not there.
    """
    ledger = await fetch_ledger(work, ledger_id)
    second = ledger.size if second is None else second
    if second > ledger.size:
        raise Invalid.one("to", "no_such_size", second, largest=ledger.size)
    if not 1 <= first <= second:
        raise Invalid.one("from", "no_such_size", first, largest=second)
    spans = [*consistency_spans(first, second), (0, first), (0, second)]
    node_at = await _nodes(work, ledger, spans)
    hashes = consistency_proof(first, second, node_at)
    roots = root_at(first, node_at), root_at(second, node_at)
    return ConsistencyProof(ledger_id, first, second, hashes, *roots)


async def give_receipt(work: Work, ledger_id: str, seq: int) -> str:
    """Return an entry's receipt as a C2SP tlog-proof, against the first checkpoint that has it.

    Raises:
        Conflict: `not_signed_yet`; no checkpoint has the entry yet.
    """
    ledger = await fetch_ledger(work, ledger_id)
    if not 0 <= seq < ledger.size:
        raise Invalid.one("seq", "no_such_entry", seq, size=ledger.size)
    found = await work.session.exec(
        select(LedgerCheckpoint)
        .where(LedgerCheckpoint.ledger_id == ledger_id, LedgerCheckpoint.size > seq)
        .order_by(col(LedgerCheckpoint.size))
        .limit(1)
    )
    checkpoint = found.first()
    if checkpoint is None:
        raise Conflict("not_signed_yet", {"ledger": ledger_id, "seq": seq})
    proof = await prove_inclusion(work, ledger_id, seq, checkpoint.size)
    return LogProof(seq, proof.hashes, checkpoint.note).text


def verify_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Return the head a checkpoint signs.

    Raises:
        NoteError: it is none, or not signed by this key.
    """
    return Checkpoint.parse(verifier.open(note))


def verify_receipt(receipt: str, body: bytes, verifier: Verifier) -> Checkpoint:
    """Return the signed head that a receipt proves an entry's bytes to be in.

    Raises:
        NoteError: malformed, not signed by this key, or it proves something else.
    """
    proof = LogProof.parse(receipt)
    head = verify_checkpoint(proof.note, verifier)
    if not verify_inclusion(leaf_hash(body), proof.index, head.size, proof.hashes, head.root):
        raise NoteError("the proof does not lead from these bytes to the signed root")
    try:
        entry = parse_entry(body)
    except ValueError as error:
        raise NoteError("the bytes are no entry") from error
    if entry.get("seq") != proof.index:
        raise NoteError("the entry's number is not the proof's")
    return head


def verify_extension(
    earlier: str, later: str, hashes: Sequence[bytes], verifier: Verifier
) -> tuple[Checkpoint, Checkpoint]:
    """Return both heads when the later checkpoint is proved to extend the earlier.

    Raises:
        NoteError: malformed, not signed by this key, of two ledgers, or not proved.
    """
    first, second = verify_checkpoint(earlier, verifier), verify_checkpoint(later, verifier)
    if first.origin != second.origin:
        raise NoteError("the checkpoints are of two ledgers")
    if not verify_consistency(first.size, second.size, hashes, first.root, second.root):
        raise NoteError("the later head does not extend the earlier")
    return first, second


async def _nodes(work: Work, ledger: Ledger, spans: Sequence[Span], *more: Node) -> NodeAt:
    wanted = {*more, *(node for span in spans for node in perfect_nodes(span))}
    node_at = await read_nodes(work, ledger.id, wanted)
    for node in wanted:
        try:
            node_at(node)
        except KeyError:
            raise Conflict("ledger_damaged", {"ledger": ledger.id}) from None
    return node_at
