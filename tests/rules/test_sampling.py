"""When a routine test of several points counts as done."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.provision import Allowed
from water2.rules.sampling import judge_plan_interval, sampling_rounds, serves_plan

POINTS = ("outlet", "terminal")


def test_a_round_is_done_on_the_day_its_last_point_was_sampled():
    samples = [("b", date(2026, 1, 9), "terminal"), ("a", date(2026, 1, 2), "outlet")]
    assert sampling_rounds(samples, POINTS) == (("b", date(2026, 1, 9)),)


def test_one_point_alone_is_no_round():
    assert sampling_rounds([("a", date(2026, 1, 2), "outlet")] * 3, POINTS) == ()


def test_a_sample_counts_for_one_round_alone():
    samples = [
        ("a", date(2026, 1, 2), "outlet"),
        ("b", date(2026, 1, 2), "terminal"),
        ("c", date(2026, 4, 2), "outlet"),
    ]
    assert sampling_rounds(samples, POINTS) == (("b", date(2026, 1, 2)),)


LISHUI = load_book("lishui")
TODAY = date(2026, 11, 23)


def serves(results, *, item_set=None, parameters=(), on=TODAY, disinfectant="chlorine"):
    return serves_plan(LISHUI, on, disinfectant, results, item_set=item_set, parameters=parameters)


def test_a_sample_serves_a_plan_with_all_of_its_items_whatever_they_say():
    assert serves({"lead": "0.9", "arsenic": "<0.001", "ph": "7"}, parameters=["lead", "arsenic"])


def test_an_item_without_a_readable_value_is_lacking():
    assert not serves({"lead": "", "arsenic": "<0.001"}, parameters=["lead", "arsenic"])


def test_a_set_asks_for_the_residual_of_the_disinfectant_in_use():
    field = {"turbidity": "0.3", "ph": "7.2", "free_chlorine": "0.3"}
    assert serves(field, item_set="field")
    assert not serves(field, item_set="field", disinfectant="ozone")
    assert serves({"turbidity": "0.3", "ph": "7.2"}, item_set="field", disinfectant="uv")


def test_a_set_no_edition_of_the_day_knows_is_served_by_nothing():
    assert not serves({"ph": "7"}, item_set="unheard of")


@pytest.mark.parametrize(("months", "allowed"), [(1, True), (3, True), (4, False), (12, False)])
def test_a_routine_plan_is_never_looser_than_the_regular_test(months, allowed):
    assert isinstance(judge_plan_interval(LISHUI, months, TODAY), Allowed) is allowed


def test_where_the_place_sets_no_interval_the_utility_chooses():
    assert judge_plan_interval(load_book("us-nyc"), 24, TODAY) == Allowed()
