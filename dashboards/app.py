"""The web process's ASGI app: the API's app with the pages mounted on it.

`create()` is the factory that uvicorn is started with. Call it once a process: Dash keeps its own registries.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from dash import Dash, Input, Output, State, hooks, no_update
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component
from fastapi import FastAPI
from starlette.types import ASGIApp

from dashboards import acknowledge, explain, login
from dashboards.away import AwayPage
from dashboards.components import states
from dashboards.live.hub import Hub, hub, set_hub
from dashboards.live.push import push
from dashboards.live.session_watch import refuse_ended
from dashboards.request import ThemeCookie, current_theme, known_zone, make_request, site_zone
from dashboards.routes import HINTS, find_page, menu, phone_bar
from dashboards.shell import shell
from dashboards.theme.css import stylesheet
from energy_center.api.app import create_api
from energy_center.api.auth import current_language, current_user
from energy_center.api.build import build_id
from energy_center.domain.people import UserRole
from energy_center.errors import NotFound, RetryLater
from energy_center.i18n.text import DEFAULT_LANGUAGE, text
from energy_center.services.live_feed import LiveFeed
from energy_center.settings import Settings

ASSETS = Path(__file__).parent / "assets"
_DEFAULT_ZONE = "Asia/Taipei"

_INDEX = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}" data-build="{build}">
  <head>
    {metas}
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
    <meta name="color-scheme" content="light dark">
    <title>{title}</title>
    {favicon}
    <style>{tokens}</style>
    {css}
  </head>
  <body>
    {app_entry}
    <footer>{config}{scripts}{renderer}</footer>
  </body>
</html>"""


class PagesApp(Dash):  # type: ignore[misc]  # Dash ships no types
    """Dash with an index of our own: the right language and theme from the first paint."""

    def interpolate_index(self, **parts: str) -> str:
        """Fill the index; called within the request, so that the ContextVars are this person's."""
        language = current_language.get()
        parts["title"] = text("app.name", language)
        return _INDEX.format(
            language=language, theme=current_theme.get(), build=build_id(), tokens=stylesheet(), **parts
        )


def create() -> ASGIApp:
    """The app, configured by the environment."""
    settings = Settings()
    app = create_api(settings)
    login.add_to(app)
    acknowledge.add_to(app)
    explain.add_to(app)
    pages = PagesApp(
        name="dashboards",
        server=app,
        use_async=True,
        use_pages=False,
        serve_locally=True,
        assets_folder=str(ASSETS),
        suppress_callback_exceptions=True,
        update_title="",
        websocket_heartbeat_interval=15_000,
    )
    pages.layout = _layout
    _register(pages)
    app.add_middleware(ThemeCookie)

    @asynccontextmanager
    async def live(running: FastAPI) -> AsyncIterator[None]:
        pages._setup_server()  # noqa: SLF001 else a restarted server knows no callback until the first page load
        running.state.script_hashes.extend(pages.csp_hashes())
        dsn = settings.database_url.get_secret_value() if settings.database_url else ""
        feed = LiveFeed(dsn, running.state.database)
        async with feed.running():
            centre = Hub(running.state.database, feed)
            set_hub(centre)
            await site_zone(running.state.database)
            async with centre.watching():
                try:
                    yield
                finally:
                    set_hub(None)

    app.state.lifespans.append(live)
    return AwayPage(app)


def _layout() -> Component:
    """The shell of the person who asks; without one, as at start-up, in the default language."""
    user, language = current_user.get(), current_language.get()
    if user is None:
        return shell(None, DEFAULT_LANGUAGE, _DEFAULT_ZONE, (), ())
    top = [(p.path, p.title, p.icon) for p in menu()]
    bottom = [(p.path, p.title, p.icon) for p in phone_bar()]
    return shell(user, language, known_zone(hub().database).key, top, bottom)


async def draw(path: str, search: str) -> Component:
    """The page of a path; whatever goes wrong becomes a page that says so."""
    language = current_language.get()
    found = find_page(path)
    if found is None:
        return states.not_found(text("states.not_found", language), language)
    page, params = found
    try:
        request = await make_request(hub().database, path, params, _query(search))
        if not request.user.may(page.permission):
            return states.denied(UserRole.ADMIN.value, language)
        return await page.draw(request)
    except NotFound as missing:
        return states.not_found(_missing_words(path, missing, language), language)
    except RetryLater:
        return states.away(language)
    except Exception as problem:  # noqa: BLE001 the shell must stay; the failure is logged with a reference
        return states.failed(problem, language)


def _missing_words(path: str, _missing: NotFound, language: str) -> str:
    subject = path.strip("/").split("/")[0].replace("-", "_").replace("alarms", "alarm")
    keys = {
        "equipment": "equipment.not_found",
        "alarm": "alarm.not_found",
        "work_orders": "work_order.not_found",
        "devices": "devices.not_found",
        "rules": "tuning.not_found",
    }
    return text(keys.get(subject, "overview.no_site"), language)


def _query(search: str | None) -> dict[str, str]:
    return dict(parse_qsl((search or "").lstrip("?")))


def _register(pages: Dash) -> None:
    pages.callback(Output("shell-page", "children"), Input("shell-view", "data"))(_show_page)
    pages.callback(websocket=True, persistent=True)(push)
    hooks.websocket_message()(refuse_ended)
    pages.clientside_callback(
        ClientsideFunction("live", "moved"),
        Output("shell-view", "data"),
        Input("shell-url", "pathname"),
        Input("shell-url", "search"),
    )
    for subject in HINTS:
        pages.clientside_callback(
            ClientsideFunction("live", f"hint_{subject}"),
            Output(f"shell-{subject}", "data"),
            Input("live", "data"),
        )
        pages.callback(
            Output(f"part-{subject}", "children"),
            Input(f"shell-{subject}", "data"),
            State("shell-view", "data"),
            prevent_initial_call=True,
        )(_part_drawer(subject))


async def _show_page(view: dict[str, Any] | None) -> Any:  # noqa: ANN401 a component, or Dash's marker for none
    if not view:
        return no_update
    hub().move(str(view["viewer"]), str(view["path"]))
    return await draw(str(view["path"]), str(view["search"]))


def _part_drawer(subject: str) -> Callable[[Any, dict[str, Any] | None], Awaitable[Any]]:
    """Draws the part of the page in view that shows this subject, when something of it changed."""

    async def draw_part(_count: Any, view: dict[str, Any] | None) -> Any:  # noqa: ANN401 as above
        found = find_page(str(view["path"])) if view else None
        if view is None or found is None or subject not in found[0].parts:
            return no_update
        page, params = found
        request = await make_request(hub().database, str(view["path"]), params, _query(str(view["search"])))
        return await page.parts[subject](request)

    return draw_part
