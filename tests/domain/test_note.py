"""Signed notes, checkpoints and proofs as C2SP writes them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from water2.domain.note import Checkpoint, LogProof, NoteError, Signer, Verifier

# The example of golang.org/x/mod/sumdb/note, whose key and note C2SP's format is made after.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)
SIGNER = Signer("water2/oc", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HEAD = Checkpoint("water2/oc", 7, bytes(range(32)))


def test_a_note_signed_by_the_reference_implementation_opens():
    verifier = Verifier.from_vkey(PETER)
    assert verifier.vkey == PETER
    assert verifier.open(PETERS_NOTE) == PETERS_NOTE.partition("\n\n")[0] + "\n"


def test_a_checkpoint_is_three_lines_and_comes_back_from_its_note():
    note = SIGNER.sign(HEAD.text)
    assert note.split("\n")[:4] == [
        "water2/oc",
        "7",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "",
    ]
    assert note.split("\n")[4].startswith("— water2/oc ")
    assert Checkpoint.parse(SIGNER.verifier.open(note)) == HEAD


def test_no_byte_of_a_note_can_be_changed():
    note = SIGNER.sign(HEAD.text)
    for at in range(len(note)):
        changed = note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
        with pytest.raises(NoteError):
            SIGNER.verifier.open(changed)


def test_another_s_signature_beside_ours_is_passed_over():
    other = Signer("witness/w", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    cosigned = SIGNER.sign(HEAD.text) + other.sign(HEAD.text).rpartition("\n\n")[2]
    assert SIGNER.verifier.open(cosigned) == other.verifier.open(cosigned) == HEAD.text


def test_a_note_signed_by_nobody_known_does_not_open():
    stranger = Signer("water2/oc", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(NoteError, match="not signed by"):
        stranger.verifier.open(SIGNER.sign(HEAD.text))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "水 箱"])
def test_a_key_s_name_has_no_blanks_and_no_plus(name):
    with pytest.raises(NoteError):
        Verifier(name, bytes(32))


@pytest.mark.parametrize(
    "vkey",
    ["", "a", "a+b", "a+00000000+", PETER.replace("c74f", "c74e"), PETER.replace("+AR", "+AB")],
)
def test_what_is_not_a_verifier_key_is_refused(vkey):
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n7\n",
        "o\n07\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "o\n-7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "o\n7\nAAEC\n",
        "o\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "o\n7\n%\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_the_lines_after_a_checkpoint_s_third_are_passed_over():
    assert Checkpoint.parse(HEAD.text + "extension\n") == HEAD


@given(st.integers(0, 2**62), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_a_proof_comes_back_from_its_text(index, hashes):
    note = SIGNER.sign(HEAD.text)
    proof = LogProof.parse(LogProof(index, hashes, note).text)
    assert (proof.index, list(proof.hashes), proof.note) == (index, hashes, note)


def test_a_proof_s_extra_line_is_passed_over():
    text = LogProof(3, [bytes(32)], SIGNER.sign(HEAD.text)).text
    header, rest = text.split("\n", 1)
    assert LogProof.parse(f"{header}\nextra eA==\n{rest}") == LogProof.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n%\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n",
    ],
)
def test_what_is_not_a_proof_is_refused(text):
    with pytest.raises(NoteError):
        LogProof.parse(text)
