"""Results as laboratories write them, over the API: what cannot be true is named by item."""

import pytest

from tests.edges.test_api_register import a_registered_place, added

SAMPLE = {"point": "terminal", "purpose": "routine", "sampled_at": "2026-11-23T08:00:00+08:00"}


@pytest.mark.parametrize(
    ("parameter", "raw", "code"),
    [
        pytest.param("iron", "0.5 NTU", "wrong_unit", id="turbidity's unit for iron"),
        pytest.param("turbidity", "0.5 mg/L", "wrong_unit", id="mg/L for turbidity"),
        pytest.param("lead", "5 μg/L", "wrong_unit", id="a unit that needs converting"),
        pytest.param("iron", "正常", "unreadable", id="a word where a number is due"),
        pytest.param("iron", "-0.1", "impossible", id="a negative concentration"),
        pytest.param("iron", "<0", "impossible", id="less than nothing"),
        pytest.param("ph", "71", "impossible", id="pH 71"),
        pytest.param("ph", "未检出", "unreadable", id="a pH not detected"),
        pytest.param("radon", "1", "unknown_parameter", id="nobody knows the item"),
    ],
)
async def test_a_result_that_cannot_be_is_refused_by_item(api, parameter, raw, code):
    place = (await a_registered_place(api))["/facilities"]
    results = [{"parameter": "colour", "raw": "<5"}, {"parameter": parameter, "raw": raw}]
    body = {"facility_id": place, **SAMPLE, "results": results}
    refused = await api.crew.post("/samples", json=body)
    assert refused.status_code == 422, refused.text
    field = "parameter" if code == "unknown_parameter" else "raw"
    assert refused.json()["facts"]["fields"] == {f"results.1.{field}": code}
    if code == "wrong_unit":
        assert raw in refused.json()["detail"]


async def test_a_unit_of_the_item_may_stand_beside_the_number(api):
    place = (await a_registered_place(api))["/facilities"]
    given = {"iron": "０．３ mg/L", "turbidity": "1 ntu", "total_coliform": "未检出 MPN/100mL"}
    results = [{"parameter": key, "raw": raw} for key, raw in given.items()]
    sample = await added(api.crew, "/samples", {"facility_id": place, **SAMPLE, "results": results})
    shown = {one["parameter"]: (one["raw"], one["verdict"]) for one in sample["results"]}
    assert shown == {key: (raw, "pass") for key, raw in given.items()}


async def test_a_sum_of_haloforms_is_stored_with_what_is_certain_of_it(api):
    place = (await a_registered_place(api))["/facilities"]
    given = {
        "chloroform": ">0.06",
        "dibromochloromethane": "0.05",
        "bromodichloromethane": "0",
        "bromoform": "0",
    }
    results = [{"parameter": key, "raw": raw} for key, raw in given.items()]
    sample = await added(api.crew, "/samples", {"facility_id": place, **SAMPLE, "results": results})
    (total,) = (one for one in sample["results"] if one["parameter"] == "thm_sum")
    assert (total["raw"], total["value"], total["censored"], total["verdict"]) == (
        ">1.5000",
        "1.5000",
        ">",
        "fail",
    )
