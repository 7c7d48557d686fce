"""Headers that bound what a browser may do with our pages, and the largest request body that we read."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from energy_center.api import problems

_TWO_YEARS_S = 2 * 365 * 24 * 3600
MAX_BODY_BYTES = 2_000_000


def content_security_policy(script_hashes: Sequence[str], *, over_tls: bool) -> str:
    """Everything from ourselves only; inline scripts only by hash.

    Plotly and Mantine set styles inline; plotly draws exports through blob: and data: images; Dash's socket
    runs in a worker of our own origin.
    """
    rules = [
        "default-src 'self'",
        " ".join(["script-src 'self'", *script_hashes]),
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    if over_tls:
        rules.append("upgrade-insecure-requests")
    return "; ".join(rules)


class SecurityHeaders:
    """ASGI middleware around everything. `script_hashes` may grow until the first request."""

    def __init__(self, app: ASGIApp, script_hashes: Sequence[str], *, over_tls: bool) -> None:
        self._app = app
        self._script_hashes = script_hashes
        self._over_tls = over_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to each response, and refuse a body that is declared or grows too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        csp = content_security_policy(self._script_hashes, over_tls=self._over_tls)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), csp)
            await send(message)

        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
            await problems.problem(413, "too-large")(scope, receive, send_with_headers)
            return
        await self._app(scope, _bounded(receive), send_with_headers)

    def _add(self, headers: MutableHeaders, csp: str) -> None:
        headers["Content-Security-Policy"] = csp
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if self._over_tls:
            headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS_S}"


def _bounded(receive: Receive) -> Receive:
    """End a request whose body has no declared length and grows too large, as if the client had left."""
    seen = 0

    async def receive_bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > MAX_BODY_BYTES else message

    return receive_bounded
