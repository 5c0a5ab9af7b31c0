"""What a laboratory may see and name: its own reports and the places on its labels, no more."""

import pytest

from tests.edges.laboratory import NAME, a_laboratory, a_report, a_sample, results
from tests.edges.test_api_register import FACILITY, a_registered_place, added
from water2.api.app import PREFIX
from water2.domain.access import SYSTEM
from water2.domain.organisation import OrganisationKind
from water2.services.installation import put_under

OPEN_TO_LABORATORIES = {
    "/me",
    "/organisations",  # an empty list
    "/samples",
    "/samples/{id}",
    "/lab-reports",
    "/lab-reports/{id}",
    "/lab-reports/{id}/scan",
    "/reporting-places",
}


@pytest.fixture
async def place(api):
    return await a_registered_place(api)


@pytest.fixture
async def lab(api, app):
    async with a_laboratory(api, app) as (client, _):
        yield client


@pytest.fixture
async def rival(api, app):
    async with a_laboratory(api, app, "另一检测公司", "rival") as (client, _):
        yield client


def read_routes(app) -> list[str]:
    paths = app.openapi()["paths"]
    return sorted(
        path.removeprefix(PREFIX)
        for path, methods in paths.items()
        if "get" in methods and path.startswith(PREFIX) and "/public/" not in path
    )


def written_routes(app) -> list[tuple[str, str]]:
    return sorted(
        (path.removeprefix(PREFIX), method)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method != "get" and path.startswith(PREFIX) and "/public/" not in path
    )


async def test_a_laboratory_reads_nothing_of_a_utility_but_what_its_reports_need(
    api, app, lab, place
):
    ids = {"households": place["/households"], "staff": place["/staff"], "tanks": place["/tanks"]}
    ids |= {"facilities": place["/facilities"], "ledgers": place["/ledgers"]}
    ids |= {"buildings": place["/buildings"]}
    opened = []
    for path in read_routes(app):
        asked = path.replace("{id}", ids.get(path.split("/")[1], "1" * 32))
        for name in ("{number}", "{seq}", "{file}", "{kind}"):
            asked = asked.replace(name, "1")
        answer = await lab.get(asked)
        if answer.status_code not in (403, 404, 422):
            opened.append(path)
    assert set(opened) <= OPEN_TO_LABORATORIES
    assert (await lab.get("/organisations")).json()["items"] == []
    assert (await lab.get("/me")).json()["utility_ids"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/facilities", FACILITY | {"code": "BY-777"}),
        ("/samples", {"point": "terminal", "purpose": "routine"}),
        ("/laboratories", {"name": "x"}),
        ("/work-orders", {"kind": "cleaning"}),
        ("/users", {"username": "new", "role": "lab", "password": "a long password"}),
        ("/patrols", {"patrolled_at": "2026-11-23T08:00:00+08:00"}),
    ],
)
async def test_a_laboratory_writes_nothing_but_its_reports(lab, place, path, body):
    if path not in ("/laboratories", "/users", "/facilities"):
        body = body | {"facility_id": place["/facilities"]}
    if path == "/samples":
        body = body | {"sampled_at": "2026-11-23T08:00:00+08:00"}
    assert (await lab.post(path, json=body)).status_code in (403, 404)


async def test_a_laboratory_names_places_by_what_their_labels_say(api, lab, place):
    (told,) = (await lab.get("/reporting-places", params={"code": "BY-001"})).json()["items"]
    assert told == {
        "id": place["/facilities"],
        "utility_id": api.installation.utility.id,
        "code": "BY-001",
        "name": FACILITY["name"],
        "tanks": [{"id": place["/tanks"], "code": "1#"}],
    }
    assert (await api.outsider.get("/reporting-places")).json()["items"] == []
    refused = await api.health.get("/reporting-places")
    assert refused.status_code == 403


async def test_a_laboratory_sees_its_own_reports_and_samples_alone(api, lab, rival, place):
    mine = await added(lab, "/lab-reports", a_report(place))
    theirs = a_report(place, a_sample(place, point="terminal", tank_id=None), number="R2")
    theirs = await added(rival, "/lab-reports", theirs | {"laboratory": "另一检测公司"})
    for client, own, other in ((lab, mine, theirs), (rival, theirs, mine)):
        assert [r["id"] for r in (await client.get("/lab-reports")).json()["items"]] == [own["id"]]
        samples = (await client.get("/samples")).json()["items"]
        assert [s["id"] for s in samples] == [own["samples"][0]["id"]]
        for path in (
            f"/lab-reports/{other['id']}",
            f"/lab-reports/{other['id']}/scan",
            f"/samples/{other['samples'][0]['id']}",
        ):
            assert (await client.get(path)).status_code == 404
        body = a_report(place, number=other["number"], laboratory=None) | {"reason": "x"}
        refused = await client.post(f"/lab-reports/{other['id']}/versions", json=body)
        assert refused.status_code == 404
        results_of_other = {"sample_id": other["samples"][0]["id"], "results": results()}
        stolen = a_report(place, results_of_other, number="R3", laboratory=None)
        assert (await client.post("/lab-reports", json=stolen)).status_code == 404
    assert len((await api.health.get("/lab-reports")).json()["items"]) == 2


async def test_a_laboratory_is_shown_the_samples_sent_to_it(api, lab, rival, place):
    sent = await added(api.crew, "/samples", a_sample(place, results=[], laboratory=NAME))
    assert [one["id"] for one in (await lab.get("/samples")).json()["items"]] == [sent["id"]]
    assert (await rival.get("/samples")).json()["items"] == []
    body = a_report(place, {"sample_id": sent["id"], "results": results()}, laboratory=None)
    assert (await rival.post("/lab-reports", json=body)).status_code == 404
    assert (await added(lab, "/lab-reports", body))["samples"][0]["verdict"] == "pass"


async def test_a_laboratory_reports_in_its_own_name(lab, place):
    body = a_report(place, laboratory="另一检测公司")
    refused = await lab.post("/lab-reports", json=body)
    assert refused.json()["facts"]["fields"] == {"laboratory": "another_laboratory"}


async def test_a_laboratory_reports_on_nothing_of_a_utility_that_is_no_client(api, app, place):
    async with api.installation.runtime.read() as work:
        other = await work.session.get_one(type(api.installation.utility), await others(api))
    async with a_laboratory(api, app, "外地检测", "away", other) as (client, _):
        assert (await client.get("/reporting-places")).json()["items"] == []
        body = a_report(place, laboratory=None)
        assert (await client.post("/lab-reports", json=body)).status_code == 404


async def others(api) -> str:
    return (await api.outsider.get("/me")).json()["utility_ids"][0]


async def test_a_number_used_by_another_client_is_flagged_and_tells_nothing_of_it(
    api, app, lab, place
):
    abroad = await added(api.outsider, "/facilities", FACILITY | {"code": "LD-001"})
    elsewhere = a_sample({"/facilities": abroad["id"], "/tanks": None}, point="terminal")
    first = await added(api.outsider, "/lab-reports", a_report(place, elsewhere))
    assert "report_number_reused" not in first["flags"]
    told = await lab.post("/lab-reports", json=a_report(place))
    assert told.status_code == 201, told.text
    assert "report_number_reused" in told.json()["flags"]
    assert "report_number_reused" in told.json()["samples"][0]["flags"]
    for secret in (abroad["id"], "LD-001", await others(api), first["id"]):
        assert secret not in told.text


async def test_an_administrator_makes_an_account_for_a_laboratory(api):
    body = {"kind": "laboratory", "name": NAME}
    organisation = await added(api.administrator, "/organisations", body)
    account = {"username": "newlab", "role": "lab", "password": "a long password"}
    user = await added(api.administrator, "/users", account)
    assert (user["role"], user["organisation_id"]) == ("lab", organisation["id"])
    assert (await api.manager.post("/organisations", json=body)).status_code == 403


async def test_a_registered_name_is_the_one_its_reports_bear(api, app, place):
    async with a_laboratory(api, app) as (client, organisation_id):
        named = {"name": "濯溪检测", "organisation_id": organisation_id}
        await added(api.manager, "/laboratories", named)
        told = await added(client, "/lab-reports", a_report(place))
        assert told["laboratory"] == "濯溪检测"


async def test_a_laboratory_of_nobodys_or_a_regulator_is_not_registered(api):
    async with api.installation.runtime.work(SYSTEM) as work:
        other = await work.session.get_one(type(api.installation.utility), await others(api))
        away = await put_under(work, other, OrganisationKind.laboratory, "外地检测")
    regulator = (await api.health.get("/me")).json()["organisation_id"]
    for organisation in (away.id, regulator):
        body = {"name": "x", "organisation_id": organisation}
        assert (await api.manager.post("/laboratories", json=body)).status_code == 404
    assert (await api.crew.post("/laboratories", json={"name": "x"})).status_code == 403
    await added(api.manager, "/laboratories", {"name": "x"})
    twice = await api.manager.post("/laboratories", json={"name": "x"})
    assert (twice.status_code, twice.json()["reason"]) == (409, "code_taken")
    assert (await api.outsider.get("/laboratories")).json()["items"] == []
