"""Whether the installation works: for load balancers, watchdogs and monitoring. No account."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel

from water2.api.state import ApiState, state_of
from water2.edge.facts import json_fact
from water2.services.readiness import Readiness, read_readiness

router = APIRouter(tags=["health"])
LEAST_FREE_BYTES = 100 << 20  # below this, SQLite and the log soon have no room


class AliveAnswer(BaseModel):
    """That the process answers."""

    status: str


class ReadyAnswer(BaseModel):
    """What was looked at; a check's `ok` is null where it is told and not judged."""

    status: str
    checks: dict[str, dict[str, Any]]


async def _read(state: ApiState) -> Readiness:
    return await read_readiness(state.runtime, state.settings.data_dir, state.wall_clock())


@router.get("/healthz", response_model=AliveAnswer)
async def show_alive() -> AliveAnswer:
    """Tell that the process answers."""
    return AliveAnswer(status="ok")


def _checks(state: ApiState, found: Readiness) -> dict[str, dict[str, Any]]:
    """Judge what was found; `ok` null means: told, not judged."""
    age, waits = found.sweep_age, found.messages_age
    late = found.sweep_late(state.sweep_pause)
    return {
        "database": {"ok": True},
        "schema": {"ok": found.schema_current, "revision": found.schema},
        "sweep": {
            "ok": not late if state.worker_expected else None,
            "age_seconds": None if age is None else int(age.total_seconds()),
        },
        "queue": {"ok": None, "rows": found.queue_rows, "days_behind": found.queue_days},
        "messages": {
            "ok": None,
            "age_seconds": None if waits is None else int(waits.total_seconds()),
        },
        "channels": {"ok": None, "stopped": found.channels_stopped},
        "setbacks": {"ok": None, "ledgers": found.set_back},
        "disk": {
            "ok": found.disk_free_bytes >= LEAST_FREE_BYTES,
            "free_bytes": found.disk_free_bytes,
        },
        "clock": {"ok": None, "now": found.now, "demo": state.move_clock is not None},
    }


@router.get("/readyz", response_model=ReadyAnswer, responses={503: {"model": ReadyAnswer}})
async def show_ready(request: Request) -> Response:
    """Tell whether requests can be answered and jobs run; 503 when not, with what is wrong."""
    state = state_of(request)
    checks = _checks(state, await _read(state))
    ready = all(check["ok"] is not False for check in checks.values())
    shown = {"status": "ready" if ready else "not_ready", "checks": json_fact(checks)}
    return JSONResponse(shown, 200 if ready else 503)


@router.get("/metrics", response_class=Response)
async def show_metrics(request: Request) -> Response:
    """Tell the same as `/readyz` in Prometheus' text format."""
    state = state_of(request)
    found = await _read(state)
    age = found.sweep_age
    registry = CollectorRegistry()
    gauges = {
        "water2_sweep_age_seconds": (
            "Seconds since the last sweep ended well; NaN: never",
            float("nan") if age is None else age.total_seconds(),
        ),
        "water2_queue_rows": ("Duties the sweep should have looked at", found.queue_rows),
        "water2_queue_days": ("Days the oldest of them waits", found.queue_days),
        "water2_messages_age_seconds": (
            "Seconds the oldest message that is due waits",
            0 if found.messages_age is None else found.messages_age.total_seconds(),
        ),
        "water2_channels_stopped": (
            "Channels stopped as misconfigured",
            found.channels_stopped,
        ),
        "water2_ledgers_set_back": ("Ledgers that lost signed entries once", found.set_back),
        "water2_disk_free_bytes": ("Free space of the data folder", found.disk_free_bytes),
        "water2_schema_current": ("Whether the schema is this program's", found.schema_current),
        "water2_clock_seconds": ("The installation's clock", found.now.timestamp()),
    }
    for name, (meaning, value) in gauges.items():
        Gauge(name, meaning, registry=registry).set(value)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
