"""The OpenAPI document: an example beside every request body and every answer."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from water2.api.documented import ProblemAnswer

_DESCRIPTION = """Secondary water supply: law → duty → evidence.

Refusals by a rule are problem details of type `urn:water2:refused:<obligation id>` with `article`,
`quote` and `facts`. Writes take an `Idempotency-Key`. Lists answer `items` and `next`."""


@cache
def examples() -> dict[str, Any]:
    """Return an example for each schema by its name, from the files of `examples/`."""
    found: dict[str, Any] = {}
    for source in files("water2.api").joinpath("examples").iterdir():
        found |= json.loads(source.read_text(encoding="utf-8"))
    return found


def document(app: FastAPI) -> None:
    """Let an application answer its OpenAPI document with the examples, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title="water2", version="1", description=_DESCRIPTION, routes=app.routes)
    components = schema["components"]["schemas"]
    components["ProblemAnswer"] = ProblemAnswer.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    components |= components["ProblemAnswer"].pop("$defs", {})
    for name, example in examples().items():
        if name in components:
            components[name]["examples"] = [example]
    for content in _contents(schema):
        _add_example(content)
    return schema


def _contents(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each media type of each request body and each answer."""
    for path in schema["paths"].values():
        for operation in path.values():
            yield from operation.get("requestBody", {}).get("content", {}).values()
            for answer in operation["responses"].values():
                yield from answer.get("content", {}).values()


def _add_example(content: dict[str, Any]) -> None:
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    item = name.removeprefix("ListAnswer_").removesuffix("_")
    if name in examples():
        content["example"] = examples()[name]
    elif item != name and item in examples():
        content["example"] = {"items": [examples()[item]], "next": None}
