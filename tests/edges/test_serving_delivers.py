"""A server with its worker, a real gateway beside it: what is published goes out by itself."""

from datetime import timedelta

import pytest

from tests.serving import serving, wait_until
from tests.shell import FOUNDING, Shell
from tests.sinks import http_gateway, smtp_server
from water2.clock import wall_clock

FLATS = ({"phone": "13900000001"}, {"phone": "13900000002"}, {"mail": "a@example.com"}, {})


@pytest.fixture(scope="module")
def sms():
    with http_gateway(token="secret") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def mail():
    with smtp_server() as server:
        yield server


def an_outage(client) -> str:
    """Enter an estate of four households and an emergency there; return the outage's id."""

    def post(way: str, **body: object) -> dict:
        answer = client.post(f"/api/v1{way}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    facility = post(
        "/facilities", code="BY-1", name="听松苑", kind="high_rise_residential", address="古城路1号"
    )
    building = post(f"/facilities/{facility['id']}/buildings", code="1幢")
    for number, contacts in enumerate(FLATS):
        given = [{"channel": channel, "address": to} for channel, to in contacts.items()]
        post(
            "/households",
            code=f"H{number}",
            building_id=building["id"],
            room=f"10{number}",
            contacts=given,
        )
    # an emergency goes out at any hour; a planned notice would wait for the morning
    outage = post(
        "/outages",
        kind="emergency",
        facility_id=facility["id"],
        reason="equipment_repair",
        cause="水泵故障",
        starts_at=(wall_clock() - timedelta(minutes=5)).isoformat(),
    )
    return str(outage["id"])


def test_a_published_notice_goes_out_by_itself_and_its_proof_says_so(shell: Shell, sms, mail):
    before = len(sms.accepted), len(mail.accepted)
    settings = {
        "WATER2_SMS_URL": f"{sms.url}/sms",
        "WATER2_SMS_TOKEN": "secret",
        "WATER2_SMTP_URL": f"smtp://{mail.address}?from=water@example.com",
        "WATER2_ALLOWED_NETWORKS": "127.0.0.1",
        "WATER2_DELIVERY_SECONDS": "1",
    }
    with serving(shell.with_(**settings), "--with-worker") as server:
        client = server.client
        way = f"/api/v1/outages/{an_outage(client)}"
        wait_until(lambda: client.get(way).json()["notified"]["told"] == 3)
        assert client.get(way).json()["notified"] == {
            "households": 4,
            "told": 3,
            "missing": 1,
            "late": 0,
        }
        proof = client.get(f"{way}/proof").json()
    texts = [one["body"]["text"] for one in sms.accepted[before[0] :]]
    assert len(texts) == 2
    assert all("听松苑" in text for text in texts)
    assert len(mail.accepted) == before[1] + 1
    levels = sorted(household["level"] for household in proof["households"])
    assert levels == ["accepted", "accepted", "accepted", "none"]
    assert "13900000001" not in str(proof)


def test_a_worker_whose_gateway_is_set_up_wrongly_says_so_and_does_not_begin(shell: Shell):
    wrong = shell.with_(WATER2_SMTP_URL="mail.example.com")
    assert wrong.run(*FOUNDING).status == 0
    process = wrong.start("worker")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "WATER2_SMTP_URL" in said
