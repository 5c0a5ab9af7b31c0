"""The API as an application: routers, middleware, error handlers, the OpenAPI document."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, FastAPI

from water2.api import (
    anomalies,
    buildings,
    certificates,
    cleanings,
    deliveries,
    demo,
    duties,
    emergency_plans,
    endpoints,
    facilities,
    feeds,
    health,
    households,
    imports,
    instruments,
    lab_reports,
    laboratories,
    law,
    ledgers,
    notice_templates,
    outage_notices,
    outage_proof,
    outages,
    patrols,
    posters,
    public,
    readings,
    receipts,
    regulator_reports,
    samples,
    sampling_plans,
    sessions,
    staff,
    supply_stops,
    tanks,
    trends,
    users,
    work_orders,
)
from water2.api.documented import FEEDS, PUBLIC, SIGNED_IN
from water2.api.incoming import IncomingGuard
from water2.api.openapi import document
from water2.api.problems import show_problems
from water2.api.state import ApiState, MoveClock
from water2.config import Settings
from water2.work import Runtime

PREFIX = "/api/v1"
PUBLIC_ROUTES = frozenset(
    {
        "/api/v1/sessions",
        "/api/v1/receipts/sms",  # providers share a secret of ours
        "/api/v1/receipts/aliyun",
        "/api/v1/public/facilities",
        "/api/v1/public/facilities/{id}",
        "/api/v1/public/outages",
        "/api/v1/public/outages/{number}",
        "/api/v1/public/notices/{number}",
        "/api/v1/public/subscriptions",
        "/api/v1/public/subscriptions/{id}/confirm",
        "/api/v1/public/subscriptions/{id}/end",
        "/feeds/outages.atom",
        "/feeds/cap.atom",
        "/feeds/cap/{file}",
        "/feeds/outages.ics",
        "/healthz",
        "/readyz",
        "/metrics",
    }
)
"""Routes that need nobody signed in."""

_ROUTERS: tuple[APIRouter, ...] = (
    sessions.router,
    users.router,
    facilities.router,
    tanks.router,
    buildings.router,
    households.router,
    staff.router,
    certificates.router,
    duties.router,
    emergency_plans.router,
    law.router,
    work_orders.router,
    cleanings.router,
    samples.router,
    sampling_plans.router,
    anomalies.router,
    regulator_reports.router,
    trends.router,
    lab_reports.router,
    laboratories.router,
    instruments.router,
    readings.router,
    patrols.router,
    imports.router,
    outages.router,
    outage_notices.router,
    outage_proof.router,
    posters.router,
    supply_stops.router,
    notice_templates.router,
    deliveries.router,
    endpoints.router,
    receipts.router,
    ledgers.router,
    demo.router,
)


def create_api(
    runtime: Runtime,
    settings: Settings,
    *,
    wall_clock: Callable[[], datetime],
    move_clock: MoveClock | None = None,
    worker_expected: bool = False,
) -> FastAPI:
    """Build the application over an open installation.

    `wall_clock` is real time, for sessions, throttling and idempotency keys. `move_clock` sets the
    demonstration's clock and runs the sweeps it passes; without it there is no such route.
    `worker_expected`: this process runs the worker, so an overdue sweep makes it not ready.
    """
    app = FastAPI(
        title="water2",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.api = ApiState(runtime, settings, wall_clock, move_clock, worker_expected)
    app.add_middleware(IncomingGuard, prefix=f"{PREFIX}/")
    show_problems(app)
    for router in _ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=SIGNED_IN)
    app.include_router(public.router, prefix=PREFIX, responses=PUBLIC)
    app.include_router(feeds.router, responses=FEEDS)
    app.include_router(health.router)
    document(app)
    return app
