"""Reading subtree hashes: each stands in the row of the last entry under it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import tuple_
from sqlmodel import col, select

from water2.domain.ledger import LedgerEntry
from water2.domain.merkle import HASH_BYTES, Node, NodeAt, row_of
from water2.work import Work

Place = tuple[str, Node]
_ROWS_A_STATEMENT = 500


async def read_hashes(work: Work, places: Iterable[Place]) -> dict[Place, bytes]:
    """Return the hashes of subtrees of any ledgers; what is not there is left out."""
    wanted = {place: (place[0], row_of(place[1])[0]) for place in places}
    rows = sorted(set(wanted.values()))
    kept: dict[tuple[str, int], bytes] = {}
    for at in range(0, len(rows), _ROWS_A_STATEMENT):
        found = await work.session.exec(
            select(LedgerEntry.ledger_id, LedgerEntry.seq, LedgerEntry.hashes).where(
                tuple_(col(LedgerEntry.ledger_id), col(LedgerEntry.seq)).in_(
                    rows[at : at + _ROWS_A_STATEMENT]
                )
            )
        )
        kept |= {(ledger_id, seq): hashes for ledger_id, seq, hashes in found.all()}
    values = {place: _cut(kept.get(row, b""), place[1]) for place, row in wanted.items()}
    return {place: value for place, value in values.items() if len(value) == HASH_BYTES}


async def read_nodes(work: Work, ledger_id: str, nodes: Iterable[Node]) -> NodeAt:
    """Return a look-up of a ledger's subtrees, read in one go.

    The look-up raises KeyError for a subtree that is not stored.
    """
    found = await read_hashes(work, ((ledger_id, node) for node in nodes))
    return _look_up({node: value for (_, node), value in found.items()})


def _look_up(values: Mapping[Node, bytes]) -> NodeAt:
    return lambda node: values[node]


def _cut(hashes: bytes, node: Node) -> bytes:
    offset = row_of(node)[1]
    return hashes[offset : offset + HASH_BYTES]
