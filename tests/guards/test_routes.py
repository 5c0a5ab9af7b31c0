"""Every route has an actor or is public, shows every error as a problem, and has its examples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from water2.api.acts import ActRoute, acting, open_act, open_own_act
from water2.api.app import PUBLIC_ROUTES, create_api
from water2.api.callers import any_caller, open_reading
from water2.api.openapi import examples
from water2.config import Settings

KNOW_THE_ACTOR = {any_caller, open_reading}
# writes that open their unit themselves, after what takes its time, or must stay written
OPEN_THEIR_OWN_ACT = {
    "/api/v1/me/password",
    "/api/v1/imports/{kind}",
    "/api/v1/users",
    "/api/v1/users/{id}/password",
}
WITHOUT_KEY = {
    "/api/v1/sessions",  # design.md
    "/api/v1/demo/clock",  # a clock set twice is set
    "/api/v1/receipts/sms",  # de-duplicated by content: providers know no keys of ours
    "/api/v1/receipts/aliyun",
    # keys are an actor's own, and nobody is signed in: what is asked twice is sent once, and what
    # is confirmed or ended stays so
    "/api/v1/public/subscriptions",
    "/api/v1/public/subscriptions/{id}/confirm",
    "/api/v1/public/subscriptions/{id}/end",
}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    def never() -> Any:
        raise AssertionError("nothing is asked of it here")

    return create_api(None, Settings(data_dir=Path("nowhere")), wall_clock=never)


def calls_of(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls_of(inner)


def routes(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    found = {}
    for context in app.router.routes:
        included = getattr(context, "original_router", None)
        prefix = context.include_context.prefix if included is not None else ""
        for route in included.routes if included is not None else [context]:
            if isinstance(route, APIRoute):
                for method in route.methods:
                    found[method, prefix + route.path] = route
    return found


def operations(app: FastAPI) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_guards_see_every_operation(app):
    assert set(routes(app)) == set(operations(app))
    assert len(routes(app)) > 80


def test_every_route_has_an_actor_or_is_on_the_public_list(app):
    for (method, path), route in routes(app).items():
        knows = KNOW_THE_ACTOR & set(calls_of(route.dependant))
        assert bool(knows) != (path in PUBLIC_ROUTES), (method, path)


def test_every_write_takes_an_idempotency_key_and_commits_before_it_answers(app):
    for (method, path), route in routes(app).items():
        if method in ("GET", "HEAD") or path in WITHOUT_KEY:
            continue
        headers = [p["name"] for p in operations(app)[method, path].get("parameters", [])]
        assert "Idempotency-Key" in headers, (method, path)
        if path in OPEN_THEIR_OWN_ACT:
            assert acting.__name__ in route.endpoint.__code__.co_names, (method, path)
            assert isinstance(route, ActRoute), (method, path)


def test_units_of_work_end_before_the_answer_is_sent(app):
    """With FastAPI's default scope a failing commit would still be answered 201."""
    for key, route in routes(app).items():
        if {open_act, open_own_act} & set(calls_of(route.dependant)):
            assert isinstance(route, ActRoute), key
        for inner in route.dependant.dependencies:
            if inner.call is open_reading:
                assert inner.scope == "function", key


def test_every_operation_says_what_it_does_and_which_errors_it_has(app):
    for key, operation in operations(app).items():
        assert operation.get("description"), key
        if key[1] not in PUBLIC_ROUTES:
            statuses = set(operation["responses"])
            assert {"401", "403", "404", "409", "422", "500", "503"} <= statuses, key
        for status, answer in operation["responses"].items():
            if status >= "400" and key[1] != "/readyz":  # it tells what is not ready
                assert list(answer["content"]) == ["application/problem+json"], (key, status)


def test_every_body_and_every_answer_has_an_example(app):
    lacking = []
    for key, operation in operations(app).items():
        contents = [operation.get("requestBody", {})]
        contents += [answer for status, answer in operation["responses"].items() if status < "300"]
        for content in contents:
            for media_type, shown in content.get("content", {}).items():
                if (
                    media_type in ("application/json", "multipart/form-data")
                    and "example" not in shown
                ):
                    lacking.append((*key, shown.get("schema")))
    assert lacking == []


def test_every_example_of_a_body_is_one_that_is_taken(app):
    for key, route in routes(app).items():
        for body in route.dependant.body_params:
            command = body.field_info.annotation
            assert command.model_validate(examples()[command.__name__]), key
