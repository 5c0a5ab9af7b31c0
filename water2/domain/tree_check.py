"""Compares stored leaves and subtrees with the entries' bytes, and finds which row was touched.

The rows of a ledger are fed in order. Where a stored hash and a computed one differ, the parent's
stored hash decides which of the two is right: so one touched row is one finding, and not a trail of
all the subtrees above it.
"""

from dataclasses import dataclass
from itertools import product

from water2.domain.merkle import (
    HASH_BYTES,
    Node,
    completed_levels,
    leaf_hash,
    node_hash,
    row_of,
    split_hashes,
)

_MOST_VALUES = 4


@dataclass(slots=True)
class _Peak:
    """A subtree of the frontier. `values`: what it may be, computed before stored; none if lost."""

    node: Node
    stored: bytes | None
    values: list[bytes]


@dataclass(frozen=True, slots=True)
class RowCheck:
    """What is wrong with a row: nothing when both parts are empty.

    `leaf_differs`: bytes and leaf hash are not of each other, or a hash is missing.
    `strangers`: subtrees kept in this row that do not follow from their halves.
    """

    leaf_differs: bool
    strangers: tuple[Node, ...]


class TreeCheck:
    """The rebuilding of one ledger. `size` is the number of rows taken, lost ones included."""

    def __init__(self) -> None:
        self.size = 0
        self.mended: dict[tuple[int, int], bytes] = {}
        """Stored hashes that were altered, by row and offset, with what they must have been."""
        self._peaks: list[_Peak] = []

    def take(self, body: bytes, hashes: bytes) -> RowCheck:
        """Take the next row."""
        whole = len(hashes) == HASH_BYTES * (1 + completed_levels(self.size))
        stored: list[bytes] = split_hashes(hashes) if whole else []
        leaf = leaf_hash(body)
        strangers = self._add([leaf, *stored[:1]], stored)
        return RowCheck(stored[:1] != [leaf], strangers)

    def take_lost(self) -> None:
        """Take the next row as lost."""
        self._add([], [])

    def settle(self, frontier: bytes) -> tuple[Node, ...]:
        """Compare with the ledger's own frontier; return the subtrees that are not as in it."""
        given = split_hashes(frontier)
        if len(given) != len(self._peaks):
            return tuple(peak.node for peak in self._peaks)
        strangers = []
        for peak, value in zip(self._peaks, given, strict=True):
            if not peak.values or value in peak.values:
                self._mend(peak, value)
            else:
                strangers.append(peak.node)
        return tuple(strangers)

    def _add(self, leaf: list[bytes], stored: list[bytes]) -> tuple[Node, ...]:
        seq, strangers = self.size, []
        self.size += 1
        peak = _Peak((0, seq), stored[0] if stored else None, list(dict.fromkeys(leaf)))
        for level in range(1, completed_levels(seq) + 1):
            value = stored[level] if stored else None
            left, right = self._peaks.pop(), peak
            peak = _Peak((level, seq >> level), value, self._values(left, right, value))
            if value is not None and len(peak.values) > 1:
                strangers.append(peak.node)
        self._peaks.append(peak)
        return tuple(strangers)

    def _values(self, left: _Peak, right: _Peak, stored: bytes | None) -> list[bytes]:
        """Return what a parent may be; one value where its stored one follows from its halves."""
        follows = {
            node_hash(one, other): (one, other) for one, other in product(left.values, right.values)
        }
        if stored is None:
            return list(follows)[:_MOST_VALUES]
        if stored in follows:
            self._mend(left, follows[stored][0])
            self._mend(right, follows[stored][1])
            return [stored]
        return [*list(follows)[: _MOST_VALUES - 1], stored]

    def _mend(self, peak: _Peak, value: bytes) -> None:
        if peak.stored not in (None, value):
            self.mended[row_of(peak.node)] = value


def leaves_under(node: Node) -> tuple[int, int]:
    """Return the first and the last entry under a subtree."""
    level, index = node
    return index << level, ((index + 1) << level) - 1
