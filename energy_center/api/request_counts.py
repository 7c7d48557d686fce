"""Counts the server's requests for Prometheus: by method and status, and how long they took. Pure ASGI."""

import time
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounts:
    """Shared by the middleware that writes it and the route that shows it."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._took_s: Counter[str] = Counter()

    def note(self, method: str, status: int, took_s: float) -> None:
        """Count one; methods nobody knows are counted together, so that labels stay few."""
        method = method if method in _METHODS else "other"
        self._requests[method, str(status)] += 1
        self._took_s[method] += took_s  # type: ignore[assignment]  # seconds: a Counter adds floats too

    def families(self) -> Iterator[Metric]:
        """As metrics."""
        requests = CounterMetricFamily(
            "energy_center_http_requests", "Requests answered.", labels=("method", "status")
        )
        for (method, status), count in self._requests.items():
            requests.add_metric([method, status], count)
        took = CounterMetricFamily(
            "energy_center_http_request_seconds", "What they took, together.", labels=("method",)
        )
        for method, seconds in self._took_s.items():
            took.add_metric([method], seconds)
        yield requests
        yield took


class CountRequests:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count an HTTP request when it has been answered; 499 where the client left before."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 499

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._counts.note(scope["method"], status, time.monotonic() - began)
