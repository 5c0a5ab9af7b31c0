"""`water2 ledger fsck`: all rebuilt from the entries' bytes and compared with the rest."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import exists
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.finding import Finding, FindingCode
from water2.domain.ledger import Ledger, LedgerEntry
from water2.domain.note import Verifier
from water2.services.ledger_heads import Head
from water2.services.ledger_keys import signer_of
from water2.services.ledger_milestones import (
    SIGNED_HEAD,
    MilestoneCheck,
    checkpoint_milestones,
    head_milestones,
    rollup_milestones,
)
from water2.services.ledger_rebuild import Rebuild
from water2.services.ledger_setbacks import (
    GivenUp,
    Setback,
    accepted_setbacks,
    standing_heads,
    unrecorded,
)
from water2.work import Work


@dataclass
class LedgerCheck:
    """One run over all ledgers of the database. Memory grows with ledgers and damage, not entries.

    `key`: checks the checkpoints' signatures where given. `heads`: the last signed heads, from
    their file outside the database. A run fills in the rest: what was counted, the heads that must
    be continued, the setbacks that were accepted, and those whose acceptance was lost later.
    """

    key: Ed25519PrivateKey | None = None
    heads: Mapping[str, Head] = field(default_factory=dict)
    ledgers: int = 0
    entries: int = 0
    checkpoints: int = 0
    standing: Mapping[str, Head] = field(default_factory=dict)
    setbacks: Sequence[Setback] = ()
    unrecorded: Sequence[GivenUp] = ()

    async def findings(self, work: Work) -> AsyncIterator[Finding]:
        """Yield what is wrong, in one snapshot of the database."""
        work.require(Action.administer)
        await hold_snapshot(work)
        sizes: dict[str, int] = {}
        mended: dict[tuple[str, int, int], bytes] = {}
        ledgers = (await work.session.exec(select(Ledger).order_by(Ledger.id))).all()
        for ledger in ledgers:
            rebuild = Rebuild(ledger)
            async for finding in rebuild.findings(work):
                yield finding
            sizes[ledger.id] = rebuild.size
            mended |= {(ledger.id, *place): value for place, value in rebuild.mended.items()}
            self.ledgers += 1
            self.entries += rebuild.entries
        for ledger_id in await _orphans(work):
            yield Finding(FindingCode.ledger_missing, ledger_id)
        async for finding in self.milestone_findings(work, MilestoneCheck(sizes, mended)):
            yield finding

    async def milestone_findings(self, work: Work, check: MilestoneCheck) -> AsyncIterator[Finding]:
        """Yield what is wrong with signed and recorded heads."""
        found = await self.head_findings(work, check)
        async for milestones in checkpoint_milestones(work, await self._verifiers(work), found):
            self.checkpoints += len(milestones)
            found += await check.findings(work, milestones)
            for finding in found:
                yield finding
            found.clear()
        async for milestones in rollup_milestones(work):
            found += await check.findings(work, milestones)
        for finding in found:
            yield finding

    async def head_findings(self, work: Work, check: MilestoneCheck) -> list[Finding]:
        """Return what is wrong with the last signed heads, but for setbacks accepted."""
        self.setbacks = await accepted_setbacks(work)
        self.standing = standing_heads(self.heads, self.setbacks)
        self.unrecorded = unrecorded(self.standing, self.setbacks)
        found: list[Finding] = []
        for milestones in head_milestones(self.standing):
            found += await check.findings(work, milestones)
        return found

    async def quick_findings(self, work: Work) -> list[Finding]:
        """Compare all signed and recorded heads with the stored hashes: `water2 ledger verify`.

        It reads O(log n) rows a head and does not rebuild, as `findings` does.
        """
        work.require(Action.administer)
        await hold_snapshot(work)
        check = MilestoneCheck(await sizes_of_ledgers(work))
        return [finding async for finding in self.milestone_findings(work, check)]

    async def _verifiers(self, work: Work) -> dict[str, Verifier]:
        if self.key is None:
            return {}
        utilities = await work.session.exec(select(Ledger.utility_id).distinct())
        return {one: signer_of(self.key, one).verifier for one in utilities.all()}


def is_setback(finding: Finding) -> bool:
    """Tell whether a finding is that a ledger does not continue its last signed head."""
    return finding.detail.get("source") == SIGNED_HEAD


async def sizes_of_ledgers(work: Work) -> dict[str, int]:
    """Return how large each ledger says it is."""
    return dict((await work.session.exec(select(Ledger.id, Ledger.size))).all())


async def hold_snapshot(work: Work) -> None:
    """Have all that is read in this unit be of one instant; call before the first reading.

    SQLite's reading transactions are so by themselves.
    """
    if work.session.get_bind().dialect.name == "postgresql":
        await work.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


async def _orphans(work: Work) -> list[str]:
    ledger_of_entry = exists().where(col(Ledger.id) == col(LedgerEntry.ledger_id))
    found = await work.session.exec(
        select(LedgerEntry.ledger_id).where(~ledger_of_entry).distinct()
    )
    return sorted(found.all())
