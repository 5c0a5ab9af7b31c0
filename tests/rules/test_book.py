"""Rulebooks: what was in force on a day, in each place."""

from datetime import date
from decimal import Decimal

import pytest

from water2.rules.book import NotInForce, UnknownPlace, load_book, places
from water2.rules.cadence import Cadence

FIRST = date(2022, 11, 9)
TODAY = date(2026, 11, 23)


def test_every_place_is_a_file_and_loads():
    assert places() == ("hubei", "lishui", "us-nyc")
    assert [load_book(place).key for place in places()] == list(places())
    assert load_book("lishui") is load_book("lishui")


def test_an_unknown_place_is_said():
    with pytest.raises(UnknownPlace):
        load_book("../layers/china-law")


@pytest.mark.parametrize(
    ("place", "obligation", "cadence", "period"),
    [
        ("lishui", "cleaning", Cadence(months=6), "half"),
        ("lishui", "staff.fitness", Cadence(months=12, at_once=True), None),
        ("lishui", "staff.training", Cadence(once=True, at_once=True), None),
        ("lishui", "testing", Cadence(months=3), None),
        ("lishui", "daily", Cadence(months=1), None),
        ("lishui", "daily.equipment", Cadence(days=7), None),
        ("hubei", "cleaning", Cadence(months=3), "quarter"),
        ("hubei", "testing", Cadence(months=1), None),
        ("us-nyc", "inspection", Cadence(calendar="year"), "year"),
    ],
)
def test_a_place_says_how_often(place: str, obligation: str, cadence: Cadence, period):
    found = load_book(place).obligation(obligation, TODAY)
    assert (found.cadence, found.period) == (cadence, period)


@pytest.mark.parametrize(
    ("obligation", "basis"),
    [("cleaning", "law"), ("staff.fitness", "law"), ("testing", "target"), ("daily", "target")],
)
def test_an_interval_is_law_or_a_target(obligation: str, basis: str):
    assert load_book("lishui").obligation(obligation, TODAY).basis == basis


@pytest.mark.parametrize(
    ("day", "demanded"),
    [
        pytest.param(date(2022, 11, 8), False, id="the day before the text"),
        pytest.param(FIRST, True, id="its first day"),
    ],
)
def test_nothing_is_demanded_before_the_text(day: date, demanded: bool):
    assert (load_book("lishui").obligation("cleaning", day) is not None) is demanded


def test_a_provision_not_in_force_is_not_cited():
    assert load_book("lishui").provision("cleaning", FIRST).article == "17(4)"
    with pytest.raises(NotInForce):
        load_book("lishui").provision("cleaning", date(2022, 11, 8))


def test_the_later_instrument_prevails_from_its_day():
    book = load_book("lishui")
    before = book.provision("staff.fitness", date(2022, 11, 8))
    assert before.instrument.key == "drinking-water-hygiene"
    assert book.provision("staff.fitness", FIRST).instrument.key == "lishui-2022-58"


def test_higher_law_adds_its_demands_beside_the_places_own():
    found = {each.id: each for each in load_book("lishui").obligations_on(TODAY)}
    assert found["outage.planned"].provision.quote is not None
    assert found["outage.approval"].provision.quote is None
    assert found["outage.approval"].verified is False
    assert len(found) == len(load_book("lishui").obligations_on(TODAY))


def test_the_defaults_of_practice_are_targets_with_a_source():
    cleaning = load_book("lishui").obligation("cleaning", TODAY)
    assert cleaning.values["months"].basis == "law"
    assert cleaning.opens_ahead_days == 45
    assert cleaning.remind_ahead_days == (30, 15, 7, 1)
    assert cleaning.remind_daily_when_overdue
    check = load_book("lishui").obligation("staff.fitness", TODAY)
    assert check.remind_ahead_days == (60, 30, 7, 1)
    assert not check.remind_daily_when_overdue


@pytest.mark.parametrize("place", places())
def test_every_target_says_where_it_comes_from(place: str):
    book = load_book(place)
    targets = [
        (each.id, setting)
        for each in book.obligations
        for setting in each.values.values()
        if setting.basis == "target"
    ]
    assert [id_ for id_, setting in targets if not setting.source] == []


@pytest.mark.parametrize("place", places())
def test_due_soon_is_thirty_days(place: str):
    assert load_book(place).number("due_soon_days") == 30


@pytest.mark.parametrize(
    ("day", "edition"),
    [
        pytest.param(date(2026, 5, 31), "gb-17051-1997", id="the last day of 1997's"),
        pytest.param(date(2026, 6, 1), "gb-17051-2025", id="the first day of 2025's"),
    ],
)
def test_item_sets_change_with_their_edition(day: date, edition: str):
    found = load_book("lishui").item_set("after_cleaning", day)
    assert (found.edition, found.verified) == (edition, False)
    assert len(found.keys) == 8


def test_an_item_set_nobody_asks_for_is_said():
    with pytest.raises(NotInForce):
        load_book("us-nyc").item_set("after_cleaning", TODAY)


@pytest.mark.parametrize(
    ("day", "count"), [(date(2023, 3, 31), 0), (date(2023, 4, 1), 34), (TODAY, 34)]
)
def test_limits_hold_from_april_2023(day: date, count: int):
    assert len(load_book("lishui").limits_on(day)) == count


@pytest.mark.parametrize(
    ("parameter", "lower", "upper", "unverified"),
    [
        ("colour", None, "15", ()),
        ("turbidity", None, "1", ()),
        ("ph", "6.5", "8.5", ()),
        ("plate_count", None, "100", ()),
        ("free_chlorine", "0.05", "2", ("upper",)),
        ("ammonia_n", None, "0.5", ("upper",)),
        ("codmn", None, "3", ()),
        ("nitrate_n", None, "10", ()),
        ("nitrite_n", None, "1", ("upper",)),
        ("iron", None, "0.3", ()),
        ("manganese", None, "0.1", ()),
        ("aluminium", None, "0.2", ()),
        ("copper", None, "1.0", ()),
        ("zinc", None, "1.0", ()),
        ("chloride", None, "250", ()),
        ("sulfate", None, "250", ()),
        ("tds", None, "1000", ()),
        ("hardness", None, "450", ()),
        ("arsenic", None, "0.01", ()),
        ("cadmium", None, "0.005", ()),
        ("chromium6", None, "0.05", ()),
        ("lead", None, "0.01", ()),
        ("mercury", None, "0.001", ()),
        ("cyanide", None, "0.05", ()),
        ("fluoride", None, "1.0", ()),
        ("chloroform", None, "0.06", ()),
        ("dibromochloromethane", None, "0.1", ()),
        ("bromodichloromethane", None, "0.06", ()),
        ("bromoform", None, "0.1", ()),
        ("thm_sum", None, "1", ()),
    ],
)
def test_the_limits_are_those_of_the_standard(parameter, lower, upper, unverified):
    limit = load_book("lishui").limits_on(TODAY)[parameter]
    assert limit.lower == (None if lower is None else Decimal(lower))
    assert limit.upper == Decimal(upper)
    assert limit.unverified == unverified
    assert limit.verified is not bool(unverified)


@pytest.mark.parametrize(
    ("disinfectant", "parameter", "lower", "upper"),
    [
        ("chloramine", "total_chlorine", "0.05", "3"),
        ("chlorine_dioxide", "chlorine_dioxide", "0.02", "0.8"),
        ("ozone", "ozone", "0.02", "0.3"),
    ],
)
def test_every_disinfectant_has_its_residual(disinfectant, parameter: str, lower: str, upper: str):
    limit = load_book("lishui").limits_on(TODAY, disinfectant)[parameter]
    assert (limit.lower, limit.upper) == (Decimal(lower), Decimal(upper))
    assert limit.lower_point == "terminal"
    assert not limit.verified


def test_new_york_stands_alone():
    book = load_book("us-nyc")
    assert book.timezone == "America/New_York"
    assert set(book.limits_on(date(2015, 1, 1))) == {"total_coliform", "e_coli"}
    inspection = book.obligation("inspection", date(2015, 1, 1))
    assert (inspection.subject, inspection.credited_by) == ("tank", "record")
    assert book.articles == ()
