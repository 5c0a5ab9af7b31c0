"""The route class of all pages: whatever goes wrong inside becomes a page."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from water2.web.errors import answer_error
from water2.web.page import PAGE_HEADERS
from water2.words import LANGUAGES

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _in_language(request: Request) -> Response | None:
    """Lead an address that asks for a language (`?lang=en`) over the switch that remembers it."""
    asked = request.query_params.get("lang")
    if request.method != "GET" or asked not in LANGUAGES:
        return None
    page = request.url.remove_query_params("lang")
    back = f"{page.path}?{page.query}" if page.query else page.path
    return RedirectResponse(
        f"/desk/language?{urlencode({'to': asked, 'back': back})}", 303, PAGE_HEADERS
    )


class PageRoute(APIRoute):
    """Answers errors as pages, where the API answers them as problem details."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler FastAPI makes, dependencies and form checks included."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return _in_language(request) or await handle(request)
            except Exception as error:
                return answer_error(request, error)

        return answer
