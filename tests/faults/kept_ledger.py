"""A ledger with signed heads in the hands of one who can do anything to its tables."""

from dataclasses import dataclass, field

from sqlalchemy import text

from tests.ledgers import SIGNING_KEY
from water2.domain.ledger import LedgerEntry
from water2.domain.merkle import GrowingTree, leaf_hash
from water2.services.ledger_fsck import LedgerCheck
from water2.services.ledger_heads import HeadsFile
from water2.work import Runtime

SIZE = 11
SIGNED = 7  # the size at the first checkpoint; the last is at SIZE


@dataclass
class Kept:
    """An installation with two signed ledgers whose guards are taken away."""

    runtime: Runtime
    rollup: str
    ledger_id: str
    other: str
    heads: HeadsFile
    rows: dict[int, LedgerEntry] = field(default_factory=dict)

    async def do(self, statement, **values):
        database = self.runtime.database
        async with database.writing(), database.writer.begin() as connection:
            await connection.execute(text(statement), values)

    async def put(self, seq, /, **columns):
        """Set columns of an entry of the ledger."""
        told = ", ".join(f"{name} = :{name}" for name in columns)
        where = "WHERE ledger_id = :in_ledger AND seq = :at"
        await self.do(
            f"UPDATE ledger_entry SET {told} {where}", **columns, in_ledger=self.ledger_id, at=seq
        )

    async def find(self):
        run = LedgerCheck(SIGNING_KEY, self.heads.read())
        async with self.runtime.read() as work:
            return [finding async for finding in run.findings(work)]

    async def named(self):
        """Return the entries, or ledgers, that are found wrong."""
        return {(finding.ledger_id, finding.seq) for finding in await self.find()}

    async def codes(self):
        return {finding.code.value for finding in await self.find()}

    async def rewrite(self, bodies):
        """Replace all entries with all their hashes, as only an owner of the database can."""
        tree = GrowingTree()
        for seq, body in enumerate(bodies):
            await self.put(seq, body=body, hashes=tree.append(leaf_hash(body)))
        told = {"id": self.ledger_id, "size": tree.size}
        await self.do("DELETE FROM ledger_entry WHERE ledger_id = :id AND seq >= :size", **told)
        await self.do(
            "UPDATE ledger SET size = :size, frontier = :frontier WHERE id = :id",
            frontier=tree.frontier,
            **told,
        )


def flipped(value, at):
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
