"""Errors as pages, in the reader's language, with article and quote where a rule refuses."""

import logging

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from water2.domain.errors import DomainError
from water2.edge.database_away import (
    DATABASE_ERRORS,
    RETRY_AFTER_SECONDS,
    database_away,
    value_unstorable,
)
from water2.edge.problems import Problem, plain_problem, problem_of
from water2.services.sign_in import MustChangePassword, NotSignedIn
from water2.web.page import PAGE_HEADERS, render
from water2.web.pages import ErrorPage
from water2.web.visit import FormExpired, language_of, visit_so_far
from water2.web.ways import PASSWORD, sign_in_way
from water2.words import Words, words

_OWN_HEADING = {401, 403, 404, 409, 422, 429, 500, 503}
_log = logging.getLogger(__name__)


def answer_error(request: Request, error: Exception) -> Response:
    """Return the page that tells of an error; who reads a page first signs in."""
    if isinstance(error, MustChangePassword):
        return RedirectResponse(PASSWORD, 303, PAGE_HEADERS)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return RedirectResponse(sign_in_way(request), 303, PAGE_HEADERS)
    say = words(language_of(request))
    problem = page_problem(request, say, error)
    status = problem.status if problem.status in _OWN_HEADING else 409
    own = f"error.{problem.reason}"
    page = ErrorPage(
        frame=visit_so_far(request).frame(),
        status=status,
        text=say.text(own) if say.has(own) else problem.detail,
        article=problem.article,
        quote=problem.quote,
        ground=problem.title if problem.article else None,
    )
    return render(page, status, problem.headers)


def page_problem(request: Request, say: Words, error: Exception) -> Problem:
    """Return what a page tells of an error; a fault of ours goes to the log."""
    problem = _problem(say, error)
    if problem.status >= 500:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return problem


def _problem(say: Words, error: Exception) -> Problem:
    if isinstance(error, FormExpired):
        return plain_problem(say, 403, "form_expired")
    if isinstance(error, DomainError):
        return problem_of(error, say)
    if isinstance(error, RequestValidationError | ValidationError) or value_unstorable(error):
        return plain_problem(say, 422, "form_unreadable")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return plain_problem(say, 404, "not_found")
    if isinstance(error, DATABASE_ERRORS) and database_away(error):
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return plain_problem(say, 503, "database_away", headers=wait)
    return plain_problem(say, 500, "fault")
