"""第二条、第三条、第二十条: scope; 第十条: from when duties run."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.scope import duties_run_from, first_day_in_use, idle_flags, judge_scope

BOOK = load_book("lishui")
NYC = load_book("us-nyc")
NEW = date(2022, 11, 9)
OLD = date(2022, 11, 8)


@pytest.mark.parametrize(
    ("kind", "accepted_on", "handed_over_on", "answer"),
    [
        pytest.param("high_rise_residential", NEW, None, (True, "2.1", "new"), id="first new day"),
        pytest.param(
            "high_rise_residential",
            OLD,
            None,
            (False, "2.1", "older_not_handed_over"),
            id="a day older and not handed over",
        ),
        pytest.param(
            "high_rise_residential",
            OLD,
            date(2023, 5, 1),
            (True, "2.1", "handed_over_by_agreement"),
            id="older but handed over",
        ),
        pytest.param(
            "high_rise_residential", None, None, (True, "2.1", "not_yet_accepted"), id="being built"
        ),
        pytest.param("high_rise_office", NEW, None, (True, "20.2", "new"), id="an office tower"),
        pytest.param("apartment", NEW, None, (True, "20.2", "new"), id="flats"),
        pytest.param(
            "apartment", OLD, None, (False, "2.1", "older_not_handed_over"), id="older flats"
        ),
        pytest.param("multi_storey", NEW, NEW, (False, "2.1", "kind_outside"), id="multi-storey"),
        pytest.param("fire", NEW, NEW, (False, "3.2", "kind_outside"), id="a fire system"),
        pytest.param("direct_drinking", NEW, NEW, (False, "3.2", "kind_outside"), id="drinking"),
        pytest.param("swimming", NEW, NEW, (False, "", "kind_unknown"), id="an unknown kind"),
    ],
)
def test_a_facility_is_in_scope_by_kind_and_age(kind: str, accepted_on, handed_over_on, answer):
    scope = judge_scope(BOOK, kind=kind, accepted_on=accepted_on, handed_over_on=handed_over_on)
    assert (scope.in_scope, scope.clause, scope.reason) == answer


def test_outside_the_area_nothing_is_in_scope():
    scope = judge_scope(
        BOOK,
        kind="high_rise_residential",
        accepted_on=NEW,
        handed_over_on=NEW,
        inside_area=False,
    )
    assert (scope.in_scope, scope.clause, scope.reason) == (False, "2.1", "outside_area")


@pytest.mark.parametrize(
    ("kind", "in_scope"),
    [("high_rise_office", False), ("apartment", False), ("high_rise_residential", True)],
)
def test_only_inside_an_estate_are_offices_and_flats_in_scope(kind: str, in_scope: bool):
    scope = judge_scope(BOOK, kind=kind, accepted_on=NEW, handed_over_on=NEW, inside_estate=False)
    assert scope.in_scope is in_scope


@pytest.mark.parametrize("kind", ["high_rise_residential", "fire", "anything"])
def test_where_the_place_says_nothing_else_every_facility_is_in_scope(kind: str):
    scope = judge_scope(NYC, kind=kind, accepted_on=None, handed_over_on=None)
    assert (scope.in_scope, scope.reason) == (True, "every_facility")


ACCEPTED, HANDED, USED = date(2023, 1, 1), date(2023, 3, 1), date(2023, 4, 1)


@pytest.mark.parametrize(
    ("accepted_on", "handed_over_on", "in_service_on", "tank_on", "runs_from"),
    [
        pytest.param(ACCEPTED, HANDED, date(2023, 2, 1), None, HANDED, id="the handover is last"),
        pytest.param(ACCEPTED, HANDED, USED, None, USED, id="the first use is last"),
        pytest.param(
            ACCEPTED, HANDED, USED, date(2024, 1, 1), date(2024, 1, 1), id="the tank is last"
        ),
        pytest.param(
            ACCEPTED, HANDED, USED, date(2023, 1, 1), USED, id="the tank was there before"
        ),
        pytest.param(
            date(2020, 1, 1),
            date(2020, 3, 1),
            date(2020, 4, 1),
            None,
            NEW,
            id="never before the rules themselves",
        ),
        pytest.param(ACCEPTED, None, USED, None, None, id="not handed over: none"),
        pytest.param(ACCEPTED, HANDED, None, None, None, id="not in use: none"),
        pytest.param(OLD, None, USED, None, None, id="out of scope: none"),
    ],
)
def test_duties_run_from_the_latest_first_day(
    accepted_on, handed_over_on, in_service_on, tank_on, runs_from
):
    assert (
        duties_run_from(
            BOOK,
            kind="high_rise_residential",
            accepted_on=accepted_on,
            handed_over_on=handed_over_on,
            in_service_on=in_service_on,
            tank_in_use_on=tank_on,
        )
        == runs_from
    )


def test_a_place_without_handover_waits_for_none():
    day = date(2015, 1, 1)
    assert (
        duties_run_from(NYC, kind="x", accepted_on=None, handed_over_on=None, in_service_on=day)
        == day
    )


TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("accepted_on", "handed_over_on", "in_service_on", "flags"),
    [
        pytest.param(date(2026, 1, 1), None, None, ("not_handed_over",), id="accepted only"),
        pytest.param(date(2026, 1, 1), date(2026, 2, 1), None, ("not_in_use",), id="idle"),
        pytest.param(
            date(2026, 1, 1), date(2026, 2, 1), date(2026, 11, 24), ("not_in_use",), id="tomorrow"
        ),
        pytest.param(date(2026, 1, 1), date(2026, 2, 1), TODAY, (), id="in use from today"),
        pytest.param(None, None, None, (), id="still being built"),
    ],
)
def test_a_facility_whose_duties_do_not_run_yet_is_flagged(
    accepted_on, handed_over_on, in_service_on, flags
):
    assert (
        idle_flags(
            BOOK,
            accepted_on=accepted_on,
            handed_over_on=handed_over_on,
            in_service_on=in_service_on,
            today=TODAY,
        )
        == flags
    )


@pytest.mark.parametrize(
    ("book", "stated_on", "seen_on", "first_on"),
    [
        pytest.param(NYC, None, date(2015, 7, 30), date(2015, 1, 1), id="known by its records"),
        pytest.param(NYC, date(2015, 3, 1), date(2015, 7, 30), date(2015, 3, 1), id="stated"),
        pytest.param(NYC, None, None, None, id="never seen"),
        pytest.param(BOOK, None, date(2025, 7, 30), None, id="a register must state it"),
    ],
)
def test_the_first_day_in_use_is_stated_or_seen(book, stated_on, seen_on, first_on):
    assert first_day_in_use(book, stated_on, seen_on) == first_on
