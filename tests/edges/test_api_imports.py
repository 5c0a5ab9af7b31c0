"""Imports over HTTP: multipart in, a report out."""

import csv
import io

FACILITIES = (
    "泵房编号,小区名称,街道,地址,供水方式,供水对象,供水分区数,竣工验收日期,移交日期,投用日期,"
    "管理员,联系电话,经度,纬度,独立电表号\r\n"
    "BY-001,听松苑,白云街道,古城路202号,箱式无负压,高层住宅,2,2023-09-03,2023-10-22,2023-11-18,"
    "王伟杰,19905780108,,,330519879827\r\n"
    "BY-002,知雨苑,白云街道,古城路204号,水箱+变频,高层住宅,2,2025-02-30,,,"
    "王伟杰,19905780109,,,\r\n"
).encode("gb18030")
NAME = "泵房台账.csv"


async def imported(client, content=FACILITIES, kind="facility", params=None, **more):
    files = {"file": (NAME, content, "text/csv")}
    return await client.post(f"/imports/{kind}", files=files, params=params, **more)


async def test_good_rows_are_taken_and_bad_ones_named_by_line_column_and_reason(api):
    answer = await imported(api.manager)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["accepted"], told["duplicate"], told["rejected"]) == (1, 0, 1)
    (row,) = told["rows"]
    assert row | {"detail": ""} == {
        "file": NAME,
        "line": 3,
        "column": "竣工验收日期",
        "value": "2025-02-30",
        "reason": "date_impossible",
        "detail": "",
    }
    assert row["detail"] == "没有这一天。"
    listed = (await api.health.get("/facilities")).json()["items"]
    assert [facility["code"] for facility in listed] == ["BY-001"]


async def test_a_dry_run_tells_all_and_changes_nothing(api):
    for params, data in (({"dry_run": "true"}, None), (None, {"dry_run": "true"})):
        told = (await imported(api.manager, params=params, data=data)).json()
        assert (told["dry_run"], told["accepted"], told["rejected"]) == (True, 1, 1)
        assert (await api.manager.get("/facilities")).json()["items"] == []


async def test_the_same_file_twice_changes_nothing(api):
    await imported(api.manager)
    told = (await imported(api.manager)).json()
    assert (told["accepted"], told["duplicate"], told["rejected"]) == (0, 1, 1)


async def test_a_repeated_request_gets_the_first_report(api):
    key = {"Idempotency-Key": "import-1"}
    first = await imported(api.manager, headers=key)
    again = await imported(api.manager, headers=key)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await imported(api.manager, FACILITIES + b"\r\n", headers=key)
    assert other.json()["facts"]["fields"] == {"Idempotency-Key": "idempotency_key_reused"}


async def test_refused_rows_are_sent_back_as_a_table(api):
    await imported(api.manager)
    (run,) = (await api.manager.get("/imports")).json()["items"]
    assert (run["file_name"], run["accepted"], run["rejected"]) == (NAME, 1, 1)
    assert (await api.manager.get(f"/imports/{run['id']}")).json() == run
    answer = await api.manager.get(f"/imports/{run['id']}/rejected.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    _, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row[:3] == ["3", "竣工验收日期", "没有这一天。"]
    assert row[3] == "BY-002"


async def test_an_import_is_taken_back_once(api):
    await imported(api.manager)
    (run,) = (await api.manager.get("/imports")).json()["items"]
    taken = await api.manager.post(f"/imports/{run['id']}/take-back")
    assert taken.json()["taken_back_at"] is not None
    assert (await api.manager.get("/facilities")).json()["items"] == []
    again = await api.manager.post(f"/imports/{run['id']}/take-back")
    assert (again.status_code, again.json()["reason"]) == (409, "import_taken_back")


async def test_a_request_without_a_usable_file_is_malformed(api):
    nothing = await api.manager.post("/imports/facility", data={"dry_run": "1"}, files=[])
    assert nothing.status_code in (415, 422)
    for content, reason in ((b"", "empty_file"), (b"\x00\x01\x02" * 99, "not_text")):
        refused = await imported(api.manager, content)
        assert refused.status_code == 422, refused.text
        assert refused.json()["facts"]["fields"] == {NAME: reason}
    unknown = await imported(api.manager, "甲,乙\r\n1,2\r\n".encode())
    assert unknown.json()["facts"]["fields"] == {NAME: "unknown_columns"}


async def test_kinds_are_named_in_singular_or_plural_or_left_to_the_columns(api):
    for kind in ("facility", "facilities", "any"):
        assert (await imported(api.manager, kind=kind)).status_code == 200
    assert (await imported(api.manager, kind="castle")).status_code == 404


async def test_importing_is_for_managers_of_their_own_utility(api):
    for client in (api.administrator, api.crew, api.health):
        assert (await imported(client)).status_code == 403
    await imported(api.manager)
    (run,) = (await api.manager.get("/imports")).json()["items"]
    for path in ("", "/rejected.csv"):
        assert (await api.outsider.get(f"/imports/{run['id']}{path}")).status_code == 404
    assert (await api.outsider.post(f"/imports/{run['id']}/take-back")).status_code == 404
