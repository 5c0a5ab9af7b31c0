"""Levels and instants of evidence: in whatever order words come, and alike in Python and SQL."""

from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.conftest import NOW
from tests.delivery.builders import queue
from water2.domain.delivery import DeliveryState, EvidenceLevel
from water2.domain.evidence import Evidence, evidence_instant, level_of, with_word
from water2.domain.sending import Outcome
from water2.services.delivery.statements import DELIVERY

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
INSTANTS = (None, NOW, SOON, LATER)


def after(*words):
    evidence = Evidence()
    for outcome, at in words:
        evidence = with_word(evidence, outcome, at)
    return evidence


def test_delivered_is_never_lowered_by_accepted():
    evidence = after((Outcome.delivered, NOW), (Outcome.accepted, SOON))
    assert evidence == Evidence(accepted_at=NOW, delivered_at=NOW)


def test_after_a_failure_only_the_delivery_proves_an_instant():
    broken = (Outcome.accepted, NOW), (Outcome.failed, SOON)
    assert after(*broken).told_at(delivered_required=False) is None
    mended = after(*broken, (Outcome.delivered, LATER))
    assert mended.told_at(delivered_required=False) == LATER


def test_a_message_in_parts_has_arrived_with_its_last_part():
    evidence = after((Outcome.delivered, NOW), (Outcome.delivered, SOON))
    assert evidence == Evidence(accepted_at=NOW, delivered_at=SOON)


@pytest.mark.parametrize(
    ("delivered", "failed", "stands"),
    [(NOW, SOON, False), (SOON, NOW, True), (NOW, NOW, False)],
)
def test_of_delivery_and_failure_the_later_wins_and_a_tie_is_failure(delivered, failed, stands):
    words = (Outcome.accepted, NOW), (Outcome.delivered, delivered), (Outcome.failed, failed)
    assert {after(*order).stands for order in permutations(words)} == {stands}


def test_a_failure_undoes_acceptance_and_keeps_its_instant_for_the_record():
    evidence = after((Outcome.accepted, NOW), (Outcome.failed, SOON))
    assert (evidence.stands, evidence.accepted_at) == (False, NOW)


words = st.tuples(
    st.sampled_from([Outcome.accepted, Outcome.delivered, Outcome.failed]),
    st.sampled_from([NOW, SOON, LATER]),
)


@given(st.lists(words, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_words_changes_nothing(said, random):
    shuffled = list(said)
    random.shuffle(shuffled)
    assert after(*said) == after(*shuffled)


@given(st.lists(words, max_size=4), words)
def test_a_word_taken_twice_changes_nothing(said, word):
    once = with_word(after(*said), *word)
    assert with_word(once, *word) == once


class Row:
    def __init__(self, **given):
        self.accepted_at = self.delivered_at = self.failed_at = self.acknowledged_at = None
        self.attempts, self.state = 0, DeliveryState.ready
        for name, value in given.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({}, EvidenceLevel.queued),
        ({"state": DeliveryState.superseded}, EvidenceLevel.none),
        ({"state": DeliveryState.expired}, EvidenceLevel.none),
        ({"attempts": 1, "state": DeliveryState.in_doubt}, EvidenceLevel.attempted),
        ({"attempts": 1, "accepted_at": NOW}, EvidenceLevel.accepted),
        ({"attempts": 1, "accepted_at": NOW, "delivered_at": SOON}, EvidenceLevel.delivered),
        ({"attempts": 1, "accepted_at": NOW, "failed_at": SOON}, EvidenceLevel.attempted),
        ({"accepted_at": NOW, "failed_at": SOON, "acknowledged_at": LATER}, "acknowledged"),
    ],
)
def test_the_level_of_a_delivery(given, level):
    assert level_of(Row(**given)) == level


async def test_sql_judges_as_python_does(lishui, estate):
    combinations = list(product(INSTANTS, INSTANTS, INSTANTS))
    async with lishui.runtime.work() as work:
        ids = [
            (
                await queue(
                    work,
                    estate,
                    str(number),
                    attempts=1,
                    accepted_at=accepted,
                    delivered_at=delivered,
                    failed_at=failed,
                )
            )[0]
            for number, (accepted, delivered, failed) in enumerate(combinations)
        ]
        rows = await work.session.execute(
            select(
                DELIVERY.c.id, evidence_instant(DELIVERY, False), evidence_instant(DELIVERY, True)
            )
        )
        found = {row[0]: (row[1], row[2]) for row in rows}
    for id_, instants in zip(ids, combinations, strict=True):
        evidence = Evidence(*instants)
        assert found[id_] == (evidence.told_at(False), evidence.told_at(True))
