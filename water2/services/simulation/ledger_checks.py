"""The ledgers' invariants: heads only grow, each extends the one before, bytes and trees agree."""

from dataclasses import dataclass, field
from random import Random

from sqlmodel import select

from water2.domain.access import SYSTEM
from water2.domain.ledger import Ledger
from water2.domain.merkle import verify_consistency
from water2.services.ledger_fsck import LedgerCheck
from water2.services.ledger_proofs import prove_consistency
from water2.services.simulation.world import World

PROVEN_A_DAY = 1


@dataclass
class LedgerWatch:
    """What was seen of the ledgers: the size of each, and the last head that was proven."""

    sizes: dict[str, int] = field(default_factory=dict)
    proven: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - no secret
    """Its own: what is drawn among ids, which are never the same twice, changes no life."""

    @property
    def entries(self) -> int:
        """Return how many entries there are in all."""
        return sum(self.sizes.values())

    async def check_day(self, world: World, *, thoroughly: bool) -> None:
        """Check that heads grew, prove some that changed (all: `thoroughly`), rebuild then too."""
        async with world.runtime.read(SYSTEM) as work:
            rows = await work.session.exec(
                select(Ledger.id, Ledger.size)
                .where(Ledger.utility_id == world.utility.id)
                .order_by(Ledger.id)
            )
            sizes = dict(rows.all())
        for ledger_id, size in self.sizes.items():
            if sizes.get(ledger_id, 0) < size:
                world.complain("head_went_back", ledger_id, f"{size} to {sizes.get(ledger_id)}")
        self.sizes = sizes
        grown = [id_ for id_, size in sizes.items() if size > self.proven.get(id_, (0, b""))[0]]
        if not thoroughly:
            grown = self.random.sample(grown, min(PROVEN_A_DAY, len(grown)))
        for ledger_id in grown:
            await self._prove(world, ledger_id)
        if thoroughly:
            await _rebuild(world)

    async def _prove(self, world: World, ledger_id: str) -> None:
        size = self.sizes[ledger_id]
        first, root = self.proven.get(ledger_id, (size, None))
        async with world.runtime.read(SYSTEM) as work:
            proof = await prove_consistency(work, ledger_id, first, size)
        root = root or proof.first_root
        if not verify_consistency(first, size, proof.hashes, root, proof.second_root):
            world.complain("ledger_inconsistent", ledger_id, f"{first} to {size}")
        self.proven[ledger_id] = (size, proof.second_root)


async def _rebuild(world: World) -> None:
    async with world.runtime.read(SYSTEM) as work:
        async for finding in LedgerCheck().findings(work):
            world.complain("ledger_damaged", finding.ledger_id, finding)
