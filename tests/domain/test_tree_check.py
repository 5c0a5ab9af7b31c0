"""Finding the touched row of a rebuilt ledger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.domain.merkle import GrowingTree, leaf_hash, row_of
from water2.domain.tree_check import TreeCheck, leaves_under

SIZES = range(1, 20)


def rows_of(size):
    tree = GrowingTree()
    bodies = [str(n).encode() for n in range(size)]
    return [(body, tree.append(leaf_hash(body))) for body in bodies], tree.frontier


def check(rows, frontier):
    """Return the rows with something wrong, the peaks that differ, and the check itself."""
    tree, wrong = TreeCheck(), []
    for seq, row in enumerate(rows):
        if row is None:
            tree.take_lost()
            continue
        found = tree.take(*row)
        if found.leaf_differs or found.strangers:
            wrong.append(seq)
    return wrong, tree.settle(frontier), tree


def flip(value, at=0):
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


@pytest.mark.parametrize("size", SIZES)
def test_an_untouched_ledger_is_found_sound(size):
    rows, frontier = rows_of(size)
    wrong, peaks, tree = check(rows, frontier)
    assert (wrong, peaks, tree.mended) == ([], (), {})


@pytest.mark.parametrize("size", SIZES)
def test_one_flipped_byte_of_one_entry_names_that_entry_and_no_other(size):
    rows, frontier = rows_of(size)
    for seq in range(size):
        touched = [*rows]
        touched[seq] = (flip(rows[seq][0]), rows[seq][1])
        wrong, peaks, tree = check(touched, frontier)
        assert (wrong, peaks, tree.mended) == ([seq], (), {})


@pytest.mark.parametrize("size", SIZES)
def test_one_flipped_byte_of_any_stored_hash_names_its_row_and_what_it_was(size):
    rows, frontier = rows_of(size)
    for seq in range(size):
        body, hashes = rows[seq]
        for at in range(0, len(hashes), 32):
            touched = [*rows]
            touched[seq] = (body, flip(hashes, at))
            wrong, peaks, tree = check(touched, frontier)
            assert (wrong, peaks) == ([seq], ())
            assert tree.mended == {(seq, at): hashes[at : at + 32]}


@pytest.mark.parametrize("size", SIZES)
def test_a_lost_row_casts_no_suspicion_on_the_others(size):
    rows, frontier = rows_of(size)
    for seq in range(size):
        wrong, peaks, _ = check([*rows[:seq], None, *rows[seq + 1 :]], frontier)
        assert (wrong, peaks) == ([], ())


@pytest.mark.parametrize("size", SIZES)
def test_an_entry_rewritten_with_its_leaf_is_found_under_a_subtree_or_a_peak(size):
    rows, frontier = rows_of(size)
    for seq in range(size):
        tree = TreeCheck()
        under = []
        for at, (body, hashes) in enumerate(rows):
            other = (b"other", leaf_hash(b"other") + hashes[32:])
            under += tree.take(*(other if at == seq else (body, hashes))).strangers
        under += tree.settle(frontier)
        assert len(under) == 1
        first, last = leaves_under(under[0])
        assert first <= seq <= last
        assert last - first <= 1


@given(st.integers(1, 64), st.integers(0, 63), st.binary(max_size=200))
def test_hashes_of_any_other_length_are_a_finding_and_no_failure(size, seq, hashes):
    rows, frontier = rows_of(size)
    seq %= size
    touched = [*rows]
    touched[seq] = (rows[seq][0], hashes)
    if hashes != rows[seq][1]:
        wrong, _, _ = check(touched, frontier)
        assert seq in wrong


def test_a_frontier_of_another_length_differs_in_all_its_peaks():
    rows, frontier = rows_of(5)
    assert check(rows, frontier[:32])[1] == ((2, 0), (0, 4))


def test_a_node_lies_in_the_row_of_the_last_leaf_under_it():
    for node in [(0, 4), (1, 2), (3, 0)]:
        assert row_of(node) == (leaves_under(node)[1], 32 * node[0])
