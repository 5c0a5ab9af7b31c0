"""Every error of the API as problem details, in Chinese unless English is asked for."""

import json
import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from water2.api.acts import Replayed, replayed_answer
from water2.api.state import state_of
from water2.domain.errors import DomainError, FieldProblem
from water2.edge.database_away import (
    DATABASE_ERRORS,
    RETRY_AFTER_SECONDS,
    broken_off,
    database_away,
    taken_meanwhile,
    value_unstorable,
)
from water2.edge.facts import zone_named
from water2.edge.fields import field_problems
from water2.edge.language import language_of
from water2.edge.problems import Problem, invalid_problem, plain_problem, problem_of
from water2.words import Words, words

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)
# what Starlette and FastAPI refuse by themselves
_CODES = {
    404: "route_unknown",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_unknown",
}


def words_for(request: Request) -> Words:
    """Return the words of the language a request asks for."""
    asked = request.query_params.get("lang")
    return words(language_of(asked, request.headers.get("accept-language")))


def problem_answer(problem: Problem) -> Response:
    """Return a problem as its HTTP answer."""
    content = json.dumps(problem.body(), ensure_ascii=False).encode(errors="replace")
    return Response(content, problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)  # noqa: S101 - registered for it alone
    zone = zone_named(state_of(request).settings.timezone)
    return problem_answer(problem_of(error, words_for(request), zone))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    problems = field_problems(error.errors())
    return problem_answer(invalid_problem(words_for(request), problems))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    say = words_for(request)
    if error.status_code == 400:  # a body that could not be read at all
        return problem_answer(invalid_problem(say, [FieldProblem("body", "json_invalid")]))
    code = _CODES.get(error.status_code, "http_error")
    headers = dict(error.headers or {})
    return problem_answer(plain_problem(say, error.status_code, code, headers=headers))


async def _database_error(request: Request, error: Exception) -> Response:
    say = words_for(request)
    if value_unstorable(error):
        return problem_answer(invalid_problem(say, [FieldProblem("body", "text_unstorable")]))
    if taken_meanwhile(error):
        return problem_answer(plain_problem(say, 409, "taken_meanwhile"))
    if database_away(error):
        code = "contended" if broken_off(error) else "database_away"
        _log.warning("%s: %s", code, type(error).__name__)
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return problem_answer(plain_problem(say, 503, code, headers=wait))
    return await _fault(request, error)


async def _fault(request: Request, error: Exception) -> Response:
    """Answer a fault of ours; the traceback goes to the log, never to the caller."""
    _log.error("fault at %s %s", request.method, request.url.path, exc_info=error)
    return problem_answer(plain_problem(words_for(request), 500, "fault"))


async def _replayed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Replayed)  # noqa: S101 - registered for it alone
    return replayed_answer(error.answer)


def show_problems(app: FastAPI) -> None:
    """Let every error of an application be answered as problem details."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Replayed, _replayed)
    app.add_exception_handler(Exception, _fault)
    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, _database_error)
