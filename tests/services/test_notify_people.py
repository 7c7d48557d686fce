"""Alarms reach the people on call over real sockets: once, level by level, until somebody has seen them."""

import os
import re
import signal
import sys
from asyncio import create_subprocess_exec, sleep, subprocess, timeout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from energy_center.domain.alarms import AlarmState
from energy_center.domain.notices import ClosedAs, MessageKind
from energy_center.domain.people import Actor
from energy_center.errors import Conflict, NotAllowed, NotFound
from energy_center.services.acknowledge_link import Links, acknowledge_by_link, read_link
from energy_center.services.alarms import acknowledge, shelve
from energy_center.services.audit import read_audit
from energy_center.services.notify_people import notify_people, queue_digests
from energy_center.services.tell_people import Addresses, deliver_due
from energy_center.store import contacts, digest, outbox
from energy_center.store.pool import Database
from tests.services.people_to_tell import (
    KEY,
    apply_a_site,
    levels,
    person,
    raise_alarm,
    smtp_server,
    team_on_call,
    webhook,
)

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
WITH_LINKS = Addresses(KEY, None, Links("https://energy.example", KEY))


@pytest.fixture
async def two_levels(database: Database) -> None:
    """Lin is on call; Wu is the next level after 15 min. Nobody listens at their addresses."""
    await apply_a_site(database, NOW - timedelta(days=3))
    for name, team in (("lin", "duty"), ("wu", "chiefs")):
        await person(database, name, "json://127.0.0.1:9/", NOW - timedelta(days=3))
        await team_on_call(database, team, name, NOW)
    async with database.connection() as conn:
        teams = {t.name: t.team_id for t in await contacts.list_teams(conn)}
    await levels(database, teams["duty"], teams["chiefs"])


async def _readdress(database: Database, name: str, address: str) -> None:
    from energy_center.notify.address import seal

    async with database.transaction() as conn:
        await conn.execute(
            "UPDATE contact SET sealed = $2 WHERE user_id = (SELECT user_id FROM app_user WHERE name = $1)",
            name,
            seal(SecretStr(address), KEY),
        )


async def _told(database: Database) -> list[tuple[str, MessageKind]]:
    rows = [r for r in await outbox.told(database) if r.channel == "contact"]
    return [(r.recipient, r.kind) for r in reversed(rows)]


async def _hide(database: Database, alarm_id: int, by: str | None) -> None:
    async with database.transaction() as conn:
        await conn.execute("UPDATE alarm SET suppressed_by = $2 WHERE alarm_id = $1", alarm_id, by)


async def _state(database: Database, alarm_id: int, state: str, returned_at: datetime | None) -> None:
    async with database.transaction() as conn:
        await conn.execute(
            "UPDATE alarm SET state = $2, returned_at = $3 WHERE alarm_id = $1", alarm_id, state, returned_at
        )


async def _event(database: Database, alarm_id: int, event: str, at: datetime) -> None:
    async with database.transaction() as conn:
        await conn.execute(
            "INSERT INTO alarm_event (alarm_id, at, actor, event) VALUES ($1, $2, 'system:rules', $3)",
            alarm_id,
            at,
            event,
        )


async def test_levels_until_acknowledged(database: Database, two_levels: None) -> None:
    alarm_id = await raise_alarm(database, NOW)
    for minutes in (0, 1, 14):
        await notify_people(database, NOW + minutes * MINUTE)
    assert await _told(database) == [("lin", MessageKind.ALARM)]
    await notify_people(database, NOW + 15 * MINUTE)
    await notify_people(database, NOW + 16 * MINUTE)
    assert await _told(database) == [("lin", MessageKind.ALARM), ("wu", MessageKind.ALARM)]
    other = await raise_alarm(database, NOW + 16 * MINUTE, "meter")
    await notify_people(database, NOW + 17 * MINUTE)
    await acknowledge(database, other, Actor("lin", "x"), "", NOW + 18 * MINUTE)
    await notify_people(database, NOW + 60 * MINUTE)
    assert len(await _told(database)) == 3
    async with database.connection() as conn:
        ended = await conn.fetchval("SELECT exhausted_at FROM alarm_notice WHERE alarm_id = $1", alarm_id)
    assert ended == NOW + 15 * MINUTE


async def test_suppressed_and_shelved_alarms_tell_nobody(database: Database, two_levels: None) -> None:
    hidden, aside = await raise_alarm(database, NOW), await raise_alarm(database, NOW, "meter")
    async with database.transaction() as conn:
        await conn.execute("UPDATE alarm SET suppressed_by = 'alarm/99' WHERE alarm_id = $1", hidden)
    await shelve(database, aside, NOW + timedelta(hours=1), Actor("lin", "x"), "pump is out", NOW)
    await notify_people(database, NOW)
    assert await _told(database) == []
    await notify_people(database, NOW + timedelta(hours=1))
    assert await _told(database) == [("lin", MessageKind.ALARM)]


@pytest.mark.parametrize("hidden_by", ["out-of-service/1", "alarm/99"])
async def test_what_was_hidden_for_days_is_told_when_it_is_released(
    database: Database, two_levels: None, hidden_by: str
) -> None:
    alarm_id = await raise_alarm(database, NOW - timedelta(days=2))
    await _hide(database, alarm_id, hidden_by)
    await notify_people(database, NOW)
    assert await _told(database) == []
    await _hide(database, alarm_id, None)
    await _event(database, alarm_id, "released", NOW)
    await notify_people(database, NOW)
    assert await _told(database) == [("lin", MessageKind.ALARM)]


async def test_what_was_told_before_it_was_hidden_is_told_again_level_by_level(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    await notify_people(database, NOW)
    await _hide(database, alarm_id, "out-of-service/1")
    await notify_people(database, NOW + MINUTE)
    await _hide(database, alarm_id, None)
    await _event(database, alarm_id, "released", NOW + 60 * MINUTE)
    await notify_people(database, NOW + 60 * MINUTE)
    assert await _told(database) == [("lin", MessageKind.ALARM)] * 2


async def test_what_was_shelved_at_once_for_days_is_told_after_that(
    database: Database, two_levels: None
) -> None:
    raised_at = NOW - timedelta(days=2)
    alarm_id = await raise_alarm(database, raised_at)
    await shelve(database, alarm_id, NOW, Actor("lin", "x"), "pump is out", raised_at)
    await notify_people(database, NOW - MINUTE)
    assert await _told(database) == []
    await notify_people(database, NOW)
    assert await _told(database) == [("lin", MessageKind.ALARM)]


async def test_an_alarm_that_late_readings_show_as_never_gone_is_told_anew(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    await notify_people(database, NOW)
    await _state(database, alarm_id, "returned_unacknowledged", NOW + MINUTE)
    await notify_people(database, NOW + MINUTE)
    await _event(database, alarm_id, "corrected", NOW + 2 * MINUTE)
    await _state(database, alarm_id, "unacknowledged", None)
    for minute in (2, 3):
        await notify_people(database, NOW + minute * MINUTE)
    assert await _told(database) == [("lin", MessageKind.ALARM)] * 2
    await _event(database, alarm_id, "corrected", NOW + 4 * MINUTE)
    await notify_people(database, NOW + 4 * MINUTE)
    assert await _told(database) == [("lin", MessageKind.ALARM)] * 2, "only its times were corrected"


async def test_mail_and_webhook_get_the_message_once_and_the_return(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    with smtp_server() as (inbox, port):
        mail = SecretStr(f"mailto://127.0.0.1:{port}?from=centre@energy.example&mode=insecure")
        await _readdress(database, "lin", "lin@city.example")
        by_mail = Addresses(KEY, mail, WITH_LINKS.links)
        await notify_people(database, NOW)
        assert await deliver_due(database, {}, NOW, by_mail) == 1
        assert await deliver_due(database, {}, NOW, by_mail) == 0
        async with database.transaction() as conn:
            await conn.execute(
                "UPDATE alarm SET state = 'returned_unacknowledged', returned_at = $2 WHERE alarm_id = $1",
                alarm_id,
                NOW + MINUTE,
            )
        await notify_people(database, NOW + MINUTE)
        await notify_people(database, NOW + 2 * MINUTE)
        assert await deliver_due(database, {}, NOW + MINUTE, by_mail) == 1
    assert [mail.rcpt_tos for mail in inbox.mails] == [["lin@city.example"]] * 2
    assert await _told(database) == [("lin", MessageKind.ALARM), ("lin", MessageKind.RETURNED)]


async def test_a_receiver_that_was_killed_gets_it_when_it_is_back(
    database: Database, two_levels: None
) -> None:
    await raise_alarm(database, NOW)
    async with webhook() as (_, port):
        pass  # killed before the alarm
    await _readdress(database, "lin", f"json://127.0.0.1:{port}/")
    await notify_people(database, NOW)
    assert await deliver_due(database, {}, NOW, WITH_LINKS) == 0
    (row,) = await outbox.told(database)
    assert (row.attempts, row.sent_at, row.last_error) == (1, None, "The service did not take the message")
    async with webhook(port) as (taken, _):
        assert await deliver_due(database, {}, NOW + timedelta(seconds=4), WITH_LINKS) == 0
        assert await deliver_due(database, {}, NOW + timedelta(seconds=5), WITH_LINKS) == 1
    (message,) = taken
    assert f"№ {row.outbox_id}" in message["message"]
    (row,) = await outbox.told(database)
    assert (row.attempts, row.last_error) == (2, None)


async def test_a_message_that_is_no_longer_needed_does_not_go_out(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    await notify_people(database, NOW)
    await deliver_due(database, {}, NOW, WITH_LINKS)
    await acknowledge(database, alarm_id, Actor("wu", "x"), "", NOW)
    async with webhook() as (taken, port):
        await _readdress(database, "lin", f"json://127.0.0.1:{port}/")
        await deliver_due(database, {}, NOW + MINUTE, WITH_LINKS)
    (row,) = await outbox.told(database)
    assert (taken, row.closed_as) == ([], ClosedAs.NOT_NEEDED)


async def test_nobody_on_call_stands_in_the_log_and_the_next_level_is_told(
    database: Database, two_levels: None
) -> None:
    async with database.transaction() as conn:
        await conn.execute(
            "DELETE FROM on_call_shift WHERE user_id = (SELECT user_id FROM app_user WHERE name = 'lin')"
        )
    await raise_alarm(database, NOW)
    await notify_people(database, NOW)
    assert await _told(database) == [("", MessageKind.GAP), ("wu", MessageKind.ALARM)]


async def test_a_flood_is_one_message_about_all(database: Database, two_levels: None) -> None:
    for n in range(9):
        await raise_alarm(database, NOW, f"fan-{n}")
    await notify_people(database, NOW)
    await notify_people(database, NOW + MINUTE)
    assert await _told(database) == [("lin", MessageKind.GROUP)]
    assert "9 alarms" in (await outbox.told(database))[0].subject
    rows = await outbox.told(database, alarm_id=3)
    assert [r.kind for r in rows] == [MessageKind.GROUP]


async def test_a_worker_killed_between_sending_and_noting_repeats_once_with_the_same_number(
    database: Database, database_dsn: str, two_levels: None, tmp_path: Path
) -> None:
    await raise_alarm(database, NOW)
    await notify_people(database, NOW)
    async with webhook(answers=False) as (taken, port):
        await _readdress(database, "lin", f"json://127.0.0.1:{port}/")
        environment = {
            **os.environ, "DATABASE_URL": database_dsn, "ENERGY_CENTER_STATE_DIR": str(tmp_path),
            "ENERGY_CENTER_SECRET": KEY.get_secret_value(),
        }  # fmt: skip
        worker = await create_subprocess_exec(
            sys.executable, "-m", "energy_center", "worker", env=environment, stderr=subprocess.DEVNULL
        )
        async with timeout(30):
            while not taken:  # noqa: ASYNC110 another process sets it off
                await sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
    (row,) = await outbox.told(database)
    assert (row.sent_at, row.attempts) == (None, 1)
    later = datetime.now(UTC) + 2 * MINUTE  # the lease is over
    async with webhook(port) as (again, _):
        assert await deliver_due(database, {}, later, WITH_LINKS) == 1
        assert await deliver_due(database, {}, later + MINUTE, WITH_LINKS) == 0
    numbers = [re.findall(r"№ (\d+)", m["message"]) for m in [*taken, *again]]
    assert numbers == [[str(row.outbox_id)]] * 2
    assert len(await outbox.told(database)) == 1


async def _link(database: Database) -> str:
    """The link that the person on call finds in the message."""
    async with webhook() as (taken, port):
        await _readdress(database, "lin", f"json://127.0.0.1:{port}/")
        await notify_people(database, NOW)
        await deliver_due(database, {}, NOW, WITH_LINKS)
    found = re.search(r"https://energy\.example/ack/(\S+)", taken[0]["message"])
    assert found is not None
    return found[1]


async def test_a_link_acknowledges_once_as_its_person_and_is_kept_nowhere(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    token = await _link(database)
    assert token not in (await outbox.told(database))[0].body
    asked = await read_link(database, KEY, token)
    assert (asked.user.name, asked.alarm.alarm_id) == ("lin", alarm_id)
    assert asked.alarm.state is AlarmState.UNACKNOWLEDGED  # asking changes nothing
    row = await acknowledge_by_link(database, KEY, token, "198.51.100.9", NOW)
    assert (row.state, row.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "lin")
    (entry,) = await read_audit(database, limit=1)
    assert (entry.actor, entry.address, entry.action) == ("lin", "198.51.100.9", "alarm.acknowledged")
    with pytest.raises(Conflict):
        await acknowledge_by_link(database, KEY, token, "198.51.100.9", NOW)


async def test_a_link_holds_for_its_person_its_time_and_its_purpose_only(
    database: Database, two_levels: None
) -> None:
    alarm_id = await raise_alarm(database, NOW)
    token = await _link(database)
    for wrong in (token[:-2], "x", "", token.replace(token[0], "A" if token[0] != "A" else "B", 1)):
        with pytest.raises(NotFound):
            await read_link(database, KEY, wrong)
    with pytest.raises(NotFound):
        await read_link(database, SecretStr("other" * 8), token)
    async with database.transaction() as conn:  # it returns and stands up anew: another time
        await conn.execute(
            """INSERT INTO alarm_event (alarm_id, at, actor, event)
            VALUES ($1, $2, 'system:rules', 'reopened')""",
            alarm_id,
            NOW,
        )
    await notify_people(database, NOW)
    with pytest.raises(NotAllowed):
        await acknowledge_by_link(database, KEY, token, "x", NOW)
    async with database.transaction() as conn:
        await conn.execute("UPDATE app_user SET role = 'viewer' WHERE name = 'lin'")
    with pytest.raises(NotAllowed):
        await read_link(database, KEY, token)


async def test_the_summary_goes_out_once_at_its_hour(database: Database, two_levels: None) -> None:
    noon = datetime(2027, 1, 5, 4, tzinfo=UTC)  # 12:00 at the site
    async with database.transaction() as conn:
        await conn.execute(
            "UPDATE contact SET digest = 'daily', digest_hour = 12 "
            "WHERE user_id = (SELECT user_id FROM app_user WHERE name = 'wu')"
        )
        await conn.execute(
            """INSERT INTO alarm (rule_id, equipment_id, priority, state, onset_at, raised_at, suggestion)
            VALUES ('ahu-after-hours', 'ahu', 'medium', 'unacknowledged', $1, $1, '{"per_day_kwh": 480}')""",
            noon - timedelta(hours=2),
        )
    assert await queue_digests(database, noon - MINUTE) in (0, 1)  # yesterday's, when that was not sent
    assert [await queue_digests(database, noon + n * MINUTE) for n in (0, 1, 60)] == [1, 0, 0]
    row = (await outbox.told(database))[0]
    assert "480 kWh a day (1 alarms" in row.body
    assert "NT$" not in row.body  # no alarm can say, so nothing is said
    assert (row.recipient, row.kind) == ("wu", MessageKind.DIGEST)


async def test_the_summary_counts_no_waste_of_what_has_gone_and_nothing_that_was_hidden(
    database: Database, two_levels: None
) -> None:
    kinds = (
        # state, returned, suppressed by, withdrawn
        ("unacknowledged", None, None, None),
        ("returned_unacknowledged", NOW, None, None),
        ("normal", NOW, "alarm/1", None),
        ("normal", NOW, None, NOW),
    )
    async with database.transaction() as conn:
        for kind in kinds:
            await conn.execute(
                """INSERT INTO alarm (rule_id, equipment_id, priority, onset_at, raised_at, suggestion,
                    state, returned_at, suppressed_by, withdrawn_at)
                VALUES ('r' || random(), 'ahu', 'medium', $1, $1,
                    '{"per_day_kwh": 480, "energy_kwh": 10, "money_ntd": 40}', $2, $3, $4, $5)""",
                NOW - timedelta(hours=2),
                *kind,
            )
        found = await digest.digest_figures(conn, NOW - timedelta(days=1), NOW)
    assert (found.open, found.unacknowledged, found.new, found.closed) == (2, 2, 2, 1)
    assert (found.with_energy, found.per_day_kwh, found.per_day_ntd) == (1, 480.0, 1920.0)
