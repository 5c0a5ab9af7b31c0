"""When a routine test of several points counts as done."""

from datetime import date

from water2.rules.sampling import sampling_rounds

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
