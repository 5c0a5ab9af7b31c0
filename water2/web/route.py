"""The route class of all pages: whatever goes wrong inside becomes a page."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from water2.web.errors import answer_error

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """Answers errors as pages, where the API answers them as problem details."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler FastAPI makes, dependencies and form checks included."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return answer_error(request, error)

        return answer
