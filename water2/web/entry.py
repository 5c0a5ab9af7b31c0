"""Signing in and out, one's own password, the language."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from water2.clock import wall_clock
from water2.domain.errors import Invalid
from water2.services.accounts import SHORTEST_PASSWORD
from water2.services.own_password import ChangePassword, change_password, prepare_change
from water2.services.sign_in import NotSignedIn, SignIn, sign_in, sign_out
from water2.services.throttling import Throttled
from water2.web.page import PAGE_HEADERS, render
from water2.web.pages import PasswordPage, SignInPage
from water2.web.route import PageRoute
from water2.web.visit import (
    FORM_COOKIE,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    AnyVisit,
    CheckedForm,
    Visit,
)
from water2.web.ways import HOME, PASSWORD, SIGN_IN, way_back
from water2.words import Language

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)

Line = Annotated[str, Form(max_length=200)]
Address = Annotated[str, Form(max_length=500)]
_A_YEAR = 365 * 24 * 3600


def _go(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, PAGE_HEADERS)


def _set_cookie(visit: Visit, answer: Response, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(
        visit.desk.cookie(name),
        value,
        max_age=seconds,
        path="/",
        secure=visit.desk.settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def _drop_cookie(visit: Visit, answer: Response, name: str) -> None:
    secure = visit.desk.settings.secure_cookies
    answer.delete_cookie(
        visit.desk.cookie(name), path="/", secure=secure, httponly=True, samesite="lax"
    )


@router.get("/sign-in")
async def show_sign_in(visit: AnyVisit, back: str = HOME) -> Response:
    """Show the way in; whoever is in already goes on."""
    if visit.caller is not None:
        return _go(way_back(back))
    return _entrance(visit, SignInPage(frame=visit.frame(), back=way_back(back)))


def _entrance(visit: Visit, page: SignInPage, status: int = 200) -> Response:
    """Show the form, and remember its token: nobody signs a visitor in from another site."""
    answer = render(page, status)
    _set_cookie(visit, answer, FORM_COOKIE, visit.form_token, None)
    return answer


@router.post("/sign-in", dependencies=[CheckedForm])
async def enter(visit: AnyVisit, username: Line, password: Line, back: Address = HOME) -> Response:
    """Sign in, and go where the visitor was going."""
    try:
        opened = await sign_in(
            visit.desk.runtime,
            SignIn(username=username, password=SecretStr(password)),
            address=visit.address,
            at=wall_clock(),
            hours=visit.desk.settings.session_hours,
        )
    except NotSignedIn:
        page = SignInPage(
            frame=visit.frame(), back=way_back(back), username=username, problem="wrong"
        )
        return _entrance(visit, page, 401)
    except Throttled as error:
        page = SignInPage(
            frame=visit.frame(),
            back=way_back(back),
            username=username,
            problem="throttled",
            wait_seconds=error.retry_after_seconds,
        )
        return _entrance(visit, page, 429)
    answer = _go(PASSWORD if opened.caller.must_change_password else way_back(back))
    seconds = visit.desk.settings.session_hours * 3600
    _set_cookie(visit, answer, SESSION_COOKIE, opened.token, seconds)
    _drop_cookie(visit, answer, FORM_COOKIE)
    return answer


@router.post("/sign-out", dependencies=[CheckedForm])
async def leave(visit: AnyVisit) -> Response:
    """End the session, here and in the database."""
    caller = visit.signed_in()
    async with visit.desk.runtime.work(caller.actor) as work:
        await sign_out(work, caller)
    answer = _go(SIGN_IN)
    _drop_cookie(visit, answer, SESSION_COOKIE)
    return answer


@router.get("/password")
async def show_password(visit: AnyVisit) -> Response:
    """Show the form for one's own new password."""
    return render(_password_page(visit))


def _password_page(visit: Visit, problem: str | None = None, wait_seconds: int = 0) -> PasswordPage:
    caller = visit.signed_in()
    return PasswordPage(
        frame=visit.frame(),
        required=caller.must_change_password,
        problem=problem,
        shortest=SHORTEST_PASSWORD,
        wait_seconds=wait_seconds,
    )


@router.post("/password", dependencies=[CheckedForm])
async def set_password(visit: AnyVisit, current: Line, new: Line, again: Line) -> Response:
    """Change one's own password; one's other sessions end. Wrong attempts are throttled."""
    caller, runtime = visit.signed_in(), visit.desk.runtime
    if new != again:
        return render(_password_page(visit, "differ"), 422)
    command = ChangePassword(current=SecretStr(current), new=SecretStr(new))
    try:
        change = await prepare_change(
            runtime, caller, command, address=visit.address, at=wall_clock()
        )
        async with runtime.work(caller.actor) as work:
            await change_password(work, caller, change)
    except Throttled as error:
        return render(_password_page(visit, "throttled", error.retry_after_seconds), 429)
    except NotSignedIn:
        return render(_password_page(visit, "wrong"), 422)
    except Invalid as error:
        return render(_password_page(visit, error.problems[0].code), 422)
    return _go(HOME)


@router.get("/language")
async def choose_language(visit: AnyVisit, to: Language, back: str = HOME) -> Response:
    """Remember the language; it is the reader's own and changes nothing for anybody else."""
    answer = _go(way_back(back))
    _set_cookie(visit, answer, LANGUAGE_COOKIE, to, _A_YEAR)
    return answer
