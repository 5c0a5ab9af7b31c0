"""The pages as a part of the application."""

from fastapi import APIRouter, FastAPI, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from water2.config import Settings
from water2.domain.errors import NotFound
from water2.services.demo.clock import Deliver
from water2.web import demo, desk, entry, inspect, public, public_subscriptions
from water2.web.page import PAGE_HEADERS
from water2.web.route import PageRoute
from water2.web.visit import Desk
from water2.work import Runtime

PUBLIC_PAGES = frozenset(
    {
        "/",
        "/estates/{id_}",
        "/notices",
        "/notices/{number:path}",
        "/subscriptions",
        "/subscriptions/{id_}",
        "/subscriptions/{id_}/end",
        "/desk/sign-in",
        "/desk/language",
        "/desk/{rest:path}",
        "/inspect/{rest:path}",
    }
)
"""Pages that need nobody signed in."""

rest = APIRouter(route_class=PageRoute, include_in_schema=False)


@rest.get("/desk/{rest:path}")
@rest.get("/inspect/{rest:path}")
async def show_nothing(rest: str) -> Response:
    """Tell, as a page, that there is none."""
    raise NotFound("page", rest)


class _Static(StaticFiles):
    """Style and pictures, with the pages' headers; their address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Add the headers."""
        answer = await super().get_response(path, scope)
        kept = {"Cache-Control": "public, max-age=86400"}
        answer.headers.update({**PAGE_HEADERS, **kept})
        return answer


def add_pages(
    app: FastAPI, runtime: Runtime, settings: Settings, deliver: Deliver | None = None
) -> None:
    """Add the pages to an application; the composition root calls it once.

    `deliver` sends what is due, where a demonstration's clock passes it.
    """
    app.state.desk = Desk(runtime, settings, deliver)
    static = _Static(packages=[("water2.web", "static")])
    # at the root, too: the public pages stand without the desk, which may be closed to the world
    for way in ("/static", "/desk/static"):
        app.mount(way, static, name=f"static-of-{way}")
    routers = (public, public_subscriptions, entry, desk, inspect, demo)
    for router in (*(module.router for module in routers), rest):
        app.include_router(router)
