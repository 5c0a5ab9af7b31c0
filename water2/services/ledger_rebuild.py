"""Rebuilding one ledger from its entries' bytes, row by row in constant memory."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from sqlmodel import col, select

from water2.domain.entry import instant_text, parse_entry
from water2.domain.finding import Finding, FindingCode
from water2.domain.ledger import Ledger, LedgerEntry
from water2.domain.tree_check import RowCheck, TreeCheck, leaves_under
from water2.work import Work

_ROWS_AT_ONCE = 500
_LONGEST_GAP = 100_000  # a number further away is damage of its own, not a gap to walk through
_COLUMNS = ("ledger_id", "seq", "body", "hashes", "type", "subject", "recorded_at")


class Rebuild:
    """The check of one ledger. After `findings`, `size` and `mended` say what it ought to be."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.size = ledger.size
        self.entries = 0
        self._tree = TreeCheck()

    @property
    def mended(self) -> dict[tuple[int, int], bytes]:
        """Altered hashes by row and offset, with what they must have been."""
        return self._tree.mended

    async def findings(self, work: Work) -> AsyncIterator[Finding]:
        """Read the ledger's rows in order and yield what is wrong."""
        statement = (
            select(*(getattr(LedgerEntry, name) for name in _COLUMNS))
            .where(LedgerEntry.ledger_id == self.ledger.id)
            .order_by(col(LedgerEntry.seq))
            .execution_options(yield_per=_ROWS_AT_ONCE)
        )
        connection = await work.session.connection()
        async with connection.stream(statement) as rows:
            async for row in rows:
                self.entries += 1
                for finding in self._row(row):
                    yield finding
        for finding in self._settle():
            yield finding

    def _row(self, row: Any) -> Iterator[Finding]:
        gap = row.seq - self._tree.size
        if gap < 0 or gap > _LONGEST_GAP:
            code = FindingCode.entry_doubled if gap < 0 else FindingCode.entry_surplus
            yield self._finding(code, row.seq)
            return
        if gap:
            yield self._finding(FindingCode.entry_missing, self._tree.size, to=row.seq - 1)
        for _ in range(gap):
            self._tree.take_lost()
        yield from self._hashes(row.seq, self._tree.take(row.body, row.hashes))
        for code, detail in entry_faults(row):
            yield self._finding(code, row.seq, **detail)

    def _hashes(self, seq: int, check: RowCheck) -> Iterator[Finding]:
        if check.leaf_differs:
            yield self._finding(FindingCode.entry_altered, seq)
        for node in check.strangers:
            first, last = leaves_under(node)
            yield self._finding(FindingCode.hashes_altered, seq, among=[first, last])

    def _settle(self) -> Iterator[Finding]:
        """Compare with the ledger's own row."""
        counted, taken = self.ledger.size, self._tree.size
        strangers = self._tree.settle(self.ledger.frontier)
        if counted != taken and not strangers:
            self.size = taken
            yield self._finding(FindingCode.size_altered, None, says=counted, holds=taken)
        elif counted > taken:
            yield self._finding(FindingCode.entry_missing, taken, to=counted - 1)
        elif counted < taken:
            yield self._finding(FindingCode.entry_surplus, counted, to=taken - 1)
        else:
            for node in strangers:
                first, last = leaves_under(node)
                seq = first if first == last else None
                yield self._finding(FindingCode.frontier_altered, seq, among=[first, last])

    def _finding(self, code: FindingCode, seq: int | None, /, **detail: object) -> Finding:
        return Finding(code, self.ledger.id, seq, detail)


def entry_faults(row: Any) -> Sequence[tuple[FindingCode, dict[str, object]]]:
    """Compare an entry's bytes with its place and its columns."""
    try:
        told = parse_entry(row.body)
    except ValueError as error:
        return [(FindingCode.entry_not_canonical, {"why": str(error)[:200]})]
    faults: list[tuple[FindingCode, dict[str, object]]] = []
    if (told.get("ledger"), told.get("seq")) != (row.ledger_id, row.seq):
        said = {"ledger": told.get("ledger"), "seq": told.get("seq")}
        faults.append((FindingCode.entry_misplaced, said))
    columns = {
        "type": row.type,
        "subject": row.subject,
        "recorded": instant_text(row.recorded_at),
    }
    altered = [name for name, value in columns.items() if told.get(name) != value]
    if altered:
        faults.append((FindingCode.columns_altered, {"columns": altered}))
    return faults
