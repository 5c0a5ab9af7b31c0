"""Accounts by the administrator: for the utility's people and the regulators above it."""

from sqlmodel import select

from tests.edges.test_api_register import added
from water2.domain.access import SYSTEM
from water2.domain.organisation import OrganisationKind, Utility
from water2.services.installation import put_under

CREW = {"username": "Zhang.San", "role": "crew", "password": "a long password"}


async def entries(api):
    ledger = api.installation.utility.ledger_id
    answer = await api.health.get(f"/ledgers/{ledger}/entries", params={"limit": 500})
    return [entry["entry"] for entry in answer.json()["items"]]


async def signed_in(api, password="a long password", username="zhang.san"):
    body = {"username": username, "password": password}
    return await api.anybody.post("/sessions", json=body)


async def test_an_account_begins_with_a_password_to_be_changed(api):
    user = await added(api.administrator, "/users", CREW)
    assert (user["username"], user["must_change_password"]) == ("zhang.san", True)
    assert user["organisation_id"] == api.installation.utility.organisation_id
    session = (await signed_in(api)).json()
    assert session["user"]["must_change_password"] is True


async def test_every_act_on_a_user_is_on_the_utilitys_ledger_without_a_name(api):
    user = await added(api.administrator, "/users", CREW)
    place = f"/users/{user['id']}"
    await api.administrator.post(f"{place}/role", json={"role": "manager"})
    await api.administrator.post(f"{place}/password", json={"password": "another password"})
    await api.administrator.post(f"{place}/disable")
    await api.administrator.post(f"{place}/enable")
    told = [entry for entry in await entries(api) if entry["subject"] == f"user:{user['id']}"]
    assert [entry["type"] for entry in told] == [
        "user.created",
        "user.role_changed",
        "user.password_reset",
        "user.disabled",
        "user.enabled",
    ]
    assert "zhang" not in str(told).lower()


async def test_a_regulators_user_is_on_the_ledger_of_the_utility_under_it(api):
    user = await added(api.administrator, "/users", CREW | {"role": "health_inspector"})
    kinds = {
        one["id"]: one["kind"]
        for one in (await api.administrator.get("/organisations")).json()["items"]
    }
    assert kinds[user["organisation_id"]] == "health_regulator"
    assert (await entries(api))[-1]["subject"] == f"user:{user['id']}"


async def test_a_role_belongs_to_its_kind_of_organisation(api):
    own = api.installation.utility.organisation_id
    body = CREW | {"role": "water_inspector", "organisation_id": own}
    refused = await api.administrator.post("/users", json=body)
    assert refused.json()["facts"]["fields"] == {"role": "role_of_another_organisation"}
    user = await added(api.administrator, "/users", CREW)
    refused = await api.administrator.post(
        f"/users/{user['id']}/role", json={"role": "health_inspector"}
    )
    assert refused.json()["facts"]["fields"] == {"role": "role_of_another_organisation"}


async def test_a_name_is_taken_once_in_the_whole_installation(api):
    refused = await api.administrator.post("/users", json=CREW | {"username": "OUTSIDER"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "username_taken")


async def test_another_utilitys_users_are_not_there(api):
    outsider = (await api.outsider.get("/me")).json()
    listed = (await api.administrator.get("/users")).json()["items"]
    assert outsider["id"] not in {user["id"] for user in listed}
    place = f"/users/{outsider['id']}"
    assert (await api.administrator.get(place)).status_code == 404
    assert (await api.administrator.post(f"{place}/disable")).status_code == 404


async def test_disabling_ends_every_session_at_once(api):
    manager = (await api.manager.get("/me")).json()
    await api.administrator.post(f"/users/{manager['id']}/disable")
    assert (await api.manager.get("/me")).status_code == 401


async def test_the_last_administrator_stays(api):
    admin = (await api.administrator.get("/me")).json()
    for act, body in (("disable", None), ("role", {"role": "crew"})):
        refused = await api.administrator.post(f"/users/{admin['id']}/{act}", json=body)
        assert (refused.status_code, refused.json()["reason"]) == (409, "last_administrator")
    second = CREW | {"role": "administrator"}
    await added(api.administrator, "/users", second)
    done = await api.administrator.post(f"/users/{admin['id']}/disable")
    assert done.status_code == 200


async def test_another_role_holds_from_the_next_request_on(api):
    manager = (await api.manager.get("/me")).json()
    await api.administrator.post(f"/users/{manager['id']}/role", json={"role": "crew"})
    assert (await api.manager.post("/facilities", json={})).status_code in (403, 422)
    assert (await api.manager.get("/me")).json()["role"] == "crew"


async def test_an_account_may_belong_to_a_person_of_the_utility(api):
    person = {"code": "LS001", "name": "周行", "employer": "瓯城供水", "handles_water": True}
    known = await added(api.manager, "/staff", person)
    user = await added(api.administrator, "/users", CREW | {"staff": "LS001"})
    assert user["staff_id"] == known["id"]
    other = CREW | {"username": "other", "staff": "LS999"}
    refused = await api.administrator.post("/users", json=other)
    assert refused.json()["facts"]["fields"] == {"staff": "unknown_person"}


async def test_a_utility_is_put_under_a_regulator_once(api):
    body = {"kind": "water_regulator", "name": "丽水市住房和城乡建设局"}
    regulator = await added(api.administrator, "/organisations", body)
    seen = (await api.manager.get("/organisations")).json()["items"]
    assert regulator in seen
    again = await api.administrator.post("/organisations", json=body)
    assert (again.status_code, again.json()["reason"]) == (409, "organisation_exists")
    assert (await api.manager.post("/organisations", json=body)).status_code == 403


async def test_inspectors_of_a_regulator_over_other_utilities_are_not_the_administrators(api):
    inspector = (await api.health.get("/me")).json()
    place, new = f"/users/{inspector['id']}", {"password": "another password"}
    assert (await api.administrator.post(f"{place}/password", json=new)).status_code == 200
    async with api.installation.runtime.work(SYSTEM) as work:
        other = await work.session.exec(select(Utility).where(Utility.code == "LD"))
        await put_under(work, other.one(), OrganisationKind.health_regulator, "卫健委")
    for path, body in (
        ("/users", CREW | {"role": "health_inspector"}),
        (f"{place}/password", new),
        (f"{place}/disable", None),
        (f"{place}/role", {"role": "health_inspector"}),
    ):
        refused = await api.administrator.post(path, json=body)
        assert (refused.status_code, refused.json()["reason"]) == (403, "not_permitted"), path
    assert (await signed_in(api, "another password", "health")).status_code == 201


async def test_who_may_not_set_a_password_is_told_so_and_nothing_else(api):
    inspector = (await api.health.get("/me")).json()
    new = {"password": "short"}
    for path, body in ((f"/users/{inspector['id']}/password", new), ("/users", CREW | new)):
        assert (await api.manager.post(path, json=body)).status_code == 403
        assert (await api.administrator.post(path, json=body)).status_code == 422
