"""Roots that were signed or recorded once, compared with what the entries' hashes give today."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select

from water2.domain.entry import parse_entry
from water2.domain.finding import Finding, FindingCode
from water2.domain.ledger import HEAD_CHANGED, Ledger, LedgerCheckpoint, LedgerEntry, LedgerKind
from water2.domain.merkle import fold_peaks, perfect_nodes, row_of
from water2.domain.note import Checkpoint, NoteError, Verifier
from water2.services.ledger_heads import Head
from water2.services.ledger_keys import origin_of
from water2.services.ledger_nodes import read_hashes
from water2.work import Work

SIGNED_HEAD = "signed_head"  # the source of a milestone kept outside the database
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Milestone:
    """A root a ledger had at a size; `source`: checkpoint, rollup or signed_head."""

    ledger_id: str
    size: int
    root: bytes
    source: str


@dataclass
class MilestoneCheck:
    """Compares milestones with the tree. `sizes`: how large each ledger is.

    `mended`: hashes a rebuild found altered, by ledger, row and offset; they are taken as mended,
    so that one touched row is one finding.
    """

    sizes: Mapping[str, int]
    mended: Mapping[tuple[str, int, int], bytes] = field(default_factory=dict)
    _sound_until: dict[tuple[str, str], int] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set)

    async def findings(self, work: Work, milestones: Sequence[Milestone]) -> list[Finding]:
        """Compare milestones, those of one ledger and source in the order of their sizes.

        Of a ledger and source only the first that differs is told: all later ones do, too.
        """
        nodes = {
            milestone: list(perfect_nodes((0, milestone.size)))
            for milestone in milestones
            if milestone.size <= self.sizes.get(milestone.ledger_id, 0)
        }
        places = ((one.ledger_id, node) for one, of_one in nodes.items() for node in of_one)
        hashes: dict[Any, bytes | None] = dict(await read_hashes(work, places))
        found: list[Finding] = []
        for milestone in milestones:
            ledger_id = milestone.ledger_id
            if milestone not in nodes:
                found += self._tell(milestone, self._why_smaller(milestone))
                continue
            peaks = [
                self.mended.get((ledger_id, *row_of(node)), hashes.get((ledger_id, node)))
                for node in nodes[milestone]
            ]
            known = [peak for peak in peaks if peak is not None]
            if len(known) < len(peaks):
                continue  # an entry is missing, which the rebuild tells
            if fold_peaks(known) == milestone.root:
                self._sound_until[ledger_id, milestone.source] = milestone.size
            else:
                found += self._tell(milestone, FindingCode.history_rewritten)
        return found

    def _why_smaller(self, milestone: Milestone) -> FindingCode:
        known = milestone.ledger_id in self.sizes
        return FindingCode.set_back if known else FindingCode.ledger_missing

    def _tell(self, milestone: Milestone, code: FindingCode) -> Iterator[Finding]:
        key = (milestone.ledger_id, milestone.source)
        if key in self._told:
            return
        self._told.add(key)
        size = self.sizes.get(milestone.ledger_id, 0)
        detail: dict[str, object] = {"source": milestone.source, "signed_size": milestone.size}
        seq = None
        if code is FindingCode.history_rewritten:
            first, last = self._sound_until.get(key, 0), milestone.size - 1
            seq = first if first == last else None
            detail["among"] = [first, last]
        else:
            detail["size"] = size
        yield Finding(code, milestone.ledger_id, seq, detail)


def head_milestones(heads: Mapping[str, Head]) -> Iterator[Sequence[Milestone]]:
    """Return the last signed heads in batches."""
    told = [
        Milestone(ledger_id, head.size, head.root, SIGNED_HEAD)
        for ledger_id, head in sorted(heads.items())
    ]
    return (told[at : at + _AT_ONCE] for at in range(0, len(told), _AT_ONCE))


async def checkpoint_milestones(
    work: Work, verifiers: Mapping[str, Verifier], found: list[Finding]
) -> AsyncIterator[Sequence[Milestone]]:
    """Yield the stored checkpoints in batches; those that are not as signed go to `found`.

    `verifiers`: by utility; a utility that has none has its signatures left unchecked.
    """
    key = (col(LedgerCheckpoint.ledger_id), col(LedgerCheckpoint.size))
    statement = (
        select(LedgerCheckpoint, Ledger.utility_id, Ledger.kind)
        .join(Ledger, col(Ledger.id) == col(LedgerCheckpoint.ledger_id))
        .order_by(*key)
        .execution_options(yield_per=_AT_ONCE)
    )
    rows = await work.session.stream(statement)
    async for batch in rows.partitions(_AT_ONCE):
        sound = []
        for stored, utility_id, kind in batch:
            origin = origin_of(utility_id, stored.ledger_id, is_rollup=kind is LedgerKind.rollup)
            fault = checkpoint_fault(stored, origin, verifiers.get(utility_id))
            if fault:
                detail: dict[str, object] = {"size": stored.size, "why": fault}
                code = FindingCode.checkpoint_altered
                found.append(Finding(code, stored.ledger_id, None, detail))
            else:
                sound.append(Milestone(stored.ledger_id, stored.size, stored.root, "checkpoint"))
        yield sound


def checkpoint_fault(
    stored: LedgerCheckpoint, origin: str, verifier: Verifier | None
) -> str | None:
    """Return what is wrong with a stored checkpoint itself, whatever the tree says."""
    try:
        text = verifier.open(stored.note) if verifier else stored.note.rpartition("\n\n")[0] + "\n"
        signed = Checkpoint.parse(text)
    except NoteError as error:
        return str(error)
    stored_head = Checkpoint(origin, stored.size, stored.root)
    return None if signed == stored_head else "the columns are not what was signed"


async def rollup_milestones(work: Work) -> AsyncIterator[Sequence[Milestone]]:
    """Yield the heads the roll-ups recorded, in batches."""
    statement = (
        select(LedgerEntry.body)
        .join(Ledger, col(Ledger.id) == col(LedgerEntry.ledger_id))
        .where(Ledger.kind == LedgerKind.rollup, LedgerEntry.type == HEAD_CHANGED)
        .order_by(col(LedgerEntry.ledger_id), col(LedgerEntry.seq))
        .execution_options(yield_per=_AT_ONCE)
    )
    rows = await work.session.stream(statement)
    async for batch in rows.partitions(_AT_ONCE):
        told = (recorded_head(row.body) for row in batch)
        yield [milestone for milestone in told if milestone is not None]


def recorded_head(body: bytes) -> Milestone | None:
    """Read a roll-up's entry; None where its bytes are damaged, which the rebuild tells."""
    try:
        data: Any = parse_entry(body)["data"]
        return Milestone(data["ledger"], data["size"], b64decode(data["root"]), "rollup")
    except (ValueError, KeyError, TypeError, Base64Error):
        return None
