"""Merkle trees as in RFC 6962 and RFC 9162: hashing, growth, proofs. Pure arithmetic.

A *node* is named (level, index): the perfect subtree over the leaves from index·2^level to before
(index+1)·2^level.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int]
NodeAt = Callable[[Node], bytes]
Span = tuple[int, int]
"""Leaves from the first to before the second."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash the exact bytes of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into their parent."""
    return sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree of which only the frontier is kept: the perfect subtrees it consists of."""

    def __init__(self, size: int = 0, frontier: bytes = b"") -> None:
        """Take up a tree where it was left.

        Raises:
            ValueError: the frontier is not that of a tree of this size.
        """
        if len(frontier) != HASH_BYTES * size.bit_count():
            raise ValueError(f"a frontier of {len(frontier)} bytes is not one of {size} leaves")
        self.size = size
        self._peaks = split_hashes(frontier)

    def append(self, leaf: bytes) -> bytes:
        """Add a leaf; return its hash and those of the subtrees it completes, smallest first."""
        node, completed, filled = leaf, [leaf], self.size
        while filled & 1:
            node = node_hash(self._peaks.pop(), node)
            completed.append(node)
            filled >>= 1
        self._peaks.append(node)
        self.size += 1
        return b"".join(completed)

    @property
    def frontier(self) -> bytes:
        """The peaks, largest first, joined."""
        return b"".join(self._peaks)

    @property
    def root(self) -> bytes:
        """The root hash; that of the empty tree when nothing was added."""
        return fold_peaks(self._peaks)


def split_hashes(joined: bytes) -> list[bytes]:
    """Cut joined hashes apart."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees given from the largest to the smallest."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def completed_levels(seq: int) -> int:
    """Return how many subtrees above the leaf the leaf `seq` completes."""
    return (seq ^ (seq + 1)).bit_length() - 1


def row_of(node: Node) -> tuple[int, int]:
    """Return the leaf that completes a node, and the node's offset among that leaf's hashes."""
    level, index = node
    return ((index + 1) << level) - 1, level * HASH_BYTES


def perfect_nodes(span: Span) -> Iterator[Node]:
    """Return the perfect subtrees a span consists of; its start is aligned to the largest."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def inclusion_spans(seq: int, size: int) -> list[Span]:
    """Return what the hashes of an inclusion proof stand for, from the leaf's sibling upwards.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= seq < size:
        raise ValueError(f"no leaf {seq} among {size}")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if seq < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(first: int, second: int) -> list[Span]:
    """Return what the hashes of a consistency proof stand for, in the order of the proof.

    Raises:
        ValueError: the sizes are not 1 ≤ first ≤ second.
    """
    if not 1 <= first <= second:
        raise ValueError(f"no consistency proof from {first} to {second}")
    spans: list[Span] = []
    start, end, on_left_edge = 0, second, True
    while end != first:
        middle = start + _largest_power_below(end - start)
        if first <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, on_left_edge = middle, False
    if not on_left_edge:
        spans.append((start, end))
    return spans[::-1]


def prove(spans: Iterable[Span], node_at: NodeAt) -> list[bytes]:
    """Return the hashes of spans, reading only perfect subtrees."""
    return [fold_peaks([node_at(node) for node in perfect_nodes(span)]) for span in spans]


def inclusion_proof(size: int, seq: int, node_at: NodeAt) -> list[bytes]:
    """Return the proof that leaf `seq` is in the tree of the first `size` leaves."""
    return prove(inclusion_spans(seq, size), node_at)


def consistency_proof(first: int, second: int, node_at: NodeAt) -> list[bytes]:
    """Return the proof that the tree of `second` leaves extends that of `first`."""
    return prove(consistency_spans(first, second), node_at)


def root_at(size: int, node_at: NodeAt) -> bytes:
    """Return the root the tree had when it was `size` leaves large."""
    return fold_peaks([node_at(node) for node in perfect_nodes((0, size))])


def verify_inclusion(leaf: bytes, seq: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that `leaf` is leaf `seq` of the tree with this root."""
    if not 0 <= seq < size or not _all_hashes([leaf, root, *proof]):
        return False
    fn, sn, hashed = seq, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            hashed = node_hash(sibling, hashed)
            fn, sn = _climb(fn, sn)
        else:
            hashed = node_hash(hashed, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hashed == root


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Tell whether a proof shows that the second tree begins with the whole of the first.

    A tree of size 0 proves nothing and is refused.
    """
    if not 1 <= first <= second:
        return False
    if first == second:  # one comparison, whatever is compared: so the published vectors have it
        return not proof and first_root == second_root
    if not _all_hashes([first_root, second_root, *proof]):
        return False
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path or not proof:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return _rebuild(path, fn, sn) == (first_root, second_root)


def _rebuild(path: Sequence[bytes], fn: int, sn: int) -> tuple[bytes, bytes] | None:
    """Return both roots a consistency proof leads to; None where it is too long or too short."""
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            fn, sn = _climb(fn, sn)
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    return (old, new) if sn == 0 else None


def _climb(fn: int, sn: int) -> tuple[int, int]:
    """Pass the levels on which the rightmost node has no sibling."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _largest_power_below(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _all_hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
