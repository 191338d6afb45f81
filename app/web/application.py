"""The web side as one ASGI application: all routes, and the middleware around them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import BaseRoute

from app.web.access import login_routes, middleware
from app.web.album.languages import Speaking
from app.web.album.pages import Pages
from app.web.api import api_routes
from app.web.booth.pages import BoothPages
from app.web.context import WebContext
from app.web.errors import handlers
from app.web.permission import Permission
from app.web.request_metrics import Counting
from pylib.errors import Failure


def application(context: WebContext) -> Starlette:
    """The album, the API and the login."""
    pages = Pages(context)
    answers = handlers(pages.error)
    routes: list[BaseRoute] = [
        *api_routes(context),
        *login_routes(context.access, pages.rendering.page),
        *pages.routes(),
        *(BoothPages(context.booth, context, pages.rendering).routes() if context.booth else ()),
    ]
    bucket = context.upload_bucket
    headers, prefix, guard = middleware(context.access, context.links, sends_to=bucket.address if bucket else "")
    served = Starlette(
        routes=routes,
        middleware=[
            headers,
            prefix,
            Middleware(Speaking),
            Middleware(Counting, routes=routes, traffic=context.traffic),
            guard,
            # A second one, besides Starlette's outermost: so unexpected errors get our headers and are counted, too.
            Middleware(ServerErrorMiddleware, handler=answers.pop(Exception)),
            Middleware(Permission, routes=routes, context=context, refuse=answers[Failure]),
        ],
        exception_handlers=answers,
    )
    served.router.redirect_slashes = False
    return served
