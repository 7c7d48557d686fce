"""While the database is away, people get a page and programs a document."""

import json
from typing import Any

import pytest

from dashboards.away import AwayPage


async def refusing(_scope: Any, _receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def ask(path: str, accept: str, method: str = "GET") -> tuple[dict[bytes, bytes], bytes, int]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept", accept.encode())]}
    await AwayPage(refusing)(scope, None, send)  # type: ignore[arg-type]
    body = b"".join(m.get("body", b"") for m in sent[1:])
    return dict(sent[0]["headers"]), body, sent[0]["status"]


@pytest.mark.parametrize("path", ["/", "/alarms/7", "/login"])
async def test_a_person_gets_a_page_in_both_languages(path: str) -> None:
    headers, body, status = await ask(path, "text/html,application/xhtml+xml")
    assert status == 503
    assert headers[b"content-type"].startswith(b"text/html")
    assert int(headers[b"content-length"]) == len(body)
    shown = body.decode()
    assert "資料庫暫時中斷" in shown
    assert "The database is away" in shown
    assert 'http-equiv="refresh"' in shown


@pytest.mark.parametrize(
    ("path", "accept", "method"),
    [
        ("/api/health", "text/html", "GET"),
        ("/_dash-update-component", "text/html", "POST"),
        ("/alarms", "application/json", "GET"),
    ],
)
async def test_a_program_gets_the_document(path: str, accept: str, method: str) -> None:
    _, body, status = await ask(path, accept, method)
    assert (status, json.loads(body)) == (503, {})
