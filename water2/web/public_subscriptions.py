"""Pages of a subscription: ask for a code, enter it, end it. No account, no session, no cookie."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from water2.clock import wall_clock
from water2.domain.errors import Invalid
from water2.services.contacts import Channel
from water2.services.public.facilities import estate
from water2.services.public.subscriptions import (
    VISITOR,
    ConfirmSubscription,
    Subscribe,
    confirm_subscription,
    end_subscription,
    end_token,
    read_end_token,
    subscribe,
)
from water2.services.throttling import Throttled
from water2.web.page import PAGE_HEADERS, render
from water2.web.public import estate_page
from water2.web.public_page import (
    PublicRoute,
    address_of,
    desk_of,
    frame_of,
    require_own_form,
    wait_of,
)
from water2.web.public_pages import CodePage, ConfirmedPage, EndPage

router = APIRouter(prefix="/subscriptions", route_class=PublicRoute, include_in_schema=False)

Line = Annotated[str, Form(max_length=200)]
Token = Annotated[str, Query(max_length=200)]
_OWN_FORM = Depends(require_own_form)


@router.post("", dependencies=[_OWN_FORM])
async def ask(request: Request, facility_id: Line, address: Line = "") -> Response:
    """Send a code to a telephone or a mail address, whichever was typed, and ask for it."""
    frame = frame_of(request)
    try:
        command = Subscribe(
            facility_id=facility_id,
            channel=Channel.mail if "@" in address or "＠" in address else Channel.phone,
            address=address,
            language=frame.language,
        )
        async with desk_of(request).runtime.work(VISITOR) as work:
            id_ = await subscribe(
                work, command, caller_address=address_of(request), at=wall_clock()
            )
    except ValidationError:
        return await _refused(request, facility_id, address, 422, "problem_address")
    except Invalid as error:
        problem = f"problem_{error.problems[0].code}"
        return await _refused(request, facility_id, address, 422, problem)
    except Throttled as error:
        seconds = error.retry_after_seconds
        return await _refused(request, facility_id, address, 429, "problem_throttled", seconds)
    return RedirectResponse(f"/subscriptions/{id_}{frame.query}", 303, PAGE_HEADERS)


async def _refused(
    request: Request, facility_id: str, address: str, status: int, problem: str, seconds: int = 0
) -> Response:
    """Show the estate's page again with what was typed and what is wrong with it."""
    frame = frame_of(request)
    frame = replace(frame, switch=f"/estates/{quote(facility_id, safe='')}{frame.switch}")
    async with desk_of(request).runtime.read() as work:
        page = estate_page(
            frame,
            await estate(work, facility_id),
            work.now,
            address=address,
            problem=problem,
            wait=wait_of(seconds),
        )
    return render(page, status, {"Retry-After": str(seconds)} if seconds else None)


@router.get("/{id_}")
async def show_code_form(request: Request) -> Response:
    """Show the form for the code; it looks the same for a subscription that is none."""
    return render(CodePage(frame=frame_of(request)))


@router.post("/{id_}", dependencies=[_OWN_FORM])
async def confirm(request: Request, id_: str, code: Line = "") -> Response:
    """Confirm a subscription by its code."""
    frame, runtime = frame_of(request), desk_of(request).runtime
    try:
        command = ConfirmSubscription(code=code)
        subscription = await confirm_subscription(runtime, id_, command)
    except (Invalid, ValidationError):
        return render(CodePage(frame=frame, problem="problem_code"), 422)
    token = end_token(runtime.contacts, subscription.id)
    way = f"/subscriptions/{subscription.id}/end?{urlencode({'token': token})}"
    return render(ConfirmedPage(frame=frame, facility_id=subscription.facility_id, end_way=way))


@router.get("/{id_}/end")
async def show_end(request: Request, id_: str, token: Token = "") -> Response:
    """Show the button: programs that look into mail follow links, and must not end anything."""
    read_end_token(desk_of(request).runtime.contacts, id_, token)
    return render(EndPage(frame=frame_of(request), ended=False))


@router.post("/{id_}/end")
async def end(request: Request, id_: str, token: Token = "") -> Response:
    """End a subscription: from the button, or by the mail program's one click (RFC 8058).

    The token is what allows it, so that it may come from anywhere; the body is not looked at.
    """
    async with desk_of(request).runtime.work(VISITOR) as work:
        await end_subscription(work, id_, token)
    return render(EndPage(frame=frame_of(request), ended=True))
