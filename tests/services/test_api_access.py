"""Who gets in: every route and path, by session, role and origin."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI, WebSocket

from energy_center.api.app import create_api
from energy_center.api.openapi import described_routes, permission_of
from energy_center.domain.people import Permission, User, UserRole
from energy_center.settings import Settings

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]

OPEN = {("GET", "/api/health"), ("POST", "/api/v1/session")}
# what a person does to themselves needs no more than a session
OWN = {"/api/v1/session", "/api/v1/session/password"}


def _operations() -> list[tuple[str, str, Permission | None]]:
    app = create_api(Settings())
    return [
        (method, route.path_format, permission_of(route))
        for route in described_routes(app)
        for method in sorted(route.methods or ())
    ]


OPERATIONS = _operations()
WRITES = [op for op in OPERATIONS if op[0] != "GET" and op[1] not in OWN and (op[0], op[1]) not in OPEN]


def _filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


def test_the_walk_sees_every_subject_of_the_plan():
    subjects = {path.split("/")[3] for _, path, _ in OPERATIONS if path.startswith("/api/v1/")}
    assert subjects == {
        *("session", "overview", "equipment", "points", "latest", "series", "alarms", "work-orders"),
        *("energy", "spaces", "meter-events", "demand", "bills", "measures", "suggestions"),
        *("duties", "attachments"),
        *("devices", "collectors", "commands", "users", "audit", "progress"),
        *("contacts", "on-call", "notifications", "rules", "comparisons", "adoptions"),
    }
    assert len(WRITES) >= 8


@pytest.mark.parametrize(("method", "path", "permission"), OPERATIONS, ids=str)
def test_route_states_its_permission_summary_and_answer(
    method: str, path: str, permission: Permission | None
):
    operation = create_api(Settings()).openapi()["paths"][path][method.lower()]
    assert (permission is None) == ((method, path) in OPEN)
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert operation.get("x-permission") == (permission.value if permission else None)
    success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    answers = success.get("content", {})
    schema = answers.get("application/json", answers.get("application/pdf", {})).get("schema")
    assert schema or "204" in operation["responses"], "a route without an answer's model"


async def test_every_route_refuses_who_has_no_session(browser: Callable[..., httpx.AsyncClient]):
    client = browser()
    for method, path, _ in OPERATIONS:
        if (method, path) in OPEN:
            continue
        answer = await client.request(method, _filled(path), json={})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].endswith(":log-in-needed")


@pytest.mark.parametrize("role", list(UserRole))
async def test_role_reaches_exactly_what_its_permissions_grant(
    role: UserRole, logged_in: LogIn, people: dict[UserRole, User]
):
    client = await logged_in(role)
    for method, path, permission in OPERATIONS:
        if permission is None or method == "GET" or path in OWN:
            continue
        status = (await client.request(method, _filled(path), json={})).status_code
        assert (status == 403) == (not people[role].may(permission)), (method, path, status)


async def test_viewer_may_change_nothing_but_themselves(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    for method, path, _ in WRITES:
        answer = await client.request(method, _filled(path), json={})
        assert answer.status_code == 403, (method, path)
        assert answer.json()["type"].endswith(":not-allowed")


async def test_only_administrators_read_accounts_and_the_audit_log(logged_in: LogIn):
    manager, admin = await logged_in(UserRole.MANAGER), await logged_in(UserRole.ADMIN)
    for path in ("/api/v1/users", "/api/v1/audit", "/api/v1/audit/verification"):
        assert (await manager.get(path)).status_code == 403
        assert (await admin.get(path)).status_code == 200


async def test_pages_lead_to_the_log_in_and_back(browser: Callable[..., httpx.AsyncClient]):
    answer = await browser().get("/equipment?search=a%20b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fequipment%3Fsearch%3Da%2520b"


@pytest.mark.parametrize(
    "path", ["/_dash-layout", "/_dash-update-component", "/assets/app.css", "/openapi.json"]
)
async def test_what_programs_ask_for_is_refused_as_a_problem(
    path: str, browser: Callable[..., httpx.AsyncClient]
):
    assert (await browser().get(path)).status_code == 401


async def test_description_needs_a_session_and_no_page_loads_scripts_from_elsewhere(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.")
    for path in ("/docs", "/redoc"):
        assert (await client.get(path)).status_code == 404


async def test_health_is_open_and_says_nothing_of_the_site(browser: Callable[..., httpx.AsyncClient]):
    answer = await browser().get("/api/health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "database", "build", "at"}


@pytest.mark.parametrize(
    ("origin", "fetched_from", "status"),
    [
        ("http://energy.test", None, 204),
        ("http://energy.test:80", None, 204),
        (None, None, 204),  # a program, not a browser
        (None, "same-origin", 204),
        ("http://evil.test", None, 403),
        ("http://energy.test.evil.test", None, 403),
        ("http://energy.test:8051", None, 403),
        ("null", None, 403),
        ("", None, 403),
        (None, "cross-site", 403),
        (None, "same-site", 403),
    ],
)
async def test_write_from_another_sites_page_is_refused(
    origin: str | None, fetched_from: str | None, status: int, logged_in: LogIn
):
    client = await logged_in(UserRole.VIEWER)
    del client.headers["Origin"]
    stated = {"Origin": origin, "Sec-Fetch-Site": fetched_from}
    headers = {name: given for name, given in stated.items() if given is not None}
    answer = await client.delete("/api/v1/session", headers=headers)
    assert answer.status_code == status


async def _open_socket(app: FastAPI, headers: dict[str, str]) -> list[str]:
    """The types of the messages that the app answers a handshake with."""
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "client": ("198.51.100.7", 40_000),
        "subprotocols": [],
    }
    await app(scope, receive, send)
    return sent


async def test_socket_needs_a_session_and_our_own_origin(app: FastAPI, logged_in: LogIn):
    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    client = await logged_in(UserRole.VIEWER)
    cookie = "; ".join(f"{name}={text}" for name, text in client.cookies.items())
    ours = {"Host": "energy.test", "Origin": "http://energy.test"}
    assert (await _open_socket(app, {**ours, "Cookie": cookie}))[0] == "websocket.accept"
    refused = [
        ours,
        {**ours, "Cookie": "ec_session=made.up"},
        {"Host": "energy.test", "Cookie": cookie},
        {**ours, "Origin": "http://evil.test", "Cookie": cookie},
    ]
    for headers in refused:
        assert await _open_socket(app, headers) == ["websocket.close"], headers
