"""What the API answers when it cannot do what was asked, and the headers on every answer."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from energy_center.api.security_headers import content_security_policy
from energy_center.domain.people import UserRole
from energy_center.errors import DatabaseAway
from energy_center.settings import Settings
from energy_center.store.pool import Database

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]


def _problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["status"] == status
    assert document["type"] == f"urn:energy-center:problem:{kind}"
    assert document["title"]
    return document


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_unknown_path_is_a_problem_and_not_a_page(method: str, logged_in: LogIn):
    client = await logged_in(UserRole.ADMIN)
    _problem(await client.request(method, "/api/nope"), 404, "not-found")
    _problem(await client.request(method, "/api/v1/nope/5"), 404, "not-found")
    _problem(await client.request(method, "/api"), 404, "not-found")
    _problem(await client.request(method, "/api/v1/overview/"), 404, "not-found")


async def test_thing_that_does_not_exist_is_named(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    document = _problem(await client.get("/api/v1/alarms/12345"), 404, "not-found")
    assert document["facts"] == {"alarm_id": 12345}


async def test_every_wrong_field_is_named(logged_in: LogIn):
    client = await logged_in(UserRole.ADMIN)
    document = _problem(
        await client.post("/api/v1/users", json={"name": "lin", "role": "king"}), 422, "invalid"
    )
    assert {mistake["pointer"] for mistake in document["errors"]} == {
        "/body/display_name",
        "/body/password",
        "/body/role",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/alarms/0",
        "/api/v1/alarms/x",
        "/api/v1/alarms/99999999999999999999",
        "/api/v1/alarms?limit=0",
        "/api/v1/alarms?limit=1001",
        "/api/v1/points/2147483648/series",
        "/api/v1/points/1/series?start=yesterday",
        "/api/v1/points/1/series?start=2026-11-24T00:00:00",  # no zone
        "/api/v1/points/1/series?start=2026-11-24T00:00:00Z&end=2026-11-23T00:00:00Z",
        "/api/v1/points/1/series?end=0001-01-01T00:00:00Z",
        "/api/v1/points/1/series?format=xml",
        "/api/v1/points/1/series?max_points=1000000",
        "/api/v1/latest?point_id=-1",
    ],
)
async def test_number_or_time_out_of_bounds_is_the_callers_mistake(path: str, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    _problem(await client.get(path), 422, "invalid")


async def test_body_that_is_no_json_is_the_callers_mistake(logged_in: LogIn):
    client = await logged_in(UserRole.OPERATOR)
    answer = await client.post(
        "/api/v1/work-orders", content=b"{", headers={"Content-Type": "application/json"}
    )
    _problem(answer, 422, "invalid")


async def test_huge_body_is_refused(logged_in: LogIn):
    client = await logged_in(UserRole.OPERATOR)
    answer = await client.post("/api/v1/work-orders", content=b"x" * 2_100_000)
    _problem(answer, 413, "too-large")


async def test_mistake_of_ours_gives_a_reference_and_no_details(
    app: FastAPI, logged_in: LogIn, caplog: pytest.LogCaptureFixture
):
    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret detail")

    client = await logged_in(UserRole.VIEWER)
    answer = await client.get("/broken")
    document = _problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert any(getattr(record, "reference", None) == document["reference"] for record in caplog.records)
    assert "content-security-policy" in answer.headers


async def test_database_that_is_away_is_said_with_a_time_to_retry(app: FastAPI, logged_in: LogIn):
    class Away:
        def connection(self) -> None:
            raise DatabaseAway("no route to 10.0.0.5")

        transaction = connection

    client = await logged_in(UserRole.VIEWER)
    database: Database = app.state.database
    app.state.database = Away()
    try:
        answer = await client.get("/api/v1/alarms")
        _problem(answer, 503, "away")
        assert answer.headers["retry-after"] == "5"
        health = await client.get("/api/health")
        assert (health.status_code, health.json()["database"]) == (503, "away")
    finally:
        app.state.database = database


@pytest.mark.parametrize("path", ["/api/health", "/api/v1/alarms", "/login", "/", "/api/nope"])
async def test_every_answer_carries_the_security_headers(
    path: str, browser: Callable[..., httpx.AsyncClient]
):
    headers = (await browser().get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


async def test_browsers_are_kept_on_https_behind_tls(
    settings: Settings, browser: Callable[..., httpx.AsyncClient]
):
    settings.behind_proxy = True
    assert "max-age=" in (await browser().get("/api/health")).headers["strict-transport-security"]


def test_policy_allows_no_other_host_and_no_inline_script_but_by_hash():
    policy = content_security_policy(["'sha256-abc='"], over_tls=False)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == "'self' 'sha256-abc='"
    assert "http" not in policy
    assert "*" not in policy


async def test_answers_of_a_session_stay_out_of_shared_caches(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    assert (await client.get("/api/v1/alarms")).headers["cache-control"] == "private, no-store"
