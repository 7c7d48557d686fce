"""Alarms about collection itself, from what collectors reported, on a real database."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.alarms import AlarmState, Priority
from energy_center.services.alarms import AlarmRow, get_alarm, list_alarms
from energy_center.services.watch_collection import watch_collection
from energy_center.store.pool import Database
from energy_center.store.supervision import read_collectors, write_report
from tests.services.supervised import bus_report, collector_report, spool_report

T0 = datetime(2026, 11, 24, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def alarms(db: Database) -> dict[str, AlarmRow]:
    return {a.rule_id: a for a in await list_alarms(db)}


async def test_collector_silent_for_a_minute_is_an_alarm_until_it_tells_again(database: Database) -> None:
    await write_report(database, collector_report(T0))
    assert await watch_collection(database, T0 + MINUTE) == 0
    assert await watch_collection(database, T0 + MINUTE + timedelta(seconds=1)) == 1
    assert await watch_collection(database, T0 + 2 * MINUTE) == 0  # one alarm, not one a look
    alarm = (await alarms(database))["collector-silent"]
    assert (alarm.state, alarm.priority, alarm.onset_at) == (AlarmState.UNACKNOWLEDGED, Priority.HIGH, T0)
    assert alarm.equipment_name.en == "Collector edge-1"
    detail = await get_alarm(database, alarm.alarm_id)
    assert set(detail.texts) == {"zh-TW", "en"}
    assert detail.evidence["values"] == {"silent_min": 1.0}
    assert {t.channel for t in detail.told} == {"log", "file"}
    await write_report(database, collector_report(T0 + 3 * MINUTE))
    await watch_collection(database, T0 + 3 * MINUTE)
    assert (await alarms(database))["collector-silent"].state is AlarmState.RETURNED_UNACKNOWLEDGED
    await watch_collection(database, T0 + 5 * MINUTE)
    reopened = (await alarms(database))["collector-silent"]
    assert (reopened.alarm_id, reopened.state) == (alarm.alarm_id, AlarmState.UNACKNOWLEDGED)


@pytest.mark.parametrize(
    ("spool", "rule_id"),
    [
        ({"dropped": 7, "last_dropped_at": T0}, "collector-dropping"),
        ({"oldest_unsent_at": T0 - timedelta(minutes=11)}, "collector-backlog"),
        ({"unknown_bytes": 500}, "collector-unknown-points"),
    ],
)
async def test_spool_in_trouble_is_an_alarm(
    database: Database, spool: dict[str, object], rule_id: str
) -> None:
    await write_report(database, collector_report(T0, spool=spool_report(**spool)))
    await watch_collection(database, T0)
    assert set(await alarms(database)) == {rule_id}
    await write_report(database, collector_report(T0))
    await watch_collection(database, T0)
    assert (await alarms(database))[rule_id].state is AlarmState.RETURNED_UNACKNOWLEDGED


async def test_backlog_of_ten_minutes_is_none_yet(database: Database) -> None:
    spool = spool_report(oldest_unsent_at=T0 - timedelta(minutes=10))
    await write_report(database, collector_report(T0, spool=spool))
    assert await watch_collection(database, T0) == 0


async def test_refused_site_is_an_alarm_that_names_the_mistakes(database: Database) -> None:
    await write_report(database, collector_report(T0, reload_mistakes=("site.yaml:7: no such profile",)))
    await watch_collection(database, T0)
    alarm = (await alarms(database))["collector-site-refused"]
    notes = (await get_alarm(database, alarm.alarm_id)).evidence["notes"]
    assert notes == ["gateway", "site.yaml:7: no such profile"]


async def test_collector_whose_connections_another_one_reads_is_forgotten_with_its_alarm(
    database: Database,
) -> None:
    await write_report(database, collector_report(T0))
    await watch_collection(database, T0 + 2 * MINUTE)
    later = T0 + 3 * MINUTE
    fresh = collector_report(
        later, collector_id="edge-2", buses=(bus_report(later), bus_report(later, "more"))
    )
    await write_report(database, fresh)
    await watch_collection(database, later)
    assert [c.collector_id for c in await read_collectors(database)] == ["edge-2"]
    assert (await alarms(database))["collector-silent"].state is AlarmState.RETURNED_UNACKNOWLEDGED
