"""Logging in and out through the API: cookies, rotation, lock-out, expiry and revocation."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from energy_center.api import auth
from energy_center.api.cookies import SESSION_COOKIE, seal, unseal
from energy_center.api.rate_limit import AttemptLimit
from energy_center.domain.people import Actor, User, UserRole
from energy_center.errors import Invalid, LogInRefused, TooManyAttempts
from energy_center.services import log_in, passwords, users
from energy_center.services.passwords import refuse_weak
from energy_center.settings import Settings
from energy_center.store.pool import Database

PASSWORD = "plum rain in May"
SESSION = "/api/v1/session"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ACTOR = Actor("admin", "198.51.100.7")

Browser = Callable[..., httpx.AsyncClient]
LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
People = dict[UserRole, User]


async def _enter(
    client: httpx.AsyncClient, name: str = "operator", password: str = PASSWORD
) -> httpx.Response:
    return await client.post(SESSION, json={"name": name, "password": password})


async def test_log_in_opens_a_session_that_log_out_ends(people: People, browser: Browser):
    client = browser()
    entered = await _enter(client)
    assert entered.status_code == 201
    person = entered.json()
    assert person["name"] == "operator"
    assert "acknowledge_alarm" in person["permissions"]
    assert "administer" not in person["permissions"]
    assert (await client.get(SESSION)).json()["role"] == "operator"
    kept = dict(client.cookies)
    assert (await client.delete(SESSION)).status_code == 204
    assert SESSION_COOKIE not in client.cookies
    assert (await browser(cookies=kept).get(SESSION)).status_code == 401, (
        "the token must be dead on the server"
    )


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(people: People, browser: Browser):
    cookie = next(c for c in (await _enter(browser())).headers.get_list("set-cookie") if "ec_session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


async def test_cookie_is_secure_behind_tls(people: People, settings: Settings, browser: Browser):
    settings.behind_proxy = True
    answer = await _enter(browser())
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_database_never_sees_a_token_or_a_password(
    people: People, browser: Browser, database: Database
):
    client = browser()
    await _enter(client)
    token = client.cookies[SESSION_COOKIE].split(".")[0]
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT s::text FROM session s UNION ALL SELECT u::text FROM app_user u"
        )
        hashed = await connection.fetchval("SELECT token_sha256 FROM session")
    stored = " ".join(row[0] for row in rows)
    assert token not in stored
    assert PASSWORD not in stored
    assert "$argon2id$" in stored
    assert hashed == log_in.token_hash(token)


async def test_log_in_takes_a_new_token_and_ends_the_one_before(people: People, browser: Browser):
    client = browser()
    await _enter(client)
    first = client.cookies[SESSION_COOKIE]
    await _enter(client)
    assert client.cookies[SESSION_COOKIE] != first
    assert (await browser(cookies={SESSION_COOKIE: first}).get(SESSION)).status_code == 401


async def test_wrong_name_wrong_password_and_disabled_account_get_the_same_answer(
    people: People, browser: Browser, database: Database
):
    await users.change_user(database, "viewer", ACTOR, NOW, disabled=True)
    answers = [
        await _enter(browser(), "operator", "wrong password"),
        await _enter(browser(), "nobody", PASSWORD),
        await _enter(browser(), "viewer", PASSWORD),
        await _enter(browser(), "x' OR 1=1 --", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_account_rests_after_five_failures_and_accepts_the_password_later(
    people: People, database: Database
):
    async def attempt(password: str, at: datetime) -> bool:
        try:
            await log_in.log_in(database, "operator", password, "198.51.100.7", at)
        except LogInRefused:
            return False
        return True

    for _ in range(5):
        assert not await attempt("wrong password", NOW)
    assert not await attempt(PASSWORD, NOW + timedelta(seconds=29)), "locked: even the right one is refused"
    assert await attempt(PASSWORD, NOW + timedelta(seconds=31))
    for _ in range(4):
        assert not await attempt("wrong password", NOW + timedelta(seconds=32))
    assert await attempt(PASSWORD, NOW + timedelta(seconds=33)), "a success forgets the failures before it"


async def test_parallel_guesses_cannot_outrun_the_lock(people: People, database: Database):
    async def guess(number: int) -> None:
        with pytest.raises(LogInRefused):
            await log_in.log_in(database, "operator", f"wrong {number}", "198.51.100.7", NOW)

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(guess(number))
    async with database.connection() as connection:
        failed = await connection.fetchval("SELECT failed_logins FROM app_user WHERE name = 'operator'")
    assert failed == 5, "what came after the lock was not even looked at"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (99, 900)]
)
def test_lock_doubles_from_30_seconds_to_a_quarter_of_an_hour(failures: int, seconds: int):
    assert log_in.lock_after(failures) == timedelta(seconds=seconds)


async def test_lock_out_is_audited(people: People, database: Database):
    for _ in range(5):
        with pytest.raises(LogInRefused):
            await log_in.log_in(database, "operator", "wrong", "198.51.100.7", NOW)
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT action, subject, address FROM audit_log")
    assert tuple(row) == ("account.locked", "user/operator", "198.51.100.7")


async def test_address_that_tries_too_often_must_wait(people: People, browser: Browser, app: FastAPI):
    app.state.log_in_attempts = AttemptLimit(burst=3, refill=timedelta(minutes=1))
    client = browser()
    for number in range(3):
        assert (await _enter(client, f"nobody{number}", "wrong")).status_code == 401
    refused = await _enter(client)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"].endswith(":too-many-attempts")
    assert (await _enter(browser(address="198.51.100.8"))).status_code == 201, "others are not held up"


async def test_successes_do_not_count_against_an_address(people: People, browser: Browser, app: FastAPI):
    app.state.log_in_attempts = AttemptLimit(burst=2, refill=timedelta(minutes=1))
    assert [(await _enter(browser())).status_code for _ in range(4)] == [201] * 4


def test_attempts_are_given_back_with_time():
    limit = AttemptLimit(burst=2, refill=timedelta(seconds=10))
    limit.take("a", NOW)
    limit.take("a", NOW)
    with pytest.raises(TooManyAttempts) as refused:
        limit.take("a", NOW)
    assert refused.value.wait_s == 10
    limit.take("a", NOW + timedelta(seconds=10))
    with pytest.raises(TooManyAttempts):
        limit.take("a", NOW + timedelta(seconds=10))


async def test_session_ends_when_idle_and_at_its_absolute_limit(people: People, database: Database):
    opened = await log_in.log_in(database, "operator", PASSWORD, "198.51.100.7", NOW)
    hashed = log_in.token_hash(opened.token)
    at = NOW
    while at + timedelta(hours=1) < NOW + log_in.ABSOLUTE_LIMIT:
        at += timedelta(hours=1)
        assert await log_in.find_session(database, hashed, at), at
    assert await log_in.find_session(database, hashed, NOW + log_in.ABSOLUTE_LIMIT) is None
    idle = await log_in.log_in(database, "operator", PASSWORD, "198.51.100.7", NOW)
    late = NOW + log_in.IDLE_LIMIT
    assert await log_in.find_session(database, log_in.token_hash(idle.token), late) is None


async def test_disabling_an_account_ends_its_sessions_at_once(logged_in: LogIn):
    operator, admin = await logged_in(UserRole.OPERATOR), await logged_in(UserRole.ADMIN)
    assert (await operator.get(SESSION)).status_code == 200
    assert (await admin.patch("/api/v1/users/operator", json={"disabled": True})).status_code == 200
    assert (await operator.get(SESSION)).status_code == 401


async def test_new_role_holds_from_the_next_request_on(logged_in: LogIn):
    operator, admin = await logged_in(UserRole.OPERATOR), await logged_in(UserRole.ADMIN)
    await admin.patch("/api/v1/users/operator", json={"role": "viewer"})
    assert (await operator.post("/api/v1/alarms/1/acknowledge", json={})).status_code == 403


async def test_open_socket_learns_that_its_session_ended(people: People, database: Database):
    opened = await log_in.log_in(database, "operator", PASSWORD, "198.51.100.7", datetime.now(UTC))
    session = await log_in.find_session(database, log_in.token_hash(opened.token), datetime.now(UTC))
    assert session is not None
    auth.current_session.set(session)
    auth._current_database.set(database)
    assert await auth.session_still_open()
    await log_in.log_out(database, session, "198.51.100.7", datetime.now(UTC))
    assert not await auth.session_still_open()


async def test_own_password_changes_with_the_old_one_and_ends_other_sessions(
    logged_in: LogIn, browser: Browser
):
    here, elsewhere = await logged_in(UserRole.OPERATOR), await logged_in(UserRole.OPERATOR)
    path, new = f"{SESSION}/password", "typhoon over Taichung"
    assert (await here.put(path, json={"old": "wrong", "new": new})).status_code == 401
    assert (await here.put(path, json={"old": PASSWORD, "new": "short"})).status_code == 422
    assert (await here.put(path, json={"old": PASSWORD, "new": new})).status_code == 204
    assert (await here.get(SESSION)).status_code == 200
    assert (await elsewhere.get(SESSION)).status_code == 401
    assert (await _enter(browser(), password=new)).status_code == 201


async def test_language_is_kept_for_pages_and_for_the_log_in_page(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    answer = await client.patch(SESSION, json={"language": "zh-TW"})
    assert answer.json()["language"] == "zh-TW"
    assert client.cookies["ec_language"] == "zh-TW"
    assert (await client.get(SESSION)).json()["language"] == "zh-TW"


@pytest.mark.parametrize("cookie", ["", ".", "a", "a.b", "é.b", "a" * 5000, f"token.{'0' * 32}"])
def test_cookie_that_we_did_not_make_is_no_token(cookie: str):
    assert unseal(cookie, Settings(secret="s" * 40)) is None


def test_changing_the_secret_ends_every_session():
    cookie = seal("token", Settings(secret="s" * 40))
    assert unseal(cookie, Settings(secret="s" * 40)) == "token"
    assert unseal(cookie, Settings(secret="t" * 40)) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("elevenchars", "at least 12"),
        ("x" * 201, "at most 200"),
        ("abababababab", "different characters"),
        ("my-name-is-operator", "account's name"),
        ("Password12345", "first that are guessed"),
    ],
)
def test_password_that_is_easily_guessed_is_refused(password: str, reason: str):
    with pytest.raises(Invalid, match=reason):
        refuse_weak(password, "operator")


async def test_unknown_name_costs_as_much_work_as_a_wrong_password(people: People, database: Database):
    await passwords.matches(None, "first use")

    async def cpu_s(name: str) -> float:
        begun = time.process_time()
        with pytest.raises(LogInRefused):
            await log_in.log_in(database, name, "wrong password", "198.51.100.7", NOW)
        return time.process_time() - begun

    known = min([await cpu_s("operator") for _ in range(3)])
    unknown = min([await cpu_s("nobody") for _ in range(3)])
    assert 0.5 < unknown / known < 2, (unknown, known)


async def test_ended_sessions_are_removed_at_the_next_log_in(people: People, database: Database):
    for hours in (0, 3, 13):
        at = NOW + timedelta(hours=hours)
        await log_in.log_in(database, "operator", PASSWORD, "198.51.100.7", at)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM session") == 1
