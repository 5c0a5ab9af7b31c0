"""第九条、第十条: accepted, then handed over, only then put into service."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.commissioning import judge_put_into_service
from water2.rules.provision import Allowed, Refused

BOOK = load_book("lishui")
DAY = date(2026, 5, 5)


@pytest.mark.parametrize(
    ("accepted_on", "handed_over_on", "reason", "article"),
    [
        pytest.param(None, None, "not_accepted", "9", id="neither has happened"),
        pytest.param(date(2026, 5, 6), DAY, "not_accepted", "9", id="accepted the day after"),
        pytest.param(DAY, None, "not_handed_over", "10", id="accepted, not handed over"),
        pytest.param(DAY, date(2026, 5, 6), "not_handed_over", "10", id="handed over later"),
    ],
)
def test_what_is_not_accepted_and_handed_over_stays_out_of_service(
    accepted_on, handed_over_on, reason: str, article: str
):
    verdict = judge_put_into_service(
        BOOK, accepted_on=accepted_on, handed_over_on=handed_over_on, on=DAY
    )
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.provision.article) == (reason, article)


def test_acceptance_and_handover_on_the_day_itself_are_enough():
    assert judge_put_into_service(BOOK, accepted_on=DAY, handed_over_on=DAY, on=DAY) == Allowed()


def test_a_place_that_demands_neither_allows_it():
    book = load_book("us-nyc")
    assert judge_put_into_service(book, accepted_on=None, handed_over_on=None, on=DAY) == Allowed()
