"""Contacts, roster and links: who may, what is kept secret, what people are told."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from dashboards import acknowledge
from energy_center.domain.alarms import AlarmState
from energy_center.domain.people import UserRole
from energy_center.services.acknowledge_link import make_token
from energy_center.services.alarms import get_alarm
from energy_center.services.audit import read_audit
from energy_center.services.notify_people import notify_people
from energy_center.services.tell_people import Addresses, deliver_due
from energy_center.settings import Settings
from energy_center.store.notices import ToldOf
from energy_center.store.pool import Database
from tests.services.people_to_tell import apply_a_site, raise_alarm, webhook

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
ON_CALL = "/api/v1/on-call"
ADDRESS = "json://127.0.0.1:9/a-token-that-nobody-may-read"


async def test_an_address_is_sealed_and_never_shown_again(logged_in: LogIn, database: Database):
    client = await logged_in(UserRole.OPERATOR)
    made = await client.post("/api/v1/contacts", json={"address": ADDRESS, "label": "Phone"})
    assert made.json()["shown"] == "json://127.0.0.1…"
    listed = await client.get("/api/v1/contacts")
    async with database.connection() as conn:
        sealed = await conn.fetchval("SELECT sealed FROM contact")
        audited = str(await conn.fetch("SELECT after FROM audit_log"))
    for told in (made.text, listed.text, str(sealed), audited):
        assert "token" not in told


async def test_contacts_are_ones_own(logged_in: LogIn):
    mine = await (await logged_in(UserRole.OPERATOR)).post("/api/v1/contacts", json={"address": ADDRESS})
    path = f"/api/v1/contacts/{mine.json()['contact_id']}"
    other = await logged_in(UserRole.ADMIN)
    assert (await other.get("/api/v1/contacts")).json() == []
    answers = [await other.put(path, json={}), await other.delete(path), await other.post(f"{path}/test")]
    assert [a.status_code for a in answers] == [404, 404, 404]


@pytest.mark.parametrize(
    "address",
    [
        "lin@city.example",
        "no-such://x",
        "nonsense",
        "syslog://",
        "rsyslog://127.0.0.1",
        "dbus://",
        "gnome://",
        "http://example.test",
    ],
)
async def test_addresses_that_reach_nobody_are_refused(address: str, logged_in: LogIn):
    client = await logged_in(UserRole.OPERATOR)
    answer = await client.post("/api/v1/contacts", json={"address": address})
    assert answer.status_code == 422  # a plain mail address needs the installation's mail server
    assert "x" not in answer.json().get("facts", {})


@pytest.mark.parametrize(
    "address",
    [
        f"tgram://123456789:{'a' * 35}/12315544/?template=/etc/hostname",
        f"tgram://123456789:{'a' * 35}/12315544/?template=http://127.0.0.1:9/metrics.json",
        f"discord://1234567890123/{'a' * 64}/?template=/etc/hostname",
        "fcm://project/device/?keyfile=/etc/hostname",
        "vapid://lin@city.example/lin@city.example?subfile=/etc/hostname&keyfile=/etc/hostname",
    ],
)
async def test_an_address_that_makes_the_worker_read_a_file_or_a_page_is_refused(
    address: str, logged_in: LogIn
):
    client = await logged_in(UserRole.OPERATOR)
    answer = await client.post("/api/v1/contacts", json={"address": address})
    assert answer.status_code == 422


async def test_a_test_message_says_how_it_went_and_is_limited(
    logged_in: LogIn, database: Database, settings: Settings
):
    client = await logged_in(UserRole.OPERATOR)
    async with webhook() as (taken, port):
        made = await client.post("/api/v1/contacts", json={"address": f"json://127.0.0.1:{port}/"})
        path = f"/api/v1/contacts/{made.json()['contact_id']}"
        waiting = await client.post(f"{path}/test")  # no worker runs here
        await deliver_due(database, {}, datetime.now(UTC), Addresses.of(settings))
        limited = await client.post(f"{path}/test")
    assert (waiting.json()["outcome"], len(taken)) == ("waiting", 1)
    assert limited.status_code == 429
    (row,) = (await client.get("/api/v1/contacts")).json()
    assert row["tried"]["sent_at"]
    (log,) = (await client.get("/api/v1/notifications")).json()
    assert (log["kind"], log["delivery"], log["attempts"]) == ("test", "sent", 1)


@pytest.fixture
async def team(logged_in: LogIn, database: Database) -> httpx.AsyncClient:
    """A manager's browser, and team 1 of operator and technician without a shift."""
    await apply_a_site(database, datetime.now(UTC))
    client = await logged_in(UserRole.MANAGER)
    made = await client.post(f"{ON_CALL}/teams", json={"name": "Duty", "members": ["operator", "technician"]})
    assert made.json()["team_id"] == 1
    return client


async def test_the_roster_shows_gaps_and_who_stands_in(team: httpx.AsyncClient, logged_in: LogIn):
    now = datetime.now(UTC)
    before = (await team.get(ON_CALL)).json()["teams"][0]
    assert (before["now"], [s["people"] for s in before["stretches"]]) == ([], [[]])
    operator = await logged_in(UserRole.OPERATOR)
    cover = {"team_id": 1, "user": "operator", "end_at": (now + timedelta(hours=4)).isoformat()}
    assert (await operator.post(f"{ON_CALL}/covers", json=cover)).status_code == 201
    sent = await operator.post(f"{ON_CALL}/covers", json={**cover, "user": "technician"})
    assert sent.status_code == 403  # others are sent by who plans the roster
    after = (await operator.get(ON_CALL)).json()
    assert after["teams"][0]["now"] == ["operator"]
    assert [s["people"] for s in after["teams"][0]["stretches"]] == [["operator"], []]
    assert {p["user"]: p["contacts"] for p in after["people"]} == {"operator": 0, "technician": 0}


async def test_levels_are_told_in_order_and_keep_their_team(team: httpx.AsyncClient):
    path = f"{ON_CALL}/escalation/high"
    falling = [{"after_min": n, "target": "team", "team_id": 1} for n in (10, 5)]
    assert (await team.put(path, json={"levels": falling})).status_code == 422
    assert (await team.put(path, json={"levels": falling[::-1]})).status_code == 200
    assert (await team.delete(f"{ON_CALL}/teams/1")).status_code == 409
    assert (await team.put(path, json={"levels": []})).json() == []
    assert (await team.delete(f"{ON_CALL}/teams/1")).status_code == 204


@pytest.fixture
async def link(app: FastAPI, team: httpx.AsyncClient, database: Database, settings: Settings) -> str:
    """The path of the operator's link for alarm 1."""
    acknowledge.add_to(app)
    levels = [{"after_min": 0, "target": "team", "team_id": 1}]
    await team.put(f"{ON_CALL}/escalation/high", json={"levels": levels})
    now = datetime.now(UTC)
    alarm_id = await raise_alarm(database, now)
    await notify_people(database, now)
    async with database.connection() as conn:
        episode = await conn.fetchval("SELECT max(episode) FROM alarm_notice")
    return f"/ack/{make_token(settings.key(), ToldOf(alarm_id, episode, 'operator', 'en'))}"


async def test_opening_a_link_changes_nothing_and_its_button_acknowledges(
    link: str, browser: Callable[..., httpx.AsyncClient], database: Database
):
    phone = browser(headers={"Origin": "http://energy.test"})
    for method in ("GET", "HEAD", "GET"):  # a mail scanner, twice
        answer = await phone.request(method, link)
        assert answer.status_code in (200, 405)
    assert '<form method="post">' in answer.text
    assert "no-store" in answer.headers["cache-control"]
    assert (await get_alarm(database, 1)).row.state is AlarmState.UNACKNOWLEDGED
    assert (await browser(headers={"Origin": "http://evil.test"}).post(link)).status_code == 403
    assert (await phone.post(link)).status_code == 200
    row = (await get_alarm(database, 1)).row
    assert (row.state, row.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "operator")
    (entry,) = await read_audit(database, limit=1)
    assert (entry.actor, entry.address) == ("operator", "198.51.100.7")
    assert (await phone.post(link)).status_code == 409
    assert "<form" not in (await phone.get(link)).text


async def test_a_link_opens_nothing_else_and_guesses_are_limited(
    link: str, browser: Callable[..., httpx.AsyncClient]
):
    phone = browser()
    assert (await phone.get(link)).status_code == 200
    assert (await phone.get("/api/v1/alarms")).status_code == 401
    assert (await phone.get(link + "x")).status_code == 404
    codes = [(await phone.get(f"/ack/{n}")).status_code for n in range(25)]
    assert codes[0] == 404
    assert codes[-1] == 429
