"""How long it takes from a bad result to a quality notice that the public can read.

Run: `.venv/bin/python -m tests.benchmarks.bench_bad_reading`. Over the API in this process a bad
sample is recorded, supply stopped at the anomaly that it opened, and the notice fetched by its
number as a resident would. The facility supplies a thousand households, each of which is to be told
by its own message. Measured is the whole of it; the baseline is the time to be kept to.
"""

import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from fastapi import FastAPI

from tests.benchmarks.bench_publish_notice import seed_estate
from tests.benchmarks.gateways_stage import within
from tests.benchmarks.requests import a_token, ask, our_api
from tests.benchmarks.stage import NOW, Figure, Stage, run
from water2.domain.facility import Facility

HOUSEHOLDS = 1000
ITEMS = ("e_coli", "turbidity", "colour", "iron", "manganese", "lead", "arsenic", "cadmium", "tds")
LIMIT_SECONDS = 1.0
API = "/api/v1"


async def measure(
    stage: Stage, dialect: str, households: int = HOUSEHOLDS, turns: int = len(ITEMS)
) -> list[Figure]:
    """Find one item after the other bad, each an anomaly of its own."""
    async with stage.installation(dialect) as (installation, _):
        token = await a_token(installation)
        facility = await seed_estate(installation, households)
        with TemporaryDirectory() as folder:
            app = our_api(installation, Path(folder))
            seconds = [await _turn(app, token, facility, item) for item in ITEMS[:turns]]
    return [
        within("bad result to published notice", dialect, median(seconds), LIMIT_SECONDS),
        within("bad result to published notice, slowest", dialect, max(seconds), LIMIT_SECONDS),
    ]


async def _turn(app: FastAPI, token: str, facility: Facility, item: str) -> float:
    bad = {
        "facility_id": facility.id,
        "point": "outlet",
        "purpose": "routine",
        "sampled_at": NOW.isoformat(),
        "results": [{"parameter": item, "raw": "99999"}],
    }
    began = time.perf_counter()
    sample = json.loads(await ask(app, "POST", f"{API}/samples", token=token, body=bad))
    anomaly = f"{API}/anomalies/{sample['anomaly_id']}"
    stopped = json.loads(
        await ask(app, "POST", f"{anomaly}/stop-supply", token=token, body={"at": NOW.isoformat()})
    )
    outage = f"{API}/outages/{stopped['outage_id']}"
    number = json.loads(await ask(app, "GET", outage, token=token))["number"]
    notice = json.loads(await ask(app, "GET", f"{API}/public/notices/{number}"))
    seconds = time.perf_counter() - began
    assert notice["number"] == number
    return seconds


if __name__ == "__main__":
    run(measure)
