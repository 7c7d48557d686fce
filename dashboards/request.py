"""What a page is asked with: who, in which language, where, when. Read once, at the edge of a page."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from zoneinfo import ZoneInfo

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from energy_center.api.auth import current_language, signed_in_user
from energy_center.api.deps import Data
from energy_center.domain.people import User
from energy_center.errors import NotFound
from energy_center.i18n.text import text
from energy_center.services.read_overview import read_overview

THEME_COOKIE = "ec_theme"
_FALLBACK_ZONE = "Asia/Taipei"

current_theme: ContextVar[str] = ContextVar("current_theme", default="light")
_zones: dict[int, ZoneInfo] = {}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`params` come from the path's pattern, `query` from the part after `?`."""

    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    user: User
    language: str
    theme: str
    zone: ZoneInfo
    now: datetime
    database: Data = field(repr=False)

    def t(self, key: str, **holes: object) -> str:
        """The words of a key in this person's language."""
        return text(key, self.language, **holes)


async def site_zone(database: Data) -> ZoneInfo:
    """The site's time zone; before a site is applied, the default installation's."""
    known = _zones.get(id(database))
    if known is not None:
        return known
    try:
        overview = await read_overview(database, datetime.now(UTC))
    except NotFound:
        return ZoneInfo(_FALLBACK_ZONE)
    return _zones.setdefault(id(database), ZoneInfo(overview.time_zone))


def known_zone(database: Data) -> ZoneInfo:
    """The zone that `site_zone` found last, without asking: Dash draws the shell without awaiting."""
    return _zones.get(id(database), ZoneInfo(_FALLBACK_ZONE))


async def make_request(
    database: Data, path: str, params: Mapping[str, str], query: Mapping[str, str]
) -> PageRequest:
    """Gather what the ContextVars of this request or socket say."""
    return PageRequest(
        path=path,
        params=params,
        query=query,
        user=signed_in_user(),
        language=current_language.get(),
        theme=current_theme.get(),
        zone=await site_zone(database),
        now=datetime.now(UTC),
        database=database,
    )


class ThemeCookie:
    """ASGI middleware: the theme that this browser chose, so that the first paint has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the ContextVar around the request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        token = current_theme.set(_theme(Headers(scope=scope).get("cookie", "")))
        try:
            await self._app(scope, receive, send)
        finally:
            current_theme.reset(token)


def _theme(cookies: str) -> str:
    try:
        jar: SimpleCookie = SimpleCookie(cookies)
    except CookieError:
        return "light"
    chosen = jar.get(THEME_COOKIE)
    return "dark" if chosen is not None and chosen.value == "dark" else "light"
