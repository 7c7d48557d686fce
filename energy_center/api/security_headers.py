"""Headers that bound what a browser may do with our pages."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TWO_YEARS_S = 2 * 365 * 24 * 3600


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
        """Add the headers to each response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        csp = content_security_policy(self._script_hashes, over_tls=self._over_tls)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), csp)
            await send(message)

        await self._app(scope, receive, send_with_headers)

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
