"""A laboratory's word over HTTP: what is not its word says so, and nobody adds to what is."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.edges.laboratory import (
    NAME,
    a_laboratory,
    a_report,
    a_sample,
    by_parameter,
    fields,
    registered,
)
from tests.edges.test_api_register import a_registered_place, added

EARLY = {"plate_count_too_early", "coliform_too_early"}
BACTERIA = [
    {"parameter": "plate_count", "raw": "3"},
    {"parameter": "total_coliform", "raw": "未检出"},
    {"parameter": "e_coli", "raw": "未检出"},
]
ON_THE_SPOT = [{"parameter": "ph", "raw": "7.2"}]


@pytest.fixture
async def place(api):
    return await a_registered_place(api)


@pytest.fixture
async def lab(api, app):
    async with a_laboratory(api, app) as (client, _):
        yield client


def hours_ago(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


def sampled(place, hours: float, results=BACTERIA, **changes):
    """A sample so many hours before now."""
    late = "纸质记录" if hours > 24 else None
    told = {"sampled_at": hours_ago(hours), "results": results, "late_reason": late}
    return a_sample(place, **(told | changes))


async def shown(api, sample):
    return (await api.manager.get(f"/samples/{sample['id']}")).json()


async def test_the_crew_adds_nothing_to_a_report_a_laboratory_entered_itself(api, lab, place):
    report = await added(lab, "/lab-reports", a_report(place))
    (sample,) = report["samples"]
    ledger = f"/ledgers/{place['/ledgers']}/entries"
    before = (await api.health.get(ledger)).json()
    given = {"results": [{"parameter": "ammonia_n", "raw": "0.02"}], "report_number": "ELSE"}
    for client in (api.crew, api.manager):
        refused = await client.post(f"/samples/{sample['id']}/results", json=given)
        assert (refused.status_code, refused.json()["reason"]) == (409, "lab_report_of_laboratory")
    assert await shown(api, sample) == sample
    assert (await api.health.get(ledger)).json() == before


async def test_the_crew_adds_to_a_report_the_utility_entered(api, place):
    (sample,) = (await added(api.crew, "/lab-reports", a_report(place)))["samples"]
    given = {"results": [{"parameter": "ammonia_n", "raw": "0.02"}]}
    answer = await api.crew.post(f"/samples/{sample['id']}/results", json=given)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    ("hours", "flags"),
    [
        pytest.param(0, EARLY, id="at once"),
        pytest.param(23.9, EARLY, id="short of 24 hours"),
        pytest.param(24, {"plate_count_too_early"}, id="24 hours"),
        pytest.param(47.9, {"plate_count_too_early"}, id="short of 48 hours"),
        pytest.param(48, set(), id="48 hours"),
    ],
)
async def test_bacteria_entered_before_they_can_have_grown_are_flagged(api, place, hours, flags):
    sample = await added(api.crew, "/samples", sampled(place, hours))
    assert {*sample["flags"]} & EARLY == flags
    assert sample["verdict"] == "pass"
    items = by_parameter(sample)
    assert ("plate_count_too_early" in items["plate_count"]["flags"]) is (hours < 48)
    assert ("coliform_too_early" in items["e_coli"]["flags"]) is (hours < 24)


async def test_a_report_is_flagged_by_when_it_was_entered_too(lab, place):
    bare = a_report(place, sampled(place, 20), issued_on=None)
    bare["late_reason"] = bare["samples"][0].pop("late_reason")
    told = await added(lab, "/lab-reports", bare)
    assert {*told["flags"]} >= EARLY
    assert {*told["samples"][0]["flags"]} >= EARLY


async def test_what_was_entered_too_early_stays_so_and_what_is_entered_later_is_not(
    api, place, clock
):
    early = await added(api.crew, "/samples", sampled(place, 0, BACTERIA[:1]))
    later = await added(api.crew, "/samples", sampled(place, 0, ON_THE_SPOT))
    assert not {*later["flags"]} & EARLY
    clock.set(NOW + timedelta(hours=50))
    for sample, given in ((early, ON_THE_SPOT), (later, BACTERIA)):
        added_to = await api.crew.post(f"/samples/{sample['id']}/results", json={"results": given})
        assert added_to.status_code in (200, 201), added_to.text
    assert {*(await shown(api, early))["flags"]} & EARLY == {"plate_count_too_early"}
    assert not {*(await shown(api, later))["flags"]} & EARLY


async def test_a_sample_under_the_name_of_a_laboratory_that_signs_in_is_not_its_word(
    api, lab, place
):
    typed = await added(api.crew, "/samples", a_sample(place, laboratory=NAME))
    assert "laboratory_not_heard" in typed["flags"]
    report = await added(api.manager, "/lab-reports", a_report(place, number="TYPED"))
    assert "laboratory_not_heard" in report["flags"]
    assert "laboratory_not_heard" in report["samples"][0]["flags"]
    own = await added(lab, "/lab-reports", a_report(place))
    assert "laboratory_not_heard" not in own["flags"] + own["samples"][0]["flags"]


async def test_a_laboratory_under_the_name_on_register_is_known_too(api, app, place):
    async with a_laboratory(api, app) as (_, organisation):
        named = {"name": "濯溪检测", "organisation_id": organisation}
        await added(api.manager, "/laboratories", named)
        typed = await added(api.crew, "/samples", a_sample(place, laboratory="濯溪检测"))
        assert "laboratory_not_heard" in typed["flags"]


async def test_a_laboratory_without_an_account_cannot_be_heard(api, place):
    await registered(api)
    for name in (NAME, "别家检测", None):
        typed = await added(api.crew, "/samples", a_sample(place, laboratory=name))
        assert "laboratory_not_heard" not in typed["flags"]


async def test_a_laboratory_is_heard_once_it_reports_on_the_sample_itself(api, lab, place):
    taken = a_sample(place, laboratory=NAME, results=ON_THE_SPOT)
    sample = await added(api.crew, "/samples", taken)
    assert "laboratory_not_heard" in sample["flags"]
    body = a_report(place, {"sample_id": sample["id"], "results": BACTERIA})
    (sample,) = (await added(lab, "/lab-reports", body))["samples"]
    assert "laboratory_not_heard" not in sample["flags"]


@pytest.mark.parametrize(
    ("sampled_by", "flagged"), [("LS001", False), ("LS999", True), (None, False)]
)
async def test_a_sampler_nobody_knows_is_flagged_by_hand(api, lab, place, sampled_by, flagged):
    sample = await added(api.crew, "/samples", a_sample(place, sampled_by=sampled_by))
    assert ("unknown_person" in sample["flags"]) is flagged
    report = a_report(place, a_sample(place, sampled_by=sampled_by))
    (reported,) = (await added(lab, "/lab-reports", report))["samples"]
    assert "unknown_person" not in reported["flags"]  # the laboratory's own people


async def test_a_report_handed_in_again_under_another_name_is_the_one_on_record(api, app, place):
    async with a_laboratory(api, app) as (lab, organisation):
        given = a_report(place)
        del given["laboratory"]
        first = await added(lab, "/lab-reports", given)
        named = {"name": "濯溪检测", "organisation_id": organisation}
        await added(api.manager, "/laboratories", named)
        again = await added(lab, "/lab-reports", given)
        assert (again["id"], again["version"]) == (first["id"], 1)
        assert len((await api.manager.get("/samples")).json()["items"]) == 1
        other = given | {"conclusion": "pass"}
        refused = await lab.post("/lab-reports", json=other)
        assert (refused.status_code, refused.json()["reason"]) == (409, "lab_report_on_record")
        inside = f"/lab-reports/{first['id']}/versions"
        same = await lab.post(inside, json=given | {"reason": "x"})
        assert fields(same) == {"samples": "nothing_changes"}
        second = await added(lab, inside, other | {"reason": "漏写结论"})
        assert (second["version"], second["laboratory"]) == (2, "濯溪检测")
        assert [one["version"] for one in second["versions"]] == [1, 2]
        assert [one["id"] for one in second["samples"]] == [first["samples"][0]["id"]]


async def test_the_same_number_of_two_laboratories_is_two_reports(api, lab, app, place):
    async with a_laboratory(api, app, name="别家检测", username="lab2") as (other, _):
        given = a_report(place)
        del given["laboratory"]
        first = await added(lab, "/lab-reports", given)
        second = await added(other, "/lab-reports", given)
        assert (first["version"], second["version"]) == (1, 1)
        assert first["id"] != second["id"]
        hand = await added(api.crew, "/lab-reports", a_report(place, laboratory="第三家"))
        assert hand["id"] not in (first["id"], second["id"])
