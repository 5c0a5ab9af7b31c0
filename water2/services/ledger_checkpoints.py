"""Signing the heads of ledgers: over committed state only, and never one that went backwards."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, true
from sqlmodel import col, select

from water2.domain.errors import Conflict
from water2.domain.ledger import (
    HEAD_CHANGED,
    Ledger,
    LedgerCheckpoint,
    LedgerKind,
    PendingEntry,
)
from water2.domain.merkle import (
    consistency_proof,
    consistency_spans,
    perfect_nodes,
    root_at,
    verify_consistency,
)
from water2.domain.note import Checkpoint, Signer
from water2.domain.organisation import Utility
from water2.services.ledger import root_of
from water2.services.ledger_heads import Head, HeadsFile
from water2.services.ledger_keys import origin_of
from water2.services.ledger_nodes import read_nodes
from water2.services.ledger_setbacks import accepted_setbacks, standing_heads
from water2.work import Runtime, Work


@dataclass(frozen=True, slots=True)
class RefusedHead:
    """A head that is not signed: smaller than, or not a continuation of, the last signed one."""

    ledger_id: str
    code: str  # went_back or rewritten
    size: int
    signed_size: int


@dataclass(frozen=True)
class CheckpointRun:
    """What a run signed, and what it refused to sign."""

    signed: tuple[LedgerCheckpoint, ...] = ()
    refused: tuple[RefusedHead, ...] = ()

    def __add__(self, other: "CheckpointRun") -> "CheckpointRun":
        return CheckpointRun(self.signed + other.signed, self.refused + other.refused)


async def make_checkpoints(
    runtime: Runtime,
    utility: Utility,
    signer: Signer,
    heads: HeadsFile,
    *,
    only: str | None = None,
) -> CheckpointRun:
    """Enter a utility's changed heads into its roll-up, commit, read all again, and sign.

    `only` signs one ledger besides the roll-up.

    The heads file is written before a note is stored or handed out: what was ever seen signed is
    in it.
    """
    with heads.held():
        async with runtime.read() as work:
            standing = standing_heads(heads.read(), await accepted_setbacks(work))
            changed, refused = await _judge(
                work, await _changed_ledgers(work, utility, only), standing
            )
        await _enter(runtime, utility, changed)
        async with runtime.read() as work:
            rollup = await work.session.get_one(Ledger, utility.rollup_ledger_id)
            behind = rollup.size > await signed_size(work, rollup.id)
            sound, rollup_refused = await _judge(work, [rollup] if behind else [], standing)
            committed = [head for head in [*changed, *sound] if await _is_committed(work, head)]
        newly = {one.id: _head_of(one, standing) for one in committed}
        notes = [_sign(runtime, signer, utility, one, newly[one.id]) for one in committed]
        if newly:
            heads.write({**standing, **newly})
            await _store(runtime, utility, notes)
        return CheckpointRun(tuple(notes), (*refused, *rollup_refused))


async def latest_checkpoint(work: Work, ledger_id: str) -> LedgerCheckpoint:
    """Return the last signed head of a ledger the caller has already found.

    Raises:
        Conflict: `not_signed_yet`.
    """
    found = await work.session.exec(
        select(LedgerCheckpoint)
        .where(LedgerCheckpoint.ledger_id == ledger_id)
        .order_by(col(LedgerCheckpoint.size).desc())
        .limit(1)
    )
    checkpoint = found.first()
    if checkpoint is None:
        raise Conflict("not_signed_yet", {"ledger": ledger_id})
    return checkpoint


async def _changed_ledgers(work: Work, utility: Utility, only: str | None) -> Sequence[Ledger]:
    """Return the ledgers, the roll-up aside, that have grown since their last checkpoint."""
    signed = (
        select(func.coalesce(func.max(LedgerCheckpoint.size), 0))
        .where(LedgerCheckpoint.ledger_id == Ledger.id)
        .correlate(Ledger)
        .scalar_subquery()
    )
    found = await work.session.exec(
        select(Ledger)
        .where(
            Ledger.utility_id == utility.id,
            Ledger.kind != LedgerKind.rollup,
            Ledger.size > signed,
            true() if only is None else col(Ledger.id) == only,
        )
        .order_by(Ledger.id)
    )
    return found.all()


async def signed_size(work: Work, ledger_id: str) -> int:
    """Return the size of the last signed head; 0 while none was signed."""
    found = await work.session.exec(
        select(func.coalesce(func.max(LedgerCheckpoint.size), 0)).where(
            LedgerCheckpoint.ledger_id == ledger_id
        )
    )
    return found.one()


async def _judge(
    work: Work, ledgers: Sequence[Ledger], signed: Mapping[str, Head]
) -> tuple[list[Ledger], list[RefusedHead]]:
    """Part the ledgers that continue their last signed head from those that do not."""
    sound, refused = [], []
    for ledger in ledgers:
        head = signed.get(ledger.id)
        code = await _break(work, ledger, head) if head and head.size else None
        if head and code:
            refused.append(RefusedHead(ledger.id, code, ledger.size, head.size))
        else:
            sound.append(ledger)
    return sound, refused


async def _break(work: Work, ledger: Ledger, head: Head) -> str | None:
    """Return how a ledger breaks with its last signed head."""
    if ledger.size < head.size:
        return "went_back"
    spans = consistency_spans(head.size, ledger.size)
    nodes = [node for span in spans for node in perfect_nodes(span)]
    node_at = await read_nodes(work, ledger.id, nodes)
    try:
        proof = consistency_proof(head.size, ledger.size, node_at)
    except KeyError:
        return "rewritten"
    goes_on = verify_consistency(head.size, ledger.size, proof, head.root, root_of(ledger))
    return None if goes_on else "rewritten"


async def _enter(runtime: Runtime, utility: Utility, changed: Sequence[Ledger]) -> None:
    if not changed:
        return
    async with runtime.work() as work:
        for ledger in changed:
            root = b64encode(root_of(ledger)).decode("ascii")
            work.record(
                PendingEntry(
                    ledger_id=utility.rollup_ledger_id,
                    type=HEAD_CHANGED,
                    subject=f"ledger:{ledger.id}",
                    occurred_at=work.now,
                    data={"ledger": ledger.id, "size": ledger.size, "root": root},
                )
            )


async def _is_committed(work: Work, ledger: Ledger) -> bool:
    """Tell whether the head stands in the database as a unit of its own reads it."""
    nodes = list(perfect_nodes((0, ledger.size)))
    node_at = await read_nodes(work, ledger.id, nodes)
    try:
        return root_at(ledger.size, node_at) == root_of(ledger)
    except KeyError:
        return False


def _head_of(ledger: Ledger, standing: Mapping[str, Head]) -> Head:
    before = standing.get(ledger.id)
    return Head(ledger.size, root_of(ledger), before.given_up if before else ())


def _sign(
    runtime: Runtime, signer: Signer, utility: Utility, ledger: Ledger, head: Head
) -> LedgerCheckpoint:
    is_rollup = ledger.id == utility.rollup_ledger_id
    origin = origin_of(utility.id, ledger.id, is_rollup=is_rollup)
    given_up = tuple((one.size, one.root) for one in head.given_up)
    return LedgerCheckpoint(
        ledger_id=ledger.id,
        size=head.size,
        root=head.root,
        note=signer.sign(Checkpoint(origin, head.size, head.root, given_up).text),
        signed_at=runtime.now(),
    )


async def _store(runtime: Runtime, utility: Utility, notes: Sequence[LedgerCheckpoint]) -> None:
    """Store notes; one that another node has overtaken meanwhile is left out."""
    async with runtime.work() as work:
        await work.session.exec(
            select(Utility.id).where(Utility.id == utility.id).with_for_update(key_share=True)
        )
        for note in notes:
            if note.size > await signed_size(work, note.ledger_id):
                work.session.add(LedgerCheckpoint(**note.model_dump()))
