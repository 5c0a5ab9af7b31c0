"""The settable clock of the demonstration, and what machines ask: alive, ready, metrics."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.edges.conftest import client_of
from tests.edges.outages import published
from tests.edges.test_api_register import a_registered_place
from tests.estate import an_estate
from tests.ledgers import an_entry, append
from water2.api.app import create_api
from water2.config import Settings
from water2.domain.sending import SendingChannel
from water2.services.delivery.channels import stop_channel
from water2.services.job_runs import SWEEP, begin_job, finish_job
from water2.services.sweep import sweep

ROOT = "http://water2"


@pytest.fixture
def app(runtime, tmp_path, wall, clock):
    """A demonstration with a worker of its own."""

    async def move(now):
        clock.set(now)
        await sweep(runtime)

    settings = Settings(data_dir=tmp_path)
    return create_api(runtime, settings, wall_clock=wall, move_clock=move, worker_expected=True)


async def test_the_administrator_moves_the_clock_and_duties_open(api):
    await a_registered_place(api)
    moved = await api.administrator.put("/demo/clock", json={"now": "2027-06-01T08:00"})
    assert (moved.status_code, moved.json()["now"]) == (200, "2027-06-01T00:00:00Z")
    assert (await api.health.get("/demo/clock")).json() == moved.json()
    orders = (await api.manager.get("/work-orders")).json()["items"]
    assert [order["origin"] for order in orders] == ["sweep"]


async def test_the_clock_is_the_administrators(api):
    for client in (api.manager, api.crew, api.health):
        refused = await client.put("/demo/clock", json={"now": "2027-06-01T08:00"})
        assert refused.status_code == 403


async def test_outside_the_demonstration_there_is_no_such_route(runtime, tmp_path, wall, api):
    real = create_api(runtime, Settings(data_dir=tmp_path), wall_clock=wall)
    async with client_of(real) as client:
        client.headers = api.administrator.headers
        for method in ("GET", "PUT"):
            answer = await client.request(method, "/demo/clock", json={"now": "2027-06-01"})
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:water2:not-found")


async def test_a_process_that_answers_is_alive(api):
    answer = await api.anybody.get(f"{ROOT}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def swept(api, at):
    async with api.installation.runtime.work() as work:
        await begin_job(work, SWEEP, at)
    async with api.installation.runtime.work() as work:
        await finish_job(work, SWEEP, at)


async def ready(api):
    answer = await api.anybody.get(f"{ROOT}/readyz")
    return answer.status_code, answer.json()["checks"]


async def test_a_worker_that_never_swept_is_not_ready_and_one_that_did_is(api, wall):
    status, checks = await ready(api)
    assert (status, checks["sweep"]) == (503, {"ok": False, "age_seconds": None})
    await swept(api, wall.now)
    wall.set(wall.now + timedelta(seconds=300))
    status, checks = await ready(api)
    assert (status, checks["sweep"]) == (200, {"ok": True, "age_seconds": 300})
    wall.set(wall.now + timedelta(seconds=1))
    assert (await ready(api))[0] == 503


async def test_without_a_worker_of_its_own_a_process_tells_the_age_and_is_ready(
    runtime, tmp_path, wall, api
):
    serving = create_api(runtime, Settings(data_dir=tmp_path), wall_clock=wall)
    async with client_of(serving) as client:
        answer = await client.get(f"{ROOT}/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["sweep"] == {"ok": None, "age_seconds": None}


async def test_messages_that_wait_and_channels_that_were_stopped_are_told(api, clock):
    installation = api.installation
    estate = await an_estate(installation)
    assert (await ready(api))[1]["messages"] == {"ok": None, "age_seconds": None}
    await published(api, estate)
    async with installation.runtime.work() as work:
        await stop_channel(work, installation.utility.id, SendingChannel.sms, "SIGN_UNKNOWN")
    clock.set(clock.now + timedelta(minutes=15))
    _, checks = await ready(api)
    assert checks["messages"] == {"ok": None, "age_seconds": 900}
    assert checks["channels"] == {"ok": None, "stopped": 1}


async def test_the_queue_tells_how_far_the_sweep_is_behind(api, clock, wall):
    await a_registered_place(api)
    await swept(api, wall.now)
    clock.set(datetime(2026, 11, 26, tzinfo=UTC))
    _, checks = await ready(api)
    assert checks["queue"]["days_behind"] == 3
    assert checks["queue"]["rows"] > 0
    await sweep(api.installation.runtime)
    assert (await ready(api))[1]["queue"] == {"ok": None, "rows": 0, "days_behind": 0}


async def test_ledgers_that_were_set_back_are_told_for_good_and_stop_nobody(api, wall):
    await swept(api, wall.now)
    assert (await ready(api))[1]["setbacks"] == {"ok": None, "ledgers": 0}
    utility, head = api.installation.utility, {"signed_size": 9, "signed_root": "", "size": 1}
    accepted = an_entry(utility.ledger_id, type="setback.accepted", subject="ledger:l", data=head)
    await append(api.installation.runtime, accepted, accepted)
    status, checks = await ready(api)
    assert (status, checks["setbacks"]) == (200, {"ok": None, "ledgers": 1})
    metrics = (await api.anybody.get(f"{ROOT}/metrics")).text
    assert "water2_ledgers_set_back 1.0" in metrics


async def test_another_schema_is_not_ready(api, wall):
    await swept(api, wall.now)
    async with api.installation.runtime.work() as work:
        await work.session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    status, checks = await ready(api)
    assert (status, checks["schema"]) == (503, {"ok": False, "revision": "older"})


async def test_metrics_are_prometheus_text(api, wall):
    await swept(api, wall.now)
    answer = await api.anybody.get(f"{ROOT}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "water2_sweep_age_seconds 0.0" in lines
    assert "water2_queue_rows 0.0" in lines
    assert "water2_schema_current 1.0" in lines
