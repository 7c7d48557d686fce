"""Who is asking: a pure-ASGI guard in front of every path and socket, for the API and the dashboards alike.

It stands outermost in the app that `create_api` makes. Whatever is not on the short list of open paths needs
a session. Code behind it reads the ContextVars, which also reach WebSocket callbacks.
"""

from contextvars import ContextVar
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from energy_center.api import problems
from energy_center.api.cookies import LANGUAGE_COOKIE, SESSION_COOKIE, clear_session_cookie, unseal
from energy_center.domain.people import Actor, User
from energy_center.errors import DatabaseAway, NotAllowed
from energy_center.services import log_in
from energy_center.services.log_in import LANGUAGES, Session
from energy_center.settings import Settings
from energy_center.store.pool import Database

current_user: ContextVar[User | None] = ContextVar("current_user", default=None)
current_language: ContextVar[str] = ContextVar("current_language", default=LANGUAGES[0])
current_session: ContextVar[Session | None] = ContextVar("current_session", default=None)
current_address: ContextVar[str] = ContextVar("current_address", default="")
_current_database: ContextVar[Database | None] = ContextVar("_current_database", default=None)

SESSION_ENDED = 4401  # close code that the browser takes as "go to the log-in page"
LOG_IN_PAGE = "/login"
# (method, path): None means any method. The log-in page keeps its own files under /login/.
_OPEN = frozenset(
    {
        (None, LOG_IN_PAGE),
        ("GET", "/api/health"),
        ("HEAD", "/api/health"),
        ("POST", "/api/v1/session"),
        ("GET", "/metrics"),  # has a check of its own: a scraper has no session
    }
)
ACKNOWLEDGE_PAGE = "/ack"  # its links are signed for one person and one alarm
_OPEN_PREFIXES = (LOG_IN_PAGE + "/", ACKNOWLEDGE_PAGE + "/")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FOR_PROGRAMS = ("/api", "/_dash", "/assets", "/openapi.json", "/_favicon")


def signed_in_user() -> User:
    """The person of this request or socket; raises NotAllowed outside of one."""
    user = current_user.get()
    if user is None:
        raise NotAllowed("Nobody is logged in.")
    return user


def signed_in_actor() -> Actor:
    """The same person as the audit log names them, with the address they come from."""
    return Actor(signed_in_user().name, current_address.get())


async def session_still_open() -> bool:
    """Whether this socket's session is still good; ask at every message, since sockets outlive log-outs.

    While the database is away the socket stays: nothing new can come through it either.
    """
    session, database = current_session.get(), _current_database.get()
    if session is None or database is None:
        return False
    try:
        return await log_in.find_session(database, session.token_sha256, datetime.now(UTC)) is not None
    except DatabaseAway:
        return True


class Guard:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with the ContextVars set, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = _cookies(headers)
        database: Database = scope["app"].state.database
        if _is_foreign(scope, headers):
            await self._refuse(scope, receive, send, problems.problem(403, "foreign-origin"))
            return
        is_open = _is_open(scope)
        try:
            session = await self._session(database, cookies)
        except Exception as error:  # noqa: BLE001 nothing stands around the guard that could answer
            answer = problems.from_any(error)
            if not is_open:
                await self._refuse(scope, receive, send, answer)
                return
            session = None
        if session is None and not is_open:
            await self._refuse(scope, receive, send, self._log_in_first(scope, SESSION_COOKIE in cookies))
            return
        await self._pass(scope, receive, send, session, database, cookies)

    async def _session(self, database: Database, cookies: dict[str, str]) -> Session | None:
        token = unseal(cookies.get(SESSION_COOKIE, ""), self._settings)
        if token is None:
            return None
        return await log_in.find_session(database, log_in.token_hash(token), datetime.now(UTC))

    async def _pass(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        session: Session | None,
        database: Database,
        cookies: dict[str, str],
    ) -> None:
        asked = cookies.get(LANGUAGE_COOKIE, "")
        language = session.user.language if session else asked if asked in LANGUAGES else LANGUAGES[0]
        tokens = (
            (current_user, current_user.set(session.user if session else None)),
            (current_language, current_language.set(language)),
            (current_session, current_session.set(session)),
            (current_address, current_address.set(scope["client"][0] if scope.get("client") else "")),
            (_current_database, _current_database.set(database)),
        )
        try:
            await self._app(scope, receive, _uncached(scope, send) if session else send)
        finally:
            for variable, token in tokens:
                variable.reset(token)  # type: ignore[arg-type]  # each token is of the variable beside it

    def _log_in_first(self, scope: Scope, has_cookie: bool) -> Response:  # noqa: FBT001 states a fact
        response: Response
        if scope["path"].startswith(_FOR_PROGRAMS) or scope.get("method") not in ("GET", "HEAD"):
            response = problems.problem(401, "log-in-needed")
        else:
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            response = RedirectResponse(f"{LOG_IN_PAGE}?next={quote(wanted, safe='')}", status_code=303)
        if has_cookie:
            clear_session_cookie(response, self._settings)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, response: Response) -> None:
        if scope["type"] == "http":
            await response(scope, receive, send)
            return
        message: Message = {"type": "websocket.close", "code": SESSION_ENDED, "reason": "log in first"}
        await send(message)  # before the handshake is accepted: the client sees HTTP 403


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        jar: SimpleCookie = SimpleCookie("; ".join(headers.getlist("cookie")))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _is_open(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    path = scope["path"]
    is_open = (None, path) in _OPEN or (scope["method"], path) in _OPEN
    return is_open or (path.startswith(_OPEN_PREFIXES) and ".." not in path)


def _is_foreign(scope: Scope, headers: Headers) -> bool:
    """Whether another site's page caused this.

    Browsers state the origin of every unsafe request and socket. Programs state none, and have no cookie that
    they were not given. A socket without an origin is refused all the same: only our pages open sockets.
    """
    is_socket = scope["type"] == "websocket"
    if not is_socket and scope["method"] in _SAFE_METHODS:
        return False
    origin = headers.get("origin")
    if origin is None:
        return is_socket or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
    ours = _authority(f"{scheme}://{headers.get('host', '')}")
    return ours[0] is None or _authority(origin) != ours


def _authority(url: str) -> tuple[str | None, int | None]:
    """Host and port of a URL, None for what is not one; a proxy may change the scheme, never the host."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return (None, None)
    return (parts.hostname, port if port not in (80, 443) else None)


def _uncached(scope: Scope, send: Send) -> Send:
    """Keep what a session saw out of shared caches; fingerprinted assets may stay in the browser's own."""
    if scope["type"] != "http":
        return send

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault(
                "Cache-Control", "private, no-store" if scope["path"].startswith("/api") else "private"
            )
        await send(message)

    return send_private
