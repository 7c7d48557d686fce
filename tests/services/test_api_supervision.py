"""Devices, collectors and /metrics over HTTP, from what a collector reported."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import TypeAdapter

from energy_center.api.app import create_api
from energy_center.domain.people import UserRole
from energy_center.domain.supervision import Condition
from energy_center.services.supervision import DeviceHealth, DeviceStatus
from energy_center.settings import Settings
from energy_center.store.devices import set_device_state
from energy_center.store.pool import Database
from energy_center.store.supervision import write_report
from tests.services.city_hall import applied
from tests.services.supervised import collector_report, device_report, spool_report

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
TOKEN = "a-long-token-for-prometheus"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def reported(database: Database, now: datetime) -> None:
    """Two devices of the site: one answers, one is away."""
    await applied(database)
    away = device_report("tank", now, condition=Condition.AWAY)
    await write_report(database, collector_report(now, device_report("main", now), away))
    await set_device_state(database, "tank", online=False, at=now, detail="no answer")


def samples(text: str) -> Samples:
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    (one,) = [
        v for (n, held), v in found.items() if n == f"energy_center_{name}" and labels.items() <= set(held)
    ]
    return one


async def test_devices_are_listed_worst_first_and_by_status(reported: None, logged_in: LogIn) -> None:
    client = await logged_in(UserRole.VIEWER)
    listed = (await client.get("/api/v1/devices")).json()
    assert [d["status"] for d in listed] == sorted(
        (d["status"] for d in listed), key=["away", "unknown", "resting", "never", "online"].index
    )
    assert (listed[0]["device_id"], listed[0]["detail"]) == ("tank", "no answer")
    online = (await client.get("/api/v1/devices", params={"status": "online"})).json()
    assert [(d["device_id"], d["round_trip_s"], d["failures"]) for d in online] == [("main", 0.012, 10)]
    nowhere = (await client.get("/api/v1/devices", params={"connection_id": "no-such"})).json()
    assert nowhere == []


async def test_device_shows_its_failures_by_kind_and_messages_that_could_not_be_read(
    reported: None, logged_in: LogIn
) -> None:
    client = await logged_in(UserRole.VIEWER)
    shown = (await client.get("/api/v1/devices/tank")).json()
    assert [(e["kind"], e["code"], e["count"]) for e in shown["errors"]] == [
        ("timeout", "", 7),
        ("refused", "2", 3),
    ]
    assert shown["device"]["last_error"]["said"] == "illegal data address"
    assert [e["online"] for e in shown["events"]] == [False]


async def test_unknown_device_and_wrong_status_are_problems(reported: None, logged_in: LogIn) -> None:
    client = await logged_in(UserRole.VIEWER)
    missing = await client.get("/api/v1/devices/no-such")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    wrong = await client.get("/api/v1/devices", params={"status": "sleepy"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/query/status")


async def test_collector_says_what_is_wrong_with_it(
    reported: None, database: Database, now: datetime, logged_in: LogIn
) -> None:
    client = await logged_in(UserRole.VIEWER)
    (well,) = (await client.get("/api/v1/collectors")).json()
    assert (well["troubles"], well["buses"][0]["busy_share"]) == ([], 0.25)
    trouble = spool_report(
        dropped=5, last_dropped_at=now, oldest_unsent_at=now - timedelta(hours=1), unknown_bytes=100
    )
    await write_report(
        database, collector_report(now, spool=trouble, at=now - timedelta(minutes=2), reload_mistakes=("x",))
    )
    (ill,) = (await client.get("/api/v1/collectors")).json()
    assert ill["troubles"] == ["silent", "dropping", "backlog", "site_refused", "unknown_points"]
    statuses = {d["status"] for d in (await client.get("/api/v1/devices")).json()}
    assert statuses == {"unknown"}  # nobody who lives tells of them


async def test_metrics_say_the_same(
    reported: None, logged_in: LogIn, database: Database, now: datetime
) -> None:
    client = await logged_in(UserRole.VIEWER)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.text)
    assert of(found, "device_up", device="main") == 1
    assert of(found, "device_up", device="tank") == 0
    assert of(found, "reads_total", device="main") == 100
    assert of(found, "read_errors_total", device="main", kind="refused", code="2") == 3
    assert of(found, "device_round_trip_seconds", device="main") == 0.012
    assert of(found, "spool_dropped_total", collector="edge-1") == 0
    assert of(found, "spool_oldest_seconds", collector="edge-1") == 0
    assert of(found, "collector_up", collector="edge-1") == 1
    assert of(found, "connection_busy_ratio", connection="bus") == 0.25
    assert of(found, "database_up") == 1
    again = samples((await client.get("/metrics")).text)
    assert of(again, "http_requests_total", method="GET", status="200") == 1


async def test_metrics_are_refused_without_session_token_or_allowed_address(
    browser: Callable[..., httpx.AsyncClient],
) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        answer = await browser().get("/metrics", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert (await browser().post("/metrics")).status_code == 401


async def asked(settings: Settings, address: str, token: str | None = None) -> int:
    app: FastAPI = create_api(settings)
    transport = httpx.ASGITransport(app, client=(address, 40_000))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://energy.test", headers=headers) as client,
    ):
        return (await client.get("/metrics")).status_code


async def test_metrics_open_to_the_token_and_to_named_addresses_alone(settings: Settings) -> None:
    with_token = Settings(
        **{"DATABASE_URL": settings.database_url, "metrics_token": TOKEN, "metrics_open_to": ["10.1.0.0/16"]}
    )
    assert await asked(with_token, "198.51.100.7", TOKEN) == 200
    assert await asked(with_token, "198.51.100.7", TOKEN + "x") == 401
    assert await asked(with_token, "10.1.2.3") == 200
    assert await asked(with_token, "10.2.2.3") == 401


def test_the_example_of_the_description_is_a_device(settings: Settings) -> None:
    operation = create_api(settings).openapi()["paths"]["/api/v1/devices"]["get"]
    (example,) = operation["responses"]["200"]["content"]["application/json"]["example"]
    device = TypeAdapter(DeviceHealth).validate_python(example)
    assert device.status is DeviceStatus.AWAY
