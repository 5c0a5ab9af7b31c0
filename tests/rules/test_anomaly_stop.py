"""第十八条第二款: the text knows no alternative to stopping supply."""

import pytest

from water2.rules.anomaly_stop import StopSaid, cuts_every_tap, gravest

ALL = StopSaid(
    None, reasoned=False, in_part=False, placed=True, zones_left=False, buildings_left=False
)


def said(**changes):
    return StopSaid(**vars(ALL) | changes)


@pytest.mark.parametrize(
    ("stop", "every"),
    [
        pytest.param(ALL, True, id="all of the facility"),
        pytest.param(said(in_part=True), True, id="every building, named one by one"),
        pytest.param(said(in_part=True, buildings_left=True), False, id="some buildings"),
        pytest.param(said(in_part=True, zones_left=True), False, id="some zones of all buildings"),
        pytest.param(said(in_part=True, placed=False), False, id="zones no building is known for"),
        pytest.param(
            said(every_affected_tap=True, in_part=True, buildings_left=True, reasoned=True),
            True,
            id="an isolation, with its reason",
        ),
        pytest.param(
            said(every_affected_tap=True, in_part=True, buildings_left=True),
            False,
            id="an isolation without a reason",
        ),
        pytest.param(said(every_affected_tap=True), True, id="all, and said so"),
        pytest.param(said(every_affected_tap=False), False, id="all, and said not to be"),
        pytest.param(
            said(every_affected_tap=False, reasoned=True), False, id="not all, with a reason"
        ),
    ],
)
def test_less_than_every_affected_tap_is_a_departure(stop, every):
    assert cuts_every_tap(stop) is every


@pytest.mark.parametrize(
    ("groups", "danger"),
    [
        ({"toxic", "microbial", "sensory"}, "toxic"),
        ({"microbial", "disinfectant"}, "microbial"),
        ({"disinfectant", "sensory"}, "disinfectant"),
        ({"sensory"}, "sensory"),
        (set(), None),
    ],
)
def test_what_boiling_does_not_remove_is_gravest(groups, danger):
    assert gravest(groups) == danger
