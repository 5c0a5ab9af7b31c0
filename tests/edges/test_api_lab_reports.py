"""Laboratory reports over HTTP: entered, replaced by versions, never edited."""

import base64
import json

import pytest

from tests.edges.laboratory import (
    NAME,
    a_laboratory,
    a_report,
    a_sample,
    by_parameter,
    fields,
    registered,
    results,
)
from tests.edges.test_api_register import a_registered_place, added


@pytest.fixture
async def place(api):
    return await a_registered_place(api)


@pytest.fixture
async def lab(api, app):
    async with a_laboratory(api, app) as (client, _):
        yield client


async def entries(api, ledger_id):
    told = (await api.health.get(f"/ledgers/{ledger_id}/entries", params={"limit": 500})).json()
    return told["items"]


def utility_ledger(api):
    return api.installation.utility.ledger_id


async def test_a_laboratory_enters_its_own_report_and_sees_it_judged(api, lab, place):
    paper = base64.b64encode(b"%PDF-1.7 a report").decode()
    given = a_report(place, client="瓯城供水", tester="甲", reviewer="乙", issuer="丙", scan=paper)
    del given["laboratory"]
    told = await added(lab, "/lab-reports", given)
    assert (told["laboratory"], told["version"], told["tester"]) == (NAME, 1, "甲")
    (sample,) = told["samples"]
    assert (sample["verdict"], sample["counts"], sample["laboratory"]) == ("pass", True, NAME)
    assert sample["lab_report_id"] == told["id"]
    (listed,) = (await lab.get("/lab-reports")).json()["items"]
    assert listed["id"] == told["id"]
    scan = await lab.get(f"/lab-reports/{told['id']}/scan")
    assert (scan.headers["content-type"], scan.content) == ("application/pdf", b"%PDF-1.7 a report")
    for reader in (api.manager, api.health):
        assert (await reader.get(f"/lab-reports/{told['id']}")).json() == told
        assert (await reader.get(f"/lab-reports/{told['id']}/scan")).content == scan.content


async def test_people_of_a_report_are_not_in_the_ledger_and_its_scan_is_by_its_hash(
    api, lab, place
):
    paper = base64.b64encode(b"%PDF-1.7 another").decode()
    given = a_report(place, client="客户名", tester="张三丰", issuer="李四光", scan=paper)
    told = await added(lab, "/lab-reports", given)
    ledger = utility_ledger(api)
    text = json.dumps(await entries(api, ledger), ensure_ascii=False)
    assert "lab_report.submitted" in text
    assert told["scan_sha256"] in text
    assert not any(name in text for name in ("张三丰", "李四光", "客户名"))


async def test_the_same_report_sent_again_is_the_one_on_record(lab, place):
    first = await added(lab, "/lab-reports", a_report(place))
    assert await added(lab, "/lab-reports", a_report(place)) == first


async def test_another_report_under_its_number_is_refused_with_what_is_on_record(lab, place):
    first = await added(lab, "/lab-reports", a_report(place))
    other = a_report(place, a_sample(place, results=results(turbidity="0.31")))
    refused = await lab.post("/lab-reports", json=other)
    problem = refused.json()
    assert (refused.status_code, problem["reason"]) == (409, "lab_report_on_record")
    assert problem["facts"] == {"id": first["id"], "number": "LX202611001", "version": 1}


async def test_a_new_version_replaces_with_its_reason_and_the_old_one_stays_readable(
    api, lab, place
):
    first = await added(lab, "/lab-reports", a_report(place))
    worse = a_sample(place, results=results(turbidity="3.5"))
    inside = f"/lab-reports/{first['id']}/versions"
    assert fields(await lab.post(inside, json=a_report(place, worse))) == {"reason": "missing"}
    second = await added(lab, inside, a_report(place, worse) | {"reason": "浑浊度抄录错误"})
    assert (second["version"], second["replaces_id"]) == (2, first["id"])
    (sample,) = second["samples"]
    assert sample["id"] == first["samples"][0]["id"]
    assert (sample["verdict"], by_parameter(sample)["turbidity"]["raw"]) == ("fail", "3.5")
    old = (await lab.get(f"/lab-reports/{first['id']}")).json()
    assert old["samples"] == []
    (told,) = old["told"]
    assert (told["verdict"], by_parameter(told)["turbidity"]["raw"]) == ("pass", "0.30")
    assert [(one["version"], one["reason"]) for one in old["versions"]] == [
        (1, None),
        (2, "浑浊度抄录错误"),
    ]
    (listed,) = (await api.health.get("/lab-reports")).json()["items"]
    assert listed["id"] == second["id"]
    of_facility = json.dumps(await entries(api, place["/ledgers"]), ensure_ascii=False)
    assert "sample.results_replaced" in of_facility
    assert '"raw": "0.30"' in of_facility
    assert '"raw": "3.5"' in of_facility
    assert "浑浊度抄录错误" in json.dumps(
        await entries(api, utility_ledger(api)), ensure_ascii=False
    )


async def test_a_replaced_version_is_not_replaced_again(lab, place):
    first = await added(lab, "/lab-reports", a_report(place))
    inside = f"/lab-reports/{first['id']}/versions"
    for turbidity, status in (("0.4", 201), ("0.5", 409)):
        sample = a_sample(place, results=results(turbidity=turbidity))
        body = a_report(place, sample) | {"reason": "更正"}
        answer = await lab.post(inside, json=body)
        assert answer.status_code == status, answer.text
    assert answer.json()["reason"] == "lab_report_replaced"


async def test_a_version_of_another_number_or_without_a_change_is_refused(lab, place):
    first = await added(lab, "/lab-reports", a_report(place))
    inside = f"/lab-reports/{first['id']}/versions"
    other = a_report(place, number="LX2") | {"reason": "x"}
    assert fields(await lab.post(inside, json=other)) == {"number": "another_report"}
    same = a_report(place) | {"reason": "x"}
    assert fields(await lab.post(inside, json=same)) == {"samples": "nothing_changes"}


async def test_what_a_version_no_longer_tells_of_is_withdrawn(api, lab, place):
    both = [a_sample(place), a_sample(place, point="terminal", tank_id=None)]
    first = await added(lab, "/lab-reports", a_report(place, *both))
    inside = f"/lab-reports/{first['id']}/versions"
    second = await added(lab, inside, a_report(place, both[1]) | {"reason": "样品混淆"})
    assert [sample["point"] for sample in second["samples"]] == ["terminal"]
    outlet = next(one for one in first["samples"] if one["point"] == "outlet")
    shown = (await api.manager.get(f"/samples/{outlet['id']}")).json()
    assert (shown["verdict"], shown["results"], shown["report_number"]) == ("pending", [], None)


async def test_what_the_crew_measured_on_the_spot_stays_through_versions(api, lab, place):
    on_the_spot = {"free_chlorine": "0.30"}
    taken = a_sample(place, results=[{"parameter": k, "raw": v} for k, v in on_the_spot.items()])
    sample = await added(api.crew, "/samples", taken)
    given = [one for one in results() if one["parameter"] != "free_chlorine"]
    body = a_report(place, {"sample_id": sample["id"], "results": given})
    first = await added(lab, "/lab-reports", body)
    assert first["samples"][0]["verdict"] == "pass"
    given[0] = {"parameter": "colour", "raw": "<10"}
    body = a_report(place, {"sample_id": sample["id"], "results": given}) | {"reason": "更正"}
    second = await added(lab, f"/lab-reports/{first['id']}/versions", body)
    items = by_parameter(second["samples"][0])
    assert (items["free_chlorine"]["raw"], items["colour"]["raw"]) == ("0.30", "<10")


async def test_only_the_laboratory_gives_a_new_version_of_its_own_report(api, lab, place):
    own = await added(lab, "/lab-reports", a_report(place))
    worse = a_report(place, a_sample(place, results=results(turbidity="0.4"))) | {"reason": "x"}
    inside = f"/lab-reports/{own['id']}/versions"
    refused = await api.manager.post(inside, json=worse)
    assert refused.json()["reason"] == "lab_report_of_laboratory"
    item = {"parameter": "turbidity", "raw": "0.1", "reason": "更好看"}
    corrected = await api.manager.post(f"/samples/{own['samples'][0]['id']}/corrections", json=item)
    assert corrected.json()["reason"] == "lab_report_of_laboratory"


async def test_a_report_the_utility_entered_is_its_managers_to_replace(api, place):
    first = await added(api.crew, "/lab-reports", a_report(place))
    body = a_report(place, a_sample(place, results=results(turbidity="0.4"))) | {"reason": "x"}
    inside = f"/lab-reports/{first['id']}/versions"
    assert (await api.crew.post(inside, json=body)).status_code == 403
    assert (await added(api.manager, inside, body))["version"] == 2


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        pytest.param({}, ["plate_count_too_early"], id="in order"),
        pytest.param(
            {"received_on": "2026-11-22"},
            ["dates_out_of_order", "plate_count_too_early"],
            id="received before sampled",
        ),
        pytest.param({"conclusion": "fail"}, ["conclusion_disagrees"], id="says otherwise"),
        pytest.param({"conclusion": "pass"}, [], id="says the same"),
    ],
)
async def test_a_report_is_flagged_for_what_is_odd(lab, place, changes, flags):
    told = await added(lab, "/lab-reports", a_report(place, **changes))
    assert set(flags) <= set(told["flags"])
    assert "conclusion_disagrees" not in set(told["flags"]) - set(flags)


async def test_a_number_used_for_another_visit_is_flagged(api, lab, place):
    await added(lab, "/lab-reports", a_report(place))
    reused = a_sample(place, sampled_at="2026-11-20T08:30:00+08:00", report_number="LX202611001")
    sample = await added(api.crew, "/samples", reused)
    assert "report_number_reused" in sample["flags"]
    same_visit = a_sample(place, point="terminal", tank_id=None, report_number="LX9")
    assert "report_number_reused" not in (await added(api.crew, "/samples", same_visit))["flags"]


async def test_an_item_outside_the_accreditation_is_flagged_and_does_not_help_to_credit(api, place):
    items = [one["parameter"] for one in results() if one["parameter"] != "plate_count"]
    await registered(api, items)
    told = await added(api.manager, "/lab-reports", a_report(place, accreditation_number="2300"))
    (sample,) = told["samples"]
    assert (sample["verdict"], sample["counts"]) == ("pass", True)
    assert "item_not_accredited" in sample["flags"]
    items = by_parameter(sample).items()
    flagged = {key for key, one in items if "item_not_accredited" in one["flags"]}
    assert flagged == {"plate_count"}


@pytest.mark.parametrize(
    ("accreditation", "report", "flag"),
    [
        ({}, {"accreditation_number": "2300"}, None),
        ({}, {"accreditation_number": None, "accreditation_valid_to": None}, None),
        ({"valid_to": "2026-11-23"}, {"accreditation_number": "2300"}, None),
        ({"valid_to": "2026-11-22"}, {"accreditation_number": "2300"}, "accreditation_expired"),
        ({"valid_from": "2026-11-24"}, {"accreditation_number": None}, "accreditation_lacking"),
        ({}, {"accreditation_number": "9999"}, "accreditation_lacking"),
    ],
)
async def test_the_register_says_whether_a_laboratory_was_accredited_that_day(
    api, place, accreditation, report, flag
):
    await registered(api, **accreditation)
    told = await added(api.manager, "/lab-reports", a_report(place, **report))
    (sample,) = told["samples"]
    assert sample["verdict"] == "pass"
    assert sample["counts"] is (flag is None)

    of_accreditation = {one for one in sample["flags"] if one.startswith("accred")}
    assert of_accreditation == ({flag} if flag else set())


async def test_a_laboratory_that_names_no_accreditation_is_flagged_until_it_is_on_register(
    api, place
):
    bare = a_report(place, accreditation_number=None, accreditation_valid_to=None)
    (sample,) = (await added(api.manager, "/lab-reports", bare))["samples"]
    assert (sample["counts"], "accreditation_lacking" in sample["flags"]) == (False, True)
    await registered(api)
    sample = (await api.manager.get(f"/samples/{sample['id']}")).json()
    assert (sample["counts"], "accreditation_lacking" in sample["flags"]) == (True, False)
    assert "sample.judged_anew" in json.dumps(await entries(api, place["/ledgers"]))


async def test_what_a_report_says_of_an_item_is_kept_beside_its_value(lab, place):
    given = results(
        ammonia_n={
            "raw": "<0.02",
            "unit": "㎎/L",
            "method": "GB/T 5750.5-2023 11.1",
            "printed_limit": "≤0.6",
        },
        turbidity={"raw": "0.30", "unit": "NTU", "printed_limit": "≤3"},
        total_coliform={"raw": "未检出", "unit": "MPN/100mL", "detection_limit": "2"},
    )
    told = await added(lab, "/lab-reports", a_report(place, a_sample(place, results=given)))
    items = by_parameter(told["samples"][0])
    ammonia, turbidity = items["ammonia_n"], items["turbidity"]
    assert (ammonia["detection_limit"], ammonia["method"]) == ("0.02", "GB/T 5750.5-2023 11.1")
    assert (ammonia["limit"], ammonia["printed_limit"]) == ("≤ 0.5", "≤0.6")
    assert ammonia["flags"] == ["limit_plus_increment"]
    assert turbidity["flags"] == ["printed_limit_differs"]
    assert items["total_coliform"]["detection_limit"] == "2"
    assert {"limit_plus_increment", "printed_limit_differs"} <= set(told["flags"])


def of_point(place, point, **raw):
    given = [{"parameter": key, "raw": value} for key, value in raw.items()]
    tank = place["/tanks"] if point == "outlet" else None
    return a_sample(place, point=point, tank_id=tank, results=given)


@pytest.mark.parametrize("order", [("inlet", "outlet"), ("outlet", "inlet")])
@pytest.mark.parametrize(("outlet", "verdict"), [("0.20", "pass"), ("0.21", "fail")])
async def test_the_increment_fails_the_outlet_in_whichever_order_the_two_arrive(
    api, place, order, outlet, verdict
):
    raw = {"inlet": "0.10", "outlet": outlet}
    ids = {}
    for point in order:
        sample = await added(api.crew, "/samples", of_point(place, point, ammonia_n=raw[point]))
        ids[point] = sample["id"]
    shown = (await api.manager.get(f"/samples/{ids['outlet']}")).json()
    increment = by_parameter(shown)["ammonia_n_increment"]
    assert (shown["verdict"], increment["verdict"]) == (verdict, verdict)
    assert (increment["limit"], increment["unit"]) == ("≤ 0.1", "mg/L")
    inlet = (await api.manager.get(f"/samples/{ids['inlet']}")).json()
    assert (inlet["verdict"], set(by_parameter(inlet))) == ("pass", {"ammonia_n"})


async def test_a_corrected_inlet_judges_its_outlet_anew(api, place):
    inlet = await added(api.crew, "/samples", of_point(place, "inlet", codmn="1.0"))
    outlet = await added(api.crew, "/samples", of_point(place, "outlet", codmn="2.5"))
    assert outlet["verdict"] == "fail"
    item = {"parameter": "codmn", "raw": "1.6", "reason": "抄错"}
    corrected = await api.manager.post(f"/samples/{inlet['id']}/corrections", json=item)
    assert corrected.status_code == 200, corrected.text
    shown = (await api.manager.get(f"/samples/{outlet['id']}")).json()
    assert (shown["verdict"], by_parameter(shown)["codmn_increment"]["raw"]) == ("pass", "0.9")


async def test_a_large_scan_is_handed_in_as_a_file_once(api, lab, place):
    report = await added(lab, "/lab-reports", a_report(place))
    inside = f"/lab-reports/{report['id']}/scan"

    async def handed_in(client, content):
        return await client.post(inside, files={"file": ("r.pdf", content, "application/pdf")})

    large = b"%PDF-1.7" + bytes(2 << 20)
    kept = await handed_in(lab, large)
    assert kept.status_code == 201, kept.text
    assert kept.json()["scan_sha256"] in json.dumps(await entries(api, utility_ledger(api)))
    assert (await api.health.get(inside)).content == large
    assert (await handed_in(lab, large)).status_code == 201
    assert (await handed_in(lab, b"%PDF-1.7 x")).json()["reason"] == "scan_on_record"
    assert (await handed_in(api.manager, large)).json()["reason"] == "lab_report_of_laboratory"
    assert (await handed_in(api.health, large)).status_code == 403
    assert fields(await handed_in(lab, b"none")) == {"scan": "paper_unreadable"}
    twice = [("file", ("a.pdf", large)), ("file", ("b.pdf", large))]
    assert fields(await lab.post(inside, files=twice)) == {"file": "repeated"}
