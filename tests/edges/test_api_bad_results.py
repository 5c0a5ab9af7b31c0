"""Bad results over HTTP: each refused or flagged, with the row that caused it."""

import pytest

from tests.edges.laboratory import a_report, a_sample, fields, registered
from tests.edges.test_api_register import TANK, a_registered_place, added


@pytest.fixture
async def place(api):
    return await a_registered_place(api)


def item(parameter, raw, **more):
    return {"parameter": parameter, "raw": raw} | more


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        pytest.param(item("iron", "-0.1"), "raw", "impossible", id="a negative concentration"),
        pytest.param(item("ph", "71"), "raw", "impossible", id="pH 71"),
        pytest.param(item("ph", "-0.1"), "raw", "impossible", id="pH below 0"),
        pytest.param(item("iron", "O.3O"), "raw", "unreadable", id="letters for digits"),
        pytest.param(item("radon", "1"), "parameter", "unknown_parameter", id="unknown parameter"),
        pytest.param(
            item("turbidity", "0.5", unit="mg/L"), "unit", "wrong_unit", id="mg/L against NTU"
        ),
        pytest.param(item("turbidity", "0.5mg/L"), "raw", "wrong_unit", id="unit in the value"),
        pytest.param(
            item("lead", "5", unit="µg/L"), "unit", "wrong_unit", id="µg is not converted"
        ),
        pytest.param(item("lead", "5µg/L"), "raw", "wrong_unit", id="nor in the value"),
        pytest.param(
            item("ammonia_n_increment", "0.1"), "parameter", "computed_item", id="computed"
        ),
        pytest.param(
            item("iron", "未检出", detection_limit="low"),
            "detection_limit",
            "string_pattern_mismatch",
            id="a detection limit in words",
        ),
    ],
)
async def test_a_bad_result_is_refused_and_its_row_named(api, place, given, field, code):
    good = {"parameter": "colour", "raw": "<5"}
    refused = await api.crew.post("/samples", json=a_sample(place, results=[good, given]))
    assert fields(refused) == {f"results.1.{field}": code}
    report = a_report(place, a_sample(place), a_sample(place, results=[good, given]))
    refused = await api.manager.post("/lab-reports", json=report)
    assert fields(refused) == {f"samples.1.results.1.{field}": code}
    (error,) = refused.json()["errors"]
    assert error["detail"]
    assert (await api.manager.get("/samples")).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        pytest.param(
            {"sampled_at": "2026-11-23T09:01:00+08:00"}, "sampled_at", "in_future", id="future"
        ),
        pytest.param(
            {"sampled_at": "2023-11-17T08:00:00+08:00"},
            "sampled_at",
            "tank_not_in_use_yet",
            id="before the tank existed",
        ),
    ],
)
async def test_a_sample_that_cannot_have_been_taken_is_refused(api, place, changes, field, code):
    inside = f"/facilities/{place['/facilities']}/tanks"
    tank = await added(api.manager, inside, TANK | {"code": "9#", "in_use_on": "2023-11-18"})
    sample = a_sample(place, tank_id=tank["id"], **changes)
    assert fields(await api.crew.post("/samples", json=sample)) == {field: code}
    report = a_report(place, sample)
    refused = await api.manager.post("/lab-reports", json=report)
    assert fields(refused) == {f"samples.0.{field}": code}


@pytest.mark.parametrize("field", ["received_on", "tested_on", "issued_on"])
async def test_a_day_of_a_report_that_lies_ahead_is_refused(api, place, field):
    report = a_report(place, **{field: "2026-11-24"})
    assert fields(await api.manager.post("/lab-reports", json=report)) == {field: "in_future"}


async def test_a_report_issued_before_the_sample_was_taken_is_flagged(api, place):
    told = await added(api.manager, "/lab-reports", a_report(place, issued_on="2026-11-22"))
    assert "dates_out_of_order" in told["flags"]
    assert "dates_out_of_order" in told["samples"][0]["flags"]


async def test_a_laboratory_without_accreditation_that_day_is_stored_flagged_and_credits_nothing(
    api, place
):
    await registered(api, valid_to="2026-11-22")
    told = await added(api.manager, "/lab-reports", a_report(place, accreditation_number=None))
    (sample,) = told["samples"]
    assert (sample["counts"], sample["verdict"]) == (False, "pass")
    assert "accreditation_expired" in sample["flags"]


async def test_an_unknown_item_of_an_accreditation_is_refused(api):
    laboratory = await added(api.manager, "/laboratories", {"name": "x"})
    inside = f"/laboratories/{laboratory['id']}/accreditations"
    body = {"number": "1", "valid_from": "2025-01-01", "items": ["ph", "radon"]}
    refused = await api.manager.post(inside, json=body)
    assert fields(refused) == {"items.1": "unknown_parameter"}
    body = {"number": "1", "valid_from": "2025-01-01", "valid_to": "2024-01-01"}
    assert fields(await api.manager.post(inside, json=body)) == {"valid_to": "before_start"}


async def test_a_scan_that_is_none_is_refused(api, place):
    for scan in ("bm8gcGFwZXI=", "?"):
        refused = await api.manager.post("/lab-reports", json=a_report(place, scan=scan))
        assert list(fields(refused)) == ["scan"]
