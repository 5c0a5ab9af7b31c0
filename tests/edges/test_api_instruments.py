"""Instruments and their readings over the API."""

from hashlib import sha256

import pytest

from tests.edges.test_api_register import FACILITY, added
from tests.instruments import MINUTE, NOW

INSTRUMENT = {
    "code": "ZX-1",
    "parameter": "turbidity",
    "point": "outlet",
    "interval_seconds": 60,
    "installed_on": "2026-01-01",
}
CALIBRATION = {
    "calibrated_on": "2026-06-01",
    "valid_to": "2027-05-31",
    "certificate_number": "JD-1",
}


@pytest.fixture
async def meter(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    place = {"facility_id": facility["id"]}
    made = await added(api.manager, "/instruments", INSTRUMENT | place)
    await added(api.manager, f"/instruments/{made['id']}/calibrations", CALIBRATION)
    return made


def readings(meter, values, begin=NOW - 30 * MINUTE):
    return {
        "readings": [
            {
                "instrument": meter["id"],
                "taken_at": (begin + n * MINUTE).isoformat(),
                "raw": value,
                "unit": "NTU",
            }
            for n, value in enumerate(values)
        ]
    }


async def test_an_instrument_is_entered_calibrated_read_and_listed(api, meter):
    answer = await api.crew.post("/readings", json=readings(meter, ["0.30", "0.31", "-1"]))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["accepted"], told["duplicate"], told["rejected"]) == (2, 0, 1)
    (row,) = told["rows"]
    assert (row["index"], row["column"], row["reason"]) == (2, "raw", "impossible")
    assert "-1" in row["detail"]
    (listed,) = (await api.health.get("/instruments")).json()["items"]
    assert listed == (await api.crew.get(f"/instruments/{meter['id']}")).json()
    assert (listed["unit"], listed["calibrated_to"], listed["flags"]) == ("NTU", "2027-05-31", [])
    page = await api.water.get(
        f"/instruments/{meter['id']}/readings",
        params={"from": (NOW - 29 * MINUTE).isoformat(), "to": NOW.isoformat()},
    )
    assert [one["raw"] for one in page.json()["items"]] == ["0.31"]


async def test_readings_are_paged_in_their_order(api, meter):
    await api.crew.post("/readings", json=readings(meter, ["0.1", "0.2", "0.3"]))
    path, found, cursor = f"/instruments/{meter['id']}/readings", [], {}
    while cursor is not None:
        page = (await api.crew.get(path, params={"limit": 2} | cursor)).json()
        found += [one["value"] for one in page["items"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert found == ["0.1", "0.2", "0.3"]


async def test_a_sustained_excursion_answers_with_its_anomaly(api, meter):
    told = (await api.crew.post("/readings", json=readings(meter, ["1.7"] * 16))).json()
    (opened,) = told["anomalies"]
    assert opened["instrument_id"] == meter["id"]
    query = {"anomaly_id": opened["id"]}
    (excursion,) = (await api.health.get("/excursions", params=query)).json()["items"]
    assert (excursion["id"], excursion["peak"]) == (opened["excursion_id"], "1.7")
    assert (excursion["limit"], excursion["ended_at"]) == ("≤ 1", None)


async def test_anybody_who_reads_can_check_a_batch_against_the_ledger(api, meter):
    told = (await api.crew.post("/readings", json=readings(meter, ["0.3"]))).json()
    batch = (await api.health.get(f"/reading-batches/{told['batch_ids'][0]}")).json()
    assert sha256(batch["body"].encode()).hexdigest() == batch["body_sha256"]
    assert meter["id"] in batch["body"]
    ledgers = (await api.health.get("/ledgers")).json()["items"]
    entries = [
        entry
        for ledger in ledgers
        for entry in (await api.health.get(f"/ledgers/{ledger['id']}/entries")).json()["items"]
    ]
    assert any(batch["body_sha256"] in str(entry) for entry in entries)


async def test_a_repeated_request_gets_the_first_answer_and_a_repeated_body_only_duplicates(
    api, meter
):
    body = readings(meter, ["0.3", "0.4"])
    key = {"Idempotency-Key": "minute-1"}
    first = (await api.crew.post("/readings", json=body, headers=key)).json()
    assert (await api.crew.post("/readings", json=body, headers=key)).json() == first
    again = (await api.crew.post("/readings", json=body)).json()
    assert (again["accepted"], again["duplicate"]) == (0, 2)


async def test_who_may_do_what_with_instruments(api, meter):
    path = f"/instruments/{meter['id']}"
    for part in ("administrator", "crew", "health", "water"):
        client = getattr(api, part)
        assert (await client.post("/instruments", json=INSTRUMENT)).status_code in (403, 422)
        calibrated = CALIBRATION | {"certificate_number": part}
        posted = await client.post(f"{path}/calibrations", json=calibrated)
        assert posted.status_code == 403
    for part in ("administrator", "health", "water"):
        answer = await getattr(api, part).post("/readings", json=readings(meter, ["0.3"]))
        assert answer.status_code == 403
    assert (await api.anybody.post("/readings", json=readings(meter, ["0.3"]))).status_code == 401
    told = (await api.outsider.post("/readings", json=readings(meter, ["0.3"]))).json()
    assert [row["reason"] for row in told["rows"]] == ["unknown_instrument"]
    for end in ("", "/readings", "/calibrations", "/signs"):
        assert (await api.outsider.get(path + end)).status_code == 404
    assert (await api.outsider.get("/instruments")).json()["items"] == []


async def test_an_edit_needs_its_version_and_a_removal_ends_an_instrument(api, meter):
    path = f"/instruments/{meter['id']}"
    edit = {"interval_seconds": 300}
    assert (await api.manager.patch(path, json=edit)).status_code == 428
    done = await api.manager.patch(path, json=edit, headers={"If-Match": '"1"'})
    assert (done.status_code, done.json()["interval_seconds"]) == (200, 300)
    stale = await api.manager.patch(path, json=edit, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    removed = await api.manager.post(f"{path}/remove", json={"on": "2026-11-20"})
    assert removed.json()["removed_on"] == "2026-11-20"
    listed = (await api.manager.get("/instruments", params={"removed": "false"})).json()
    assert listed["items"] == []
    assert (await api.manager.get(f"{path}/signs")).json()["items"] == []


async def test_a_request_of_no_readings_or_too_many_is_refused(api, meter):
    row = readings(meter, ["0.3"])["readings"][0]
    for given in ({"readings": []}, {"readings": [row] * 5001}, {"readings": row}, {}):
        assert (await api.crew.post("/readings", json=given)).status_code == 422


async def test_supply_does_not_resume_while_the_instrument_reads_bad_and_the_words_name_it(
    api, meter
):
    told = (await api.crew.post("/readings", json=readings(meter, ["1.2"] * 20))).json()
    (opened,) = told["anomalies"]
    for point in ("outlet", "terminal"):
        sample = {
            "facility_id": meter["facility_id"],
            "point": point,
            "purpose": "retest",
            "sampled_at": (NOW - 5 * MINUTE).isoformat(),
            "results": [{"parameter": "turbidity", "raw": "0.3"}],
        }
        await added(api.crew, "/samples", sample)
    resume = f"/anomalies/{opened['id']}/resume"
    answer = await api.manager.post(resume)
    refused = answer.json()
    assert (answer.status_code, refused["reason"]) == (409, "excursion_lasting")
    assert refused["article"] == "18.2"
    assert refused["facts"]["instruments"] == ["ZX-1"]
    assert "在线仪表 ZX-1 的读数" in refused["detail"]
    await api.crew.post("/readings", json=readings(meter, ["0.3"], NOW - 9 * MINUTE))
    assert (await api.manager.post(resume)).json()["state"] == "resumed"
