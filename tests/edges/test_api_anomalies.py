"""Anomalies and their reports over HTTP, as a crew, a manager and two inspectors live them."""

import json
from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.edges.test_api_register import added
from tests.estate import an_estate
from tests.ledgers import entries_of
from water2.services.watch import keep_watch


@pytest.fixture
async def estate(api):
    return await an_estate(api.installation)


def a_sample(estate, at=NOW, purpose="routine", point="outlet", **results):
    tank = {"tank_id": estate.tank.id} if point == "outlet" else {}
    return {
        "facility_id": estate.facility.id,
        "point": point,
        "purpose": purpose,
        "sampled_at": at.isoformat(),
        "results": [{"parameter": key, "raw": raw} for key, raw in results.items()],
        **tank,
    }


async def failed(api, estate, **results):
    sample = await added(api.crew, "/samples", a_sample(estate, **results or {"e_coli": "检出"}))
    return (await api.manager.get(f"/anomalies/{sample['anomaly_id']}")).json()


async def acted(client, anomaly, act, body=None, status=200):
    answer = await client.post(f"/anomalies/{anomaly['id']}/{act}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def reported(client, report, act, body=None, status=200):
    answer = await client.post(f"/regulator-reports/{report['id']}/{act}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def retested(api, estate, at, **results):
    for point in ("outlet", "terminal"):
        await added(api.crew, "/samples", a_sample(estate, at, "retest", point, **results))


async def reports_of(client, anomaly, **query):
    params = {"anomaly_id": anomaly["id"], **query}
    return (await client.get("/regulator-reports", params=params)).json()["items"]


async def test_a_bad_result_stops_the_water_and_lets_go_after_a_passing_retest(api, estate, clock):
    anomaly = await failed(api, estate)
    assert (anomaly["state"], anomaly["source"], anomaly["flags"]) == ("open", "result", [])
    assert [one["parameter"] for one in anomaly["causes"]] == ["e_coli"]
    stopped = await acted(api.crew, anomaly, "stop-supply", {"at": NOW.isoformat()})
    assert (stopped["state"], stopped["departed"]) == ("supply_stopped", False)
    outage = (await api.manager.get(f"/outages/{stopped['outage_id']}")).json()
    assert (outage["kind"], outage["reason"], outage["state"]) == (
        "emergency",
        "water_quality",
        "in_effect",
    )
    notice = (await api.anybody.get(f"/public/notices/{outage['number']}")).json()
    assert "煮沸" in str(notice)
    assert "大肠埃希氏菌" in str(notice)
    await acted(api.crew, anomaly, "findings", {"text": "人孔未锁", "suspected_cause": "水箱污染"})
    await acted(api.crew, anomaly, "controls", {"text": "清洗消毒", "disinfected": True})
    refused = await acted(api.manager, anomaly, "resume", status=409)
    assert refused["reason"] == "retest_outstanding"
    assert refused["type"] == "urn:water2:refused:anomaly"
    assert refused["facts"]["missing"] == [
        {"parameter": "e_coli", "point": "outlet", "tank_id": estate.tank.id},
        {"parameter": "e_coli", "point": "terminal"},
    ]
    assert "末梢水的大肠埃希氏菌" in refused["detail"]
    clock.set(NOW + timedelta(hours=5))
    await retested(api, estate, clock.now, e_coli="未检出")
    resumed = await acted(api.manager, anomaly, "resume")
    assert resumed["state"] == "resumed"
    assert all(one["passed"] for one in resumed["retests"])
    outage = (await api.manager.get(f"/outages/{stopped['outage_id']}")).json()
    assert outage["state"] == "restored"
    notice = (await api.anybody.get(f"/public/notices/{outage['number']}")).json()
    assert "复测水质合格" in str(notice)
    refused = await acted(api.manager, anomaly, "close", {"summary": "已处置"}, status=409)
    assert refused["reason"] == "not_assessed"
    body = {"endangers_health": False, "reason": "未饮用"}
    await acted(api.manager, anomaly, "assessment", body)
    closed = await acted(api.manager, anomaly, "close", {"summary": "已处置"})
    assert closed["state"] == "closed"
    assert closed["flags"] == ["assessed_late"]


async def test_danger_to_health_is_told_to_both_regulators_before_it_closes(api, estate, clock):
    anomaly = await failed(api, estate)
    await acted(api.crew, anomaly, "stop-supply", {"at": NOW.isoformat()})
    body = {"endangers_health": True, "reason": "检出大肠埃希氏菌"}
    await acted(api.crew, anomaly, "assessment", body, status=403)
    await acted(api.manager, anomaly, "assessment", body)
    owed = await reports_of(api.health, anomaly)
    assert sorted((one["regulator"], one["kind"], one["state"]) for one in owed) == [
        ("health", "final", "due"),
        ("health", "first", "due"),
        ("water", "final", "due"),
        ("water", "first", "due"),
    ]
    assert {one["basis"] for one in owed} == {"target"}
    await retested(api, estate, NOW, e_coli="未检出")
    await acted(api.manager, anomaly, "resume")
    refused = await acted(api.manager, anomaly, "close", {"summary": "完"}, status=409)
    firsts = {one["regulator"]: one for one in owed if one["kind"] == "first"}
    assert refused["reason"] == "reports_open"
    assert refused["type"] == "urn:water2:refused:anomaly.report"
    assert refused["facts"]["reports"] == sorted(one["number"] for one in firsts.values())
    await reported(api.health, firsts["health"], "acknowledge", status=409)
    for report in firsts.values():
        sent = await reported(api.manager, report, "send")
        assert sent["content"]["results"][0]["title"] == "大肠埃希氏菌"
        assert sent["content"]["event"].endswith("水质异常")
    await reported(api.water, firsts["health"], "acknowledge", status=403)
    await reported(api.manager, firsts["health"], "acknowledge", status=403)
    await acted(api.manager, anomaly, "close", {"summary": "完"}, status=409)
    taken = await reported(api.health, firsts["health"], "acknowledge", {"note": "已收到"})
    assert (taken["state"], taken["acknowledgement"]) == ("acknowledged", "已收到")
    await acted(api.manager, anomaly, "close", {"summary": "完"}, status=409)
    await reported(api.water, firsts["water"], "acknowledge")
    assert (await acted(api.manager, anomaly, "close", {"summary": "完"}))["state"] == "closed"
    states = {(one["kind"], one["state"]) for one in await reports_of(api.water, anomaly)}
    assert states == {("first", "acknowledged"), ("progress", "withdrawn"), ("final", "due")}


async def test_regulators_ask_and_are_answered_in_thread(api, estate):
    anomaly = await failed(api, estate)
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    (first,) = await reports_of(api.health, anomaly, kind="first", regulator="health")
    question = {"text": "影响多少户？"}
    await reported(api.health, first, "messages", question, status=409)
    await reported(api.manager, first, "send")
    asked = await reported(api.water, first, "messages", question, status=201)
    assert asked["flags"] == ["request_unanswered"]
    await reported(api.manager, first, "messages", {"text": "六户"}, status=422)
    answer = {"text": "六户", "answers_id": asked["messages"][0]["id"]}
    await reported(api.crew, first, "messages", answer, status=403)
    answered = await reported(api.manager, first, "messages", answer, status=201)
    assert answered["flags"] == []
    assert [one["text"] for one in answered["messages"]] == ["影响多少户？", "六户"]


async def test_an_outbreak_is_due_within_two_hours_by_law(api, estate):
    anomaly = await failed(api, estate)
    body = {"endangers_health": False, "reason": "腹泻多例", "outbreak": True}
    await acted(api.manager, anomaly, "assessment", body, status=422)
    await acted(api.manager, anomaly, "assessment", body | {"endangers_health": True})
    due = {
        one["regulator"]: (one["due_at"], one["basis"])
        for one in await reports_of(api.health, anomaly, kind="first")
    }
    assert due == {
        "health": ("2026-11-23T03:00:00Z", "law"),
        "water": ("2026-11-24T01:00:00Z", "target"),
    }


async def test_steps_past_their_clock_are_escalated_once(api, estate, clock):
    anomaly = await failed(api, estate)
    clock.set(NOW + timedelta(minutes=30))
    assert (await keep_watch(api.installation.runtime)).escalations == 0
    clock.set(NOW + timedelta(minutes=30, seconds=1))
    assert (await keep_watch(api.installation.runtime)).escalations == 1
    assert (await keep_watch(api.installation.runtime)).escalations == 0
    shown = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()
    assert shown["flags"] == ["supply_stopped_late"]
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    clock.set(NOW + timedelta(minutes=90, seconds=1))
    assert (await keep_watch(api.installation.runtime)).escalations == 1
    acts = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()["acts"]
    levels = [one["data"]["level"] for one in acts if one["kind"] == "escalated"]
    assert levels == ["managers", "regulators"]
    clock.set(NOW + timedelta(hours=3))
    assert (await keep_watch(api.installation.runtime)).escalations == 2  # both calls not made
    late = await reports_of(api.water, anomaly, kind="first")
    assert {tuple(one["flags"]) for one in late} == {("phoned_late",)}


async def test_less_than_every_affected_tap_is_a_departure_with_a_name(api, estate):
    anomaly = await failed(api, estate)
    stopped = await acted(api.crew, anomaly, "stop-supply", {"building_ids": ["1幢"]})
    assert (stopped["departed"], stopped["flags"]) == (
        True,
        ["stop_departed", "departure_unexplained"],
    )
    (act,) = [one for one in stopped["acts"] if one["kind"] == "supply_stopped"]
    assert act["recorded_by"]
    widened = await acted(api.crew, anomaly, "stop-supply")
    assert widened["flags"] == ["stop_departed", "departure_unexplained"]  # for good
    assert (stopped["cut_off_at"], widened["cut_off_at"]) == (None, "2026-11-23T01:00:00Z")
    assert widened["outage_id"] == stopped["outage_id"]
    outage = (await api.manager.get(f"/outages/{widened['outage_id']}")).json()
    assert (outage["building_ids"], outage["notified"]["households"]) == ([], 6)


async def test_an_isolation_of_every_affected_tap_needs_its_reason(api, estate):
    anomaly = await failed(api, estate)
    body = {"building_ids": ["2幢"], "every_affected_tap": True, "reason": "二号箱只供2幢"}
    stopped = await acted(api.crew, anomaly, "stop-supply", body)
    assert (stopped["departed"], stopped["flags"]) == (False, [])


async def test_its_outage_ends_by_the_anomaly_alone(api, estate):
    anomaly = await failed(api, estate)
    stopped = await acted(api.crew, anomaly, "stop-supply")
    refused = await api.crew.post(f"/outages/{stopped['outage_id']}/restore")
    assert (refused.status_code, refused.json()["reason"]) == (409, "anomaly_unresolved")
    assert refused.json()["facts"]["anomalies"] == [anomaly["number"]]


async def test_one_cause_has_one_anomaly_and_another_its_own(api, estate):
    first = await failed(api, estate, turbidity="1.2")
    again = await failed(api, estate, turbidity="1.3", colour="20")
    assert again["id"] == first["id"]
    told = sorted(one["parameter"] for one in again["causes"])
    assert told == ["colour", "turbidity", "turbidity"]
    other = await failed(api, estate, ph="9")
    assert other["id"] != first["id"]
    body = {"facility_id": estate.facility.id, "source": "complaint", "note": "水发黄"}
    told = await added(api.crew, "/anomalies", body | {"parameter": "colour"})
    assert told["id"] == first["id"]
    unmeasured = await added(api.crew, "/anomalies", body)
    assert unmeasured["id"] not in {first["id"], other["id"]}
    assert {(one["parameter"], one["point"]) for one in unmeasured["retests"]} == {
        ("free_chlorine", "terminal"),
        ("turbidity", "terminal"),
        ("ph", "terminal"),
    }


async def test_a_failed_retest_after_resuming_opens_it_again(api, estate, clock):
    anomaly = await failed(api, estate, turbidity="1.2")
    await retested(api, estate, NOW, turbidity="0.3")
    await acted(api.manager, anomaly, "resume")
    clock.set(NOW + timedelta(hours=1))
    again = a_sample(estate, clock.now, "retest", "terminal", turbidity="2")
    sample = await added(api.crew, "/samples", again)
    assert sample["anomaly_id"] == anomaly["id"]
    shown = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()
    assert (shown["state"], shown["found_at"]) == ("open", "2026-11-23T02:00:00Z")
    assert [one["passed"] for one in shown["retests"]] == [False, False]
    clock.set(NOW + timedelta(hours=2))
    await retested(api, estate, clock.now, turbidity="0.3")
    assert (await acted(api.manager, anomaly, "resume"))["flags"] == [
        "supply_stopped_late",
        "supply_not_stopped",
        "resumed_without_controls",
    ]


async def test_the_timeline_and_the_ledger_hold_everything(api, estate):
    anomaly = await failed(api, estate)
    await acted(api.crew, anomaly, "stop-supply")
    await acted(api.crew, anomaly, "findings", {"text": "人孔未锁"})
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    (first,) = await reports_of(api.health, anomaly, kind="first", regulator="health")
    await reported(api.manager, first, "phone", {"note": "值班员接听"})
    await reported(api.manager, first, "send")
    await reported(api.health, first, "acknowledge")
    timeline = (await api.water.get(f"/anomalies/{anomaly['id']}/timeline")).json()["items"]
    kinds = {one["kind"] for one in timeline}
    assert kinds >= {
        "cause",
        "supply_stopped",
        "notice",
        "findings",
        "assessment",
        "report_owed",
        "report_phoned",
        "report_sent",
        "report_acknowledged",
    }
    bodies = await entries_of(api.installation.runtime, estate.facility.ledger_id)
    types = {json.loads(body)["type"] for body in bodies}
    assert types >= {
        "anomaly.opened",
        "anomaly.cause_linked",
        "anomaly.supply_stopped",
        "anomaly.findings_recorded",
        "anomaly.assessed",
        "regulator_report.owed",
        "regulator_report.phoned",
        "regulator_report.sent",
        "regulator_report.acknowledged",
    }
    assert "人孔" not in str(bodies)
    assert "值班员" not in str(bodies)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"source": "result"}, "source", "opens_by_itself"),
        ({"parameter": "gold"}, "parameter", "unknown_parameter"),
        ({"found_at": "2027-01-01T00:00:00Z"}, "found_at", "in_future"),
    ],
)
async def test_what_cannot_be_told_is_refused_by_its_field(api, estate, body, field, code):
    given = {"facility_id": estate.facility.id, "source": "person", "note": "有异味"} | body
    answer = await api.crew.post("/anomalies", json=given)
    assert (answer.status_code, answer.json()["facts"]["fields"]) == (422, {field: code})


async def test_a_stop_ahead_of_time_is_refused(api, estate):
    anomaly = await failed(api, estate)
    body = {"at": (NOW + timedelta(minutes=1)).isoformat()}
    assert (await acted(api.crew, anomaly, "stop-supply", body, status=422))["facts"] == {
        "fields": {"at": "in_future"}
    }
    body = {"building_ids": ["9幢"]}
    await acted(api.crew, anomaly, "stop-supply", body, status=422)
    shown = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()
    assert (shown["state"], shown["outage_id"]) == ("open", None)


async def test_a_final_report_says_what_was_learned(api, estate):
    anomaly = await failed(api, estate)
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    (final,) = await reports_of(api.health, anomaly, kind="final", regulator="health")
    refused = await reported(api.manager, final, "send", status=422)
    assert set(refused["facts"]["fields"]) == {"cause", "handling", "lessons"}
    whole = {"cause": "人孔未锁", "handling": "清洗消毒", "lessons": "加锁并列入巡检"}
    sent = await reported(api.manager, final, "send", whole)
    assert (sent["state"], sent["content"]["lessons"]) == ("sent", "加锁并列入巡检")
    await reported(api.manager, final, "send", {"lessons": "改"}, status=409)
    again = await reported(api.manager, final, "send")
    assert again["content"]["lessons"] == "加锁并列入巡检"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"turbidity": "1.5", "pump": "正常"}, [("turbidity", "outlet")]),
        ({"余氯": "0.02", "point": "terminal"}, [("free_chlorine", "terminal")]),
        ({"余氯": "0.02"}, []),
        ({"turbidity": "0.5", "ph": "7.1"}, []),
        ({"turbidity": "坏了"}, []),
    ],
)
async def test_a_bad_value_of_a_round_opens_one_too(api, estate, record, told):
    patrol = {"facility_id": estate.facility.id, "patrolled_at": NOW.isoformat(), "record": record}
    await added(api.crew, "/patrols", patrol)
    found = (await api.manager.get("/anomalies")).json()["items"]
    causes = []
    for anomaly in found:
        shown = (await api.manager.get(f"/anomalies/{anomaly['id']}")).json()
        assert shown["source"] == "patrol"
        causes += [(one["parameter"], one["point"]) for one in shown["causes"]]
    assert causes == told


async def test_water_is_off_once_however_many_anomalies_stopped_it(api, estate, clock):
    first = await failed(api, estate, turbidity="1.2")
    second = await failed(api, estate, e_coli="检出")
    one = await acted(api.crew, first, "stop-supply", {"building_ids": ["1幢"], "reason": "先停"})
    two = await acted(api.crew, second, "stop-supply")
    assert one["outage_id"] == two["outage_id"]
    assert (two["departed"], two["flags"]) == (False, [])
    outage = (await api.manager.get(f"/outages/{one['outage_id']}")).json()
    assert (outage["building_ids"], outage["revision"]) == ([], 2)
    notice = (await api.anybody.get(f"/public/notices/{outage['number']}")).json()
    assert "煮沸" in str(notice)
    await retested(api, estate, NOW, turbidity="0.3")
    refused = await acted(api.manager, first, "resume", status=409)
    assert {each["parameter"] for each in refused["facts"]["missing"]} == {"e_coli"}
    await retested(api, estate, NOW, e_coli="未检出")
    await acted(api.manager, first, "resume")
    assert (await acted(api.manager, second, "resume"))["state"] == "resumed"
    outage = (await api.manager.get(f"/outages/{one['outage_id']}")).json()
    assert (outage["state"], outage["revision"]) == ("restored", 3)


async def test_zones_no_building_is_known_for_are_no_reason_to_refuse(api, estate):
    anomaly = await failed(api, estate)
    stopped = await acted(api.crew, anomaly, "stop-supply", {"building_ids": [], "zones": []})
    assert (stopped["state"], stopped["departed"]) == ("supply_stopped", True)


async def test_a_draft_is_read_by_those_alone_who_write_it(api, estate):
    anomaly = await failed(api, estate)
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    draft = {"anomaly_id": anomaly["id"], "regulator": "health", "event": "未定稿"}
    written = await added(api.manager, "/regulator-reports", draft)
    assert written["content"] == {"event": "未定稿"}
    for reader in (api.health, api.crew):
        shown = (await reader.get(f"/regulator-reports/{written['id']}")).json()
        assert shown["content"] == {}
    await reported(api.manager, written, "send")
    shown = (await api.water.get(f"/regulator-reports/{written['id']}")).json()
    assert shown["content"]["event"] == "未定稿"


async def test_a_stop_of_some_zones_alone_is_not_every_tap(api, estate, clock):
    anomaly = await failed(api, estate)
    body = {"zones": ["低区"], "reason": "高区未停"}
    stopped = await acted(api.crew, anomaly, "stop-supply", body)
    assert (stopped["departed"], stopped["cut_off_at"]) == (True, None)
    clock.set(NOW + timedelta(minutes=31))
    assert (await keep_watch(api.installation.runtime)).escalations == 1
    other = await failed(api, estate, ph="9.5")
    said = {"every_affected_tap": False}
    assert (await acted(api.crew, other, "stop-supply", said))["departed"] is True


async def last_notice(api, outage):
    notice = (await api.anybody.get(f"/public/notices/{outage['number']}")).json()
    return str(notice["revisions"][-1])


async def test_residents_hear_of_a_graver_danger_that_comes_to_light(api, estate):
    anomaly = await failed(api, estate)
    advice = {"health_advice": "请煮沸后饮用"}
    stopped = await acted(api.crew, anomaly, "stop-supply", advice)
    await failed(api, estate, e_coli="检出", arsenic="3")
    outage = (await api.manager.get(f"/outages/{stopped['outage_id']}")).json()
    notice = await last_notice(api, outage)
    assert outage["revision"] == 2
    assert "砷" in notice
    assert "Arsenic" in notice
    assert "煮沸不能去除" in notice
    assert "请煮沸后饮用" not in notice
    advice = {"health_advice": "请到东门取水点取水"}
    await acted(api.crew, anomaly, "stop-supply", advice)
    notice = await last_notice(api, outage)
    assert "请到东门取水点取水" in notice


async def test_what_is_entered_after_its_time_is_marked(api, estate, clock):
    anomaly = await failed(api, estate)
    clock.set(NOW + timedelta(hours=3))
    at = {"at": (NOW + timedelta(minutes=10)).isoformat()}
    stopped = await acted(api.crew, anomaly, "stop-supply", at)
    assert stopped["flags"] == ["assessed_late", "late_entry"]
    early = {"text": "查", "at": (NOW - timedelta(days=30)).isoformat()}
    refused = await acted(api.crew, anomaly, "findings", early, status=422)
    assert refused["facts"]["fields"] == {"at": "before"}


async def test_clocks_of_what_people_notice_run_from_when_they_did(api, estate):
    body = {"facility_id": estate.facility.id, "source": "complaint", "note": "水发黄"}
    noticed = {"found_at": (NOW - timedelta(hours=3)).isoformat()}
    told = await added(api.crew, "/anomalies", body | noticed)
    assert told["found_at"] == "2026-11-22T22:00:00Z"
    assert told["flags"] == ["supply_stopped_late", "assessed_late"]


async def test_a_corrected_retest_that_fails_after_all_lets_nothing_close(api, estate):
    anomaly = await failed(api, estate, turbidity="1.2")
    outlet = a_sample(estate, NOW, "retest", "outlet", turbidity="4")
    sample = await added(api.crew, "/samples", outlet)
    await added(api.crew, "/samples", a_sample(estate, NOW, "retest", "terminal", turbidity="0.2"))
    await corrected(api, sample, "0.3")
    await acted(api.manager, anomaly, "resume")
    await corrected(api, sample, "5")
    shown = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()
    assert shown["state"] == "open"
    assert "supply_not_stopped" in shown["flags"]  # of the time before it opened again
    await acted(api.manager, anomaly, "close", {"summary": "完"}, status=409)


async def corrected(api, sample, raw):
    body = {"parameter": "turbidity", "raw": raw, "reason": "抄错"}
    answer = await api.manager.post(f"/samples/{sample['id']}/corrections", json=body)
    assert answer.status_code == 200, answer.text


async def test_an_unanswered_request_keeps_it_open(api, estate):
    anomaly = await failed(api, estate)
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    for report in await reports_of(api.health, anomaly, kind="first"):
        await reported(api.manager, report, "send")
        await reported(getattr(api, report["regulator"]), report, "acknowledge")
    asked = await reported(api.water, report, "messages", {"text": "几户？"}, status=201)
    await retested(api, estate, NOW, e_coli="未检出")
    await acted(api.manager, anomaly, "resume")
    refused = await acted(api.manager, anomaly, "close", {"summary": "完"}, status=409)
    assert refused["facts"]["reports"] == [report["number"]]
    answer = {"text": "六户", "answers_id": asked["messages"][0]["id"]}
    await reported(api.manager, report, "messages", answer, status=201)
    assert (await acted(api.manager, anomaly, "close", {"summary": "完"}))["state"] == "closed"


async def test_a_tank_out_of_use_is_not_waited_for(api, estate, clock):
    anomaly = await failed(api, estate, turbidity="1.2")
    ended = await api.manager.post(f"/tanks/{estate.tank.id}/end", json={"on": "2026-11-23"})
    assert ended.status_code == 200, ended.text
    clock.set(NOW + timedelta(days=1))
    terminal = a_sample(estate, clock.now, "retest", "terminal", turbidity="0.3")
    await added(api.crew, "/samples", terminal)
    assert (await acted(api.manager, anomaly, "resume"))["state"] == "resumed"


async def test_what_fails_while_the_water_is_off_shares_the_stop_and_is_told(api, estate):
    first = await failed(api, estate)
    stopped = await acted(api.crew, first, "stop-supply")
    second = await failed(api, estate, arsenic="0.05")
    assert second["id"] != first["id"]
    assert (second["state"], second["outage_id"]) == ("supply_stopped", stopped["outage_id"])
    assert (second["cut_off_at"], second["flags"]) == ("2026-11-23T01:00:00Z", [])
    outage = (await api.manager.get(f"/outages/{stopped['outage_id']}")).json()
    assert (outage["danger"], outage["failed_items"]) == ("toxic", ["arsenic", "e_coli"])
    assert "烧开也不例外" in await last_notice(api, outage)
    await retested(api, estate, NOW, arsenic="0.001", e_coli="未检出")
    for anomaly in (first, second):
        assert (await acted(api.manager, anomaly, "resume"))["state"] == "resumed"


async def test_a_claim_of_every_tap_can_be_withdrawn(api, estate):
    anomaly = await failed(api, estate)
    body = {"building_ids": ["1幢"], "every_affected_tap": True, "reason": "单独供水"}
    stopped = await acted(api.crew, anomaly, "stop-supply", body)
    assert (stopped["departed"], stopped["cut_off_at"]) == (False, "2026-11-23T01:00:00Z")
    again = await acted(api.crew, anomaly, "stop-supply", body)
    assert len(again["acts"]) == len(stopped["acts"])
    withdrawn = body | {"every_affected_tap": False, "reason": "有误"}
    shown = await acted(api.crew, anomaly, "stop-supply", withdrawn)
    assert (shown["departed"], shown["cut_off_at"]) == (True, None)
    assert len(shown["acts"]) == len(stopped["acts"]) + 1


async def test_a_call_entered_after_its_time_is_marked(api, estate, clock):
    anomaly = await failed(api, estate)
    await acted(api.manager, anomaly, "assessment", {"endangers_health": True, "reason": "检出"})
    (first,) = await reports_of(api.health, anomaly, kind="first", regulator="health")
    clock.set(NOW + timedelta(hours=5))
    early = {"at": (NOW - timedelta(hours=37)).isoformat()}
    await reported(api.manager, first, "phone", early, status=422)
    called = await reported(api.manager, first, "phone", {"at": NOW.isoformat()})
    assert called["flags"] == ["late_entry"]


async def test_a_notice_names_the_zones_that_were_stopped(api, estate):
    anomaly = await failed(api, estate)
    stopped = await acted(api.crew, anomaly, "stop-supply", {"zones": ["高区"]})
    outage = (await api.manager.get(f"/outages/{stopped['outage_id']}")).json()
    assert "2幢（高区）" in await last_notice(api, outage)


async def test_a_failed_sample_that_is_judged_anew_opens_nothing_again(api, estate, clock):
    sample = await added(api.crew, "/samples", a_sample(estate, turbidity="1.2"))
    anomaly = (await api.manager.get(f"/anomalies/{sample['anomaly_id']}")).json()
    await retested(api, estate, NOW, turbidity="0.3")
    await acted(api.manager, anomaly, "resume")
    later = {"results": [{"parameter": "ph", "raw": "7.2"}]}
    answer = await api.crew.post(f"/samples/{sample['id']}/results", json=later)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "fail")
    shown = (await api.health.get(f"/anomalies/{anomaly['id']}")).json()
    assert shown["state"] == "resumed"
    body = {"endangers_health": False, "reason": "未饮用"}
    await acted(api.manager, anomaly, "assessment", body)
    await acted(api.manager, anomaly, "close", {"summary": "完"})
    later = {"results": [{"parameter": "colour", "raw": "5"}]}
    await api.crew.post(f"/samples/{sample['id']}/results", json=later)
    found = (await api.health.get("/anomalies")).json()["items"]
    assert [(one["id"], one["state"]) for one in found] == [(anomaly["id"], "closed")]
