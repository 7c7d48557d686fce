"""The ASGI app: the API's routes, its guard and headers, and the database for as long as it runs.

The dashboards add their pages to the app that `create_api` returns. The guard and the headers stay outermost
whatever is added later.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from energy_center.api import build, openapi, problems
from energy_center.api.auth import Guard
from energy_center.api.cookies import over_tls
from energy_center.api.rate_limit import AttemptLimit
from energy_center.api.request_counts import CountRequests, RequestCounts
from energy_center.api.routes import (
    alarms,
    attachments,
    audit,
    bills,
    commands,
    contacts,
    departments,
    devices,
    duties,
    energy,
    equipment,
    health,
    measures,
    meter_events,
    metrics,
    notifications,
    on_call,
    overview,
    points,
    rules,
    series,
    sessions,
    spaces,
    suggestions,
    users,
    utility_bills,
    work_orders,
)
from energy_center.api.security_headers import SecurityHeaders
from energy_center.api.too_large import SayTooLarge
from energy_center.errors import EnvironmentProblem, NotFound
from energy_center.settings import Settings
from energy_center.store.pool import Database

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_MIN_CONNECTIONS = 2
_MAX_CONNECTIONS = 12
_COMPRESS_FROM_BYTES = 500
_MAX_BODY_BYTES = 2_000_000
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class GuardedApp(FastAPI):
    """An app whose guard and security headers enclose every other middleware, also those added later."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the usual stack."""
        settings: Settings = self.state.settings
        guarded = Guard(SayTooLarge(super().build_middleware_stack()), settings)
        headed = SecurityHeaders(guarded, self.state.script_hashes, over_tls=over_tls(settings))
        return CountRequests(headed, self.state.request_counts)

    def openapi(self) -> dict[str, Any]:
        """The description with each route's permission and problems."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self)
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    if settings.database_url is None:
        raise EnvironmentProblem("DATABASE_URL is not set: it says which database the server uses.")
    dsn = settings.database_url.get_secret_value()
    database = await Database.open(dsn, min_size=_MIN_CONNECTIONS, max_size=_MAX_CONNECTIONS)
    try:
        app.state.database = database
        async with AsyncExitStack() as stack:
            for lifespan in app.state.lifespans:
                await stack.enter_async_context(lifespan(app))
            yield
    finally:
        await database.close()


def create_api(settings: Settings) -> FastAPI:
    """The app with every route of the API.

    `app.state` holds, for those who add to it: `database` (while it runs), `settings`, `lifespans` (a list of
    `Lifespan`, entered after the database is open and left before it closes) and `script_hashes` (a list of
    CSP sources such as `'sha256-…'` for inline scripts that the pages need).
    """
    app = GuardedApp(
        title="Energy Center API",
        version=build.version(),
        summary="Live values, history, alarms and work orders of the buildings of one site.",
        description=openapi.DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=_lifespan,
        docs_url=None,  # its pages load scripts from other hosts
        redoc_url=None,
        openapi_url="/openapi.json",
        openapi_tags=openapi.TAGS,
        max_body_size=_MAX_BODY_BYTES,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.lifespans = []
    app.state.script_hashes = []
    app.state.log_in_attempts = AttemptLimit()
    app.state.link_attempts = AttemptLimit()
    app.state.request_counts = RequestCounts()
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESS_FROM_BYTES)
    problems.answer_with_problems(app)
    app.include_router(health.router, prefix="/api")
    app.include_router(metrics.router)
    app.include_router(_version_1(), prefix="/api/v1")
    _refuse_unknown_paths(app)
    return app


def _version_1() -> APIRouter:
    router = APIRouter()
    for subject in (
        sessions,
        overview,
        equipment,
        points,
        energy,
        departments,
        spaces,
        measures,
        meter_events,
        series,
        bills,
        suggestions,
        utility_bills,
        alarms,
        contacts,
        on_call,
        notifications,
        rules,
        work_orders,
        commands,
        duties,
        attachments,
        devices,
        users,
        audit,
    ):
        router.include_router(subject.router)
    return router


def _refuse_unknown_paths(app: FastAPI) -> None:
    """Answer any other path under /api as JSON, before a page's catch-all can answer it as HTML."""

    @app.api_route("/api", methods=_METHODS, include_in_schema=False)
    @app.api_route("/api/{path:path}", methods=_METHODS, include_in_schema=False)
    async def unknown_path(path: str = "") -> None:
        raise NotFound(f"The API has no path /api/{path} for this method.")
