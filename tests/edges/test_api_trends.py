"""Trends over the API: what is shown, to whom, and what is said of a wrong question."""

import pytest

from tests.edges.test_api_register import a_registered_place, added

SAMPLE = {
    "point": "terminal",
    "purpose": "routine",
    "sampled_at": "2026-11-23T08:00:00+08:00",
    "results": [{"parameter": "turbidity", "raw": "1.05"}, {"parameter": "ph", "raw": "7.10"}],
}
WHOLE_YEAR = {"from": "2026-01", "to": "2026-11"}


async def test_a_series_is_shown_with_its_limits_and_events(api):
    place = (await a_registered_place(api))["/facilities"]
    sample = await added(api.crew, "/samples", {"facility_id": place, **SAMPLE})
    asked = {"parameter": "浑浊度", "point": "terminal", "from": "2026-11-01"}
    answer = await api.health.get(f"/facilities/{place}/series", params=asked)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["parameter"], shown["unit"], shown["from"], shown["to"]) == (
        "turbidity",
        "NTU",
        "2026-11-01",
        "2026-11-23",
    )
    (point,) = shown["points"]
    assert point == {
        "sample_id": sample["id"],
        "sampled_on": "2026-11-23",
        "sampled_at": "2026-11-23T00:00:00Z",
        "tank_id": None,
        "purpose": "routine",
        "counts": True,
        "raw": "1.05",
        "value": "1.05",
        "censored": None,
        "unit": "NTU",
        "limit": "≤ 1",
        "verdict": "fail",
    }
    (limit,) = shown["limits"]
    assert limit == {
        "from": "2026-11-01",
        "to": "2026-11-23",
        "lower": None,
        "upper": "1",
        "shown": "≤ 1",
        "standard": "GB 5749-2022",
        "reference": False,
        "verified": True,
    }
    assert (shown["readings"], shown["next"]) == ([], None)


async def test_a_lower_bound_is_shown_at_its_point_alone(api):
    place = (await a_registered_place(api))["/facilities"]
    bounds = {}
    for point in ("inlet", "outlet", "terminal"):
        asked = {"parameter": "free_chlorine", "point": point}
        shown = (await api.manager.get(f"/facilities/{place}/series", params=asked)).json()
        (limit,) = shown["limits"]
        bounds[point] = (limit["lower"], limit["upper"], limit["verified"])
    assert bounds == {
        "inlet": (None, "2", False),
        "outlet": (None, "2", False),
        "terminal": ("0.05", "2", False),
    }


async def test_a_facility_is_found_by_its_code_too(api):
    await a_registered_place(api)
    asked = {"parameter": "ph", "point": "outlet"}
    assert (await api.manager.get("/facilities/BY-001/series", params=asked)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parameter": "radon"}, "parameter"),
        ({"parameter": ""}, "parameter"),
        ({"point": "roof"}, "point"),
        ({"from": "2026-13-01"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "from"),
        ({"limit": "501"}, "limit"),
        ({"cursor": "bm9uZQ=="}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_question_is_answered_by_field(api, changes, field):
    place = (await a_registered_place(api))["/facilities"]
    asked = {"parameter": "ph", "point": "outlet"} | changes
    for lang in ("zh", "en"):
        refused = await api.manager.get(
            f"/facilities/{place}/series", params=asked | {"lang": lang}
        )
        assert refused.status_code == 422, refused.text
        assert list(refused.json()["facts"]["fields"]) == [field]


@pytest.mark.parametrize("missing", ["parameter", "point"])
async def test_parameter_and_point_are_needed(api, missing):
    asked = {"parameter": "ph", "point": "outlet"}
    del asked[missing]
    refused = await api.manager.get("/facilities/x/series", params=asked)
    assert refused.json()["facts"]["fields"] == {missing: "missing"}


async def test_a_tank_of_nowhere_is_not_found(api):
    place = (await a_registered_place(api))["/facilities"]
    asked = {"parameter": "ph", "point": "outlet", "tank_id": "nowhere"}
    answer = await api.manager.get(f"/facilities/{place}/series", params=asked)
    assert answer.status_code == 404


async def test_an_outsider_finds_no_series_and_no_figures(api):
    place = (await a_registered_place(api))["/facilities"]
    asked = {"parameter": "ph", "point": "outlet"}
    path = f"/facilities/{place}/series"
    assert (await api.outsider.get(path, params=asked)).status_code == 404
    assert (await api.anybody.get(path, params=asked)).status_code == 401
    utility = {"utility": api.installation.utility.id}
    for narrowed in (utility, {"facility_id": place}):
        answer = await api.outsider.get("/compliance", params=WHOLE_YEAR | narrowed)
        assert answer.status_code == 404
    assert (await api.anybody.get("/compliance", params=WHOLE_YEAR)).status_code == 401


async def test_monthly_figures_are_shown_as_fractions(api):
    place = (await a_registered_place(api))["/facilities"]
    await added(api.crew, "/samples", {"facility_id": place, **SAMPLE})
    await added(api.crew, "/samples", {"facility_id": place, **SAMPLE, "purpose": "retest"})
    for client in (api.administrator, api.manager, api.crew, api.health, api.water):
        answer = await client.get("/compliance", params=WHOLE_YEAR)
        assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert [one["month"] for one in shown["months"]] == [f"2026-{m:02d}" for m in range(1, 12)]
    month = shown["months"][-1]
    assert month["samples"] == {"taken": 1, "judged": 1, "passed": 0, "failed": 1, "pending": 0}
    assert month["retests"]["taken"] == 1
    assert month["rate"] == {"passed": 1, "judged": 2, "percent": "50.00"} == shown["rate"]
    ph, turbidity = month["parameters"]
    assert ph == {"parameter": "ph", "passed": 1, "judged": 1, "percent": "100.00", "failed": 0}
    assert (turbidity["parameter"], turbidity["failed"]) == ("turbidity", 1)
    assert shown["months"][0]["rate"] == {"passed": 0, "judged": 0, "percent": None}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": "2026-1"}, "from"),
        ({"to": "2026-13"}, "to"),
        ({"to": "2026-11-01"}, "to"),
        ({"from": "2026-12"}, "to"),
        ({"from": "2020-01"}, "from"),
        ({"month": "2026-01"}, "month"),
    ],
)
async def test_wrong_months_are_answered_by_field(api, changes, field):
    refused = await api.manager.get("/compliance", params=WHOLE_YEAR | changes)
    assert refused.status_code == 422, refused.text
    assert list(refused.json()["facts"]["fields"]) == [field]


async def test_figures_of_a_facility_nobody_knows_are_not_found(api):
    answer = await api.manager.get("/compliance", params=WHOLE_YEAR | {"facility_id": "x"})
    assert answer.status_code == 404
