"""Trees, proofs and their verification against RFC 6962 and the public vectors."""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.domain import merkle

# The leaves and roots of RFC 6962's reference implementation (and of RFC 9162's test data).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/merkle-vectors/vectors.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


class KeptTree(merkle.GrowingTree):
    """A tree that keeps what each leaf completed, as the table does."""

    def __init__(self, leaves):
        super().__init__()
        self.rows = [self.append(merkle.leaf_hash(leaf)) for leaf in leaves]

    def node_at(self, node):
        seq, offset = merkle.row_of(node)
        return self.rows[seq][offset : offset + 32]


def naive_root(leaves):
    if len(leaves) == 1:
        return merkle.leaf_hash(leaves[0])
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return merkle.node_hash(naive_root(leaves[:middle]), naive_root(leaves[middle:]))


def test_the_known_roots_of_rfc_6962_come_out():
    assert merkle.GrowingTree().root == merkle.EMPTY_ROOT
    assert [KeptTree(LEAVES[:size]).root.hex() for size in range(1, 9)] == ROOTS


def hashes(values):
    return [b64decode(value) for value in values or ()]


def test_there_are_196_public_vectors_of_which_12_verify():
    assert len(VECTORS) == 196
    assert sum(not vector["wantErr"] for vector in VECTORS) == 12


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["case"])
def test_a_verifier_decides_each_public_vector_as_published(vector):
    if vector["case"].startswith("inclusion"):
        verified = merkle.verify_inclusion(
            b64decode(vector["leafHash"]),
            vector["leafIdx"],
            vector["treeSize"],
            hashes(vector["proof"]),
            b64decode(vector["root"]),
        )
    else:
        verified = merkle.verify_consistency(
            vector["size1"],
            vector["size2"],
            hashes(vector["proof"]),
            b64decode(vector["root1"]),
            b64decode(vector["root2"]),
        )
    assert verified is not vector["wantErr"]


def leaves_of(size):
    return [str(n).encode() for n in range(size)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_tree_is_proved_from_kept_nodes(size):
    leaves = leaves_of(size)
    tree = KeptTree(leaves)
    assert tree.root == naive_root(leaves)
    for seq, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(size, seq, tree.node_at)
        assert merkle.verify_inclusion(merkle.leaf_hash(leaf), seq, size, proof, tree.root)
        assert not merkle.verify_inclusion(merkle.leaf_hash(b"x"), seq, size, proof, tree.root)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_earlier_tree_is_proved_to_be_the_beginning_of_a_later_one(size):
    tree = KeptTree(leaves_of(size))
    for first in range(1, size + 1):
        old_root = naive_root(leaves_of(first))
        proof = merkle.consistency_proof(first, size, tree.node_at)
        assert merkle.root_at(first, tree.node_at) == old_root
        assert merkle.verify_consistency(first, size, proof, old_root, tree.root)
        if first < size:
            assert not merkle.verify_consistency(first, size, proof, tree.root, tree.root)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_proofs_read_no_more_nodes_than_twice_the_height_squared(one, other):
    first, second = sorted((one, other))
    read = []
    merkle.consistency_proof(first, second, lambda node: read.append(node) or bytes(32))
    merkle.inclusion_proof(second, first - 1, lambda node: read.append(node) or bytes(32))
    assert len(read) <= 4 * second.bit_length()
    assert all(merkle.row_of(node)[0] < second for node in read)


@given(st.integers(0, 2000), st.lists(st.binary(max_size=5), max_size=20))
def test_a_tree_taken_up_from_its_frontier_grows_as_if_never_left(size, more):
    whole = KeptTree(leaves_of(size))
    resumed = merkle.GrowingTree(size, whole.frontier)
    for leaf in map(merkle.leaf_hash, more):
        levels = merkle.completed_levels(resumed.size)
        completed = resumed.append(leaf)
        assert completed == whole.append(leaf)
        assert len(completed) == 32 * (1 + levels)
    assert (resumed.root, resumed.frontier) == (whole.root, whole.frontier)


def test_a_frontier_of_another_size_is_refused():
    with pytest.raises(ValueError, match="not one of 2 leaves"):
        merkle.GrowingTree(2, bytes(64))


@pytest.mark.parametrize(("seq", "size"), [(0, 0), (-1, 4), (4, 4)])
def test_no_inclusion_proof_is_made_for_a_leaf_outside_the_tree(seq, size):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(size, seq, lambda _: bytes(32))


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4)])
def test_no_consistency_proof_is_made_from_nothing_or_backwards(first, second):
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.consistency_proof(first, second, lambda _: bytes(32))
