"""第十七条(二): training once, a health check every year, judged as of the day of the work."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.cadence import Evidence
from water2.rules.fitness import (
    HealthCertificate,
    Training,
    health_evidences,
    judge_crew,
    judge_fitness,
    last_valid_day,
    training_evidences,
)
from water2.rules.provision import Allowed, Refused

BOOK = load_book("lishui")
CHECK = BOOK.obligation("staff.fitness", date(2025, 1, 1))
TRAINED = (Training("t", date(2023, 4, 12)),)


def card(examined_on: date, valid_to: date | None = None, revoked_on: date | None = None, id_="h"):
    return HealthCertificate(id_, examined_on, valid_to, revoked_on)


@pytest.mark.parametrize(
    ("certificate", "last"),
    [
        pytest.param(
            card(date(2024, 3, 5), date(2025, 3, 5)), date(2025, 3, 5), id="to the anniversary"
        ),
        pytest.param(
            card(date(2024, 3, 5), date(2025, 3, 4)), date(2025, 3, 4), id="a shorter end holds"
        ),
        pytest.param(
            card(date(2024, 3, 5), date(2026, 3, 5)),
            date(2025, 3, 5),
            id="a card printed for two years counts for one",
        ),
        pytest.param(card(date(2024, 2, 29)), date(2025, 2, 28), id="29 Feb to 28 Feb"),
        pytest.param(
            card(date(2024, 3, 5), None, date(2024, 9, 1)),
            date(2024, 8, 31),
            id="revoked ends the day before",
        ),
        pytest.param(
            card(date(2024, 3, 5), date(2024, 3, 5)), date(2024, 3, 5), id="valid for its day alone"
        ),
        pytest.param(card(date(2024, 3, 5), date(2024, 3, 4)), None, id="ended before it began"),
        pytest.param(card(date(2024, 3, 5), None, date(2024, 3, 5)), None, id="revoked at once"),
    ],
)
def test_a_certificate_counts_to_its_last_valid_day(certificate, last: date | None):
    assert last_valid_day(certificate, CHECK) == last


@pytest.mark.parametrize(
    ("on", "trainings", "cards", "codes"),
    [
        pytest.param(date(2025, 3, 5), TRAINED, [card(date(2024, 3, 5))], [], id="last valid day"),
        pytest.param(
            date(2025, 3, 6),
            TRAINED,
            [card(date(2024, 3, 5))],
            ["health_check_lapsed"],
            id="the day after",
        ),
        pytest.param(
            date(2024, 3, 5), TRAINED, [card(date(2024, 3, 5))], [], id="on the examination's day"
        ),
        pytest.param(
            date(2024, 3, 4),
            TRAINED,
            [card(date(2024, 3, 5))],
            ["examined_after"],
            id="the day before the examination",
        ),
        pytest.param(date(2025, 1, 1), TRAINED, [], ["never_examined"], id="no card at all"),
        pytest.param(
            date(2025, 1, 1), [], [card(date(2024, 3, 5))], ["never_trained"], id="no training"
        ),
        pytest.param(
            date(2025, 1, 1),
            [Training("t", date(2025, 1, 2))],
            [card(date(2024, 3, 5))],
            ["trained_after"],
            id="trained the day after",
        ),
        pytest.param(
            date(2025, 1, 1),
            [Training("t", date(2025, 1, 1))],
            [card(date(2024, 3, 5))],
            [],
            id="trained on the day",
        ),
        pytest.param(
            date(2040, 1, 1), TRAINED, [card(date(2039, 3, 5))], [], id="training does not lapse"
        ),
        pytest.param(
            date(2025, 1, 1), [], [], ["never_trained", "never_examined"], id="lacks everything"
        ),
        pytest.param(
            date(2024, 9, 1),
            TRAINED,
            [card(date(2024, 3, 5), None, date(2024, 9, 1))],
            ["health_check_revoked"],
            id="the day of revocation",
        ),
        pytest.param(
            date(2024, 6, 1),
            TRAINED,
            [card(date(2023, 8, 1)), card(date(2024, 3, 5), date(2024, 4, 1), id_="short")],
            [],
            id="an earlier card still covers it",
        ),
        pytest.param(
            date(2024, 12, 1),
            TRAINED,
            [card(date(2023, 8, 1)), card(date(2025, 1, 1), id_="later")],
            ["health_check_lapsed"],
            id="judged on the day, not today",
        ),
        pytest.param(
            date(2022, 11, 8), [], [], ["never_trained", "never_examined"], id="by national law"
        ),
    ],
)
def test_a_person_is_judged_as_of_the_day(on: date, trainings, cards, codes: list[str]):
    fitness = judge_fitness(on, trainings, cards, BOOK)
    assert [reason.code for reason in fitness.reasons] == codes
    assert fitness.fit == (not codes)


def test_a_lapse_names_its_last_valid_day_and_article():
    reason = judge_fitness(date(2025, 3, 6), TRAINED, [card(date(2024, 3, 5))], BOOK).reasons[0]
    assert reason.facts == {"last_valid_day": date(2025, 3, 5)}
    assert reason.provision.article == "17(2)"
    assert reason.provision.quote == "并每年进行一次健康检查"


def test_where_the_place_asks_for_nothing_everybody_is_fit():
    assert judge_fitness(date(2016, 5, 5), [], [], load_book("us-nyc")).fit
    assert judge_crew({}, date(2016, 5, 5), load_book("us-nyc")) == Allowed()


def test_the_next_check_is_due_on_the_last_valid_day():
    cards = [card(date(2025, 3, 1), id_="b"), card(date(2024, 3, 5), date(2026, 3, 5), id_="a")]
    assert health_evidences(cards, CHECK) == (
        Evidence("a", date(2024, 3, 5), date(2025, 3, 5)),
        Evidence("b", date(2025, 3, 1), date(2026, 3, 1)),
    )


def test_a_longer_lived_earlier_card_is_not_shortened():
    cards = [card(date(2024, 3, 5), id_="a"), card(date(2024, 6, 1), date(2024, 7, 1), id_="b")]
    assert [evidence.next_due for evidence in health_evidences(cards, CHECK)] == [
        date(2025, 3, 5),
        date(2025, 3, 5),
    ]


def test_a_card_that_never_was_valid_is_no_evidence():
    assert health_evidences([card(date(2024, 3, 5), date(2024, 3, 1))], CHECK) == ()


def test_training_is_evidence_once():
    evidence = training_evidences([Training("b", date(2025, 1, 1)), *TRAINED])
    assert [(each.id, each.next_due) for each in evidence] == [("t", None), ("b", None)]


def test_a_crew_is_refused_naming_each_unfit_person_with_what_lacks_and_the_article():
    on = date(2025, 3, 6)
    fit = judge_fitness(on, TRAINED, [card(date(2024, 12, 1))], BOOK)
    lapsed = judge_fitness(on, TRAINED, [card(date(2024, 3, 5))], BOOK)
    untrained = judge_fitness(on, [], [card(date(2024, 12, 1))], BOOK)
    verdict = judge_crew({"LS001": fit, "LS002": lapsed, "BR001": untrained}, on, BOOK)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "crew_unfit"
    assert verdict.provision.obligation == "staff.fitness"
    assert verdict.facts["people"] == [
        {"code": "BR001", "reasons": [{"code": "never_trained", "article": "17(2)"}]},
        {
            "code": "LS002",
            "reasons": [
                {
                    "code": "health_check_lapsed",
                    "article": "17(2)",
                    "last_valid_day": date(2025, 3, 5),
                }
            ],
        },
    ]


def test_a_fit_crew_is_allowed_an_empty_one_is_not():
    on = date(2025, 3, 5)
    fit = judge_fitness(on, TRAINED, [card(date(2024, 12, 1))], BOOK)
    assert judge_crew({"LS001": fit}, on, BOOK) == Allowed()
    verdict = judge_crew({}, on, BOOK)
    assert isinstance(verdict, Refused)
    assert verdict.reason == "crew_empty"


def test_a_person_who_left_is_not_fit_for_the_crew():
    on = date(2025, 3, 5)
    fit = judge_fitness(on, TRAINED, [card(date(2024, 12, 1))], BOOK)
    verdict = judge_crew({"LS001": fit}, on, BOOK, left={"LS001": date(2025, 1, 1)})
    assert isinstance(verdict, Refused)
    assert verdict.facts["people"] == [
        {"code": "LS001", "reasons": [{"code": "left", "left_on": date(2025, 1, 1)}]}
    ]


def test_lacking_training_alone_is_refused_under_the_training():
    on = date(2025, 3, 5)
    untrained = judge_fitness(on, [], [card(date(2024, 12, 1))], BOOK)
    verdict = judge_crew({"LS001": untrained}, on, BOOK)
    assert isinstance(verdict, Refused)
    assert verdict.provision.obligation == "staff.training"


def test_a_crew_that_lacks_training_alone_is_refused_with_the_sentence_on_training():
    day = date(2026, 11, 23)
    fitness = judge_fitness(day, [], [card(date(2026, 3, 5))], BOOK)
    verdict = judge_crew({"LS001": fitness}, day, BOOK)
    assert "必须经卫生知识培训" in verdict.provision.quote
