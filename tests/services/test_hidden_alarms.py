"""Alarms that are recorded only: behind a silent device, out of service, chattering, found late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId, AlarmState, Priority, Suppression
from energy_center.domain.people import Actor
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Reading
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services import alarms, out_of_service
from energy_center.services.alarm_performance import read_alarm_health, read_blindness
from energy_center.services.group_alarms import find_leader, join_group
from energy_center.services.run_rules import SETTLE_S, run_rules
from energy_center.store import alarms as store
from energy_center.store import audit, outbox
from energy_center.store.pool import Connection, Database
from energy_center.store.readings import ReadingBatch, write_readings
from energy_center.store.site import apply_site

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
OPERATOR = Actor("operator", "127.0.0.1")
WORDS = Text("市政大樓", "City hall")
RULE = "equipment-fault"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
async def site(database: Database) -> Site:
    """A lift whose fault is read every 5 s."""
    spaces = (Space("city", None, SpaceKind.SITE, WORDS), Space("ltb", "city", SpaceKind.BUILDING, WORDS))
    point = Point("lift", "fault", Role.FAULT, 5.0)
    lift = Equipment("lift", "Elevator", Text("電梯", "Lift"), "ltb", "io", "lift", points=(point,))
    rules = {RULE: {"hold": 10.0, "keep": 10.0, "step": 5.0}}
    applied = await apply_site(
        database, Site("city", WORDS, "Asia/Taipei", spaces, (lift,), rules), "t", "t", START
    )
    await run_rules(database, at(0) + timedelta(seconds=SETTLE_S), ("file",))
    return applied


async def read(
    database: Database, site: Site, start: float, end: float, fault: float, late: float = 0
) -> None:
    """Readings over (start, end] minutes; they come `late` minutes after the end."""
    (point,) = site.points()
    steps = range(int(start * 12) + 1, int(end * 12) + 1)
    readings = [Reading(point.point_id, START + timedelta(seconds=5 * n), fault) for n in steps]
    await write_readings(database, ReadingBatch.of(readings), at(end + late))


async def judge(database: Database, minute: float) -> None:
    await run_rules(database, at(minute) + timedelta(seconds=SETTLE_S), ("file",))


async def test_equipment_out_of_service_is_recorded_only_until_it_is_back(
    database: Database, site: Site
) -> None:
    await out_of_service.take_out(database, "lift", at(30), "rope is changed", OPERATOR, at(0))
    with pytest.raises(Conflict):
        await out_of_service.take_out(database, "lift", at(30), "again", OPERATOR, at(0))
    await read(database, site, 0, 5, 1.0)
    await judge(database, 5)
    assert await alarms.list_alarms(database) == []
    (hidden,) = await alarms.list_alarms(database, hidden=True)
    assert hidden.suppression is Suppression.OUT_OF_SERVICE
    assert await outbox.told(database) == []
    (row,) = await out_of_service.list_out(database)
    assert (row.reason, row.taken_by, row.until) == ("rope is changed", "operator", at(30))
    await read(database, site, 5, 31, 1.0)
    await judge(database, 31)
    (shown,) = await alarms.list_alarms(database)
    assert shown.alarm_id == hidden.alarm_id
    assert len(await outbox.told(database)) > 0
    assert await out_of_service.list_out(database) == []
    async with database.connection() as conn:
        (entry,) = await audit.list_entries(conn, 10, subject="equipment/lift")
    assert (entry.action, entry.actor) == ("equipment.out_of_service", "operator")


async def test_taking_out_hides_what_stands_and_putting_back_shows_it(database: Database, site: Site) -> None:
    await read(database, site, 0, 5, 1.0)
    await judge(database, 5)
    assert len(await alarms.list_alarms(database)) == 1
    await out_of_service.take_out(database, "lift", at(60), "inspection", OPERATOR, at(6))
    assert await alarms.list_alarms(database) == []
    await out_of_service.put_back(database, "lift", OPERATOR, at(7))
    await read(database, site, 5, 8, 1.0)
    await judge(database, 8)
    assert len(await alarms.list_alarms(database)) == 1


async def test_what_had_gone_unseen_before_taking_out_is_to_be_seen_after_it(
    database: Database, site: Site
) -> None:
    await read(database, site, 0, 5, 1.0)
    await read(database, site, 5, 7, 0.0)
    await judge(database, 7)
    told_before = len(await outbox.told(database))
    await out_of_service.take_out(database, "lift", at(60), "inspection", OPERATOR, at(8))
    await out_of_service.put_back(database, "lift", OPERATOR, at(9))
    await judge(database, 10)
    (row,) = await alarms.list_alarms(database)
    assert row.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert len(await outbox.told(database)) == told_before


async def test_out_of_service_needs_an_equipment_a_reason_and_an_end(database: Database, site: Site) -> None:
    with pytest.raises(NotFound):
        await out_of_service.take_out(database, "nothing", at(5), "x", OPERATOR, at(0))
    with pytest.raises(Invalid):
        await out_of_service.take_out(database, "lift", at(5), " ", OPERATOR, at(0))
    with pytest.raises(Invalid):
        await out_of_service.take_out(database, "lift", at(60 * 24 * 91), "x", OPERATOR, at(0))
    with pytest.raises(NotFound):
        await out_of_service.put_back(database, "lift", OPERATOR, at(0))


async def test_a_chattering_alarm_is_held_until_it_has_been_quiet_for_half_an_hour(
    database: Database, site: Site
) -> None:
    for start in (0, 4, 8, 12):
        await read(database, site, start, start + 2, 1.0)
        await read(database, site, start + 2, start + 4, 0.0)
        await judge(database, start + 4)
    (row,) = await alarms.list_alarms(database)
    assert (row.chattering, row.state) == (True, AlarmState.UNACKNOWLEDGED)
    kinds = [e.event for e in (await alarms.get_alarm(database, row.alarm_id)).history]
    assert kinds.count(AlarmEventKind.CHATTERING) == 1
    assert kinds.count(AlarmEventKind.REOPENED) == 3
    told_before = len(await outbox.told(database))
    await read(database, site, 16, 45, 0.0)
    await judge(database, 45)
    (row,) = await alarms.list_alarms(database)
    assert (row.chattering, row.state) == (False, AlarmState.RETURNED_UNACKNOWLEDGED)
    assert len(await outbox.told(database)) == told_before
    health = await read_alarm_health(database, 1, at(46))
    assert health.performance.raised == 4
    assert health.performance.chattering == 1


async def test_a_fault_that_late_readings_show_is_written_with_its_true_times(
    database: Database, site: Site
) -> None:
    await read(database, site, 0, 5, 0.0)
    await judge(database, 5)
    await read(database, site, 8, 12, 0.0)
    await judge(database, 12)
    assert await alarms.list_alarms(database) == []
    await read(database, site, 5, 8, 1.0, late=5)
    await judge(database, 13)
    (row,) = await alarms.list_alarms(database)
    assert (row.onset_at, row.raised_at) == (at(5) + timedelta(seconds=5), at(5) + timedelta(seconds=15))
    assert row.returned_at == at(8) + timedelta(seconds=15)
    assert row.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert row.found_late_at == at(13) + timedelta(seconds=SETTLE_S)
    assert await outbox.told(database) == []


async def test_an_alarm_that_late_readings_disprove_is_withdrawn(database: Database, site: Site) -> None:
    (point,) = site.points()
    await read(database, site, 0, 5, 0.0)
    await judge(database, 5)
    # a reading of 1 stands for 10 s; zeros between come late
    ones = [Reading(point.point_id, at(5) + timedelta(seconds=10 * n), 1.0) for n in range(1, 13)]
    await write_readings(database, ReadingBatch.of(ones), at(7))
    await judge(database, 7)
    assert [a.state for a in await alarms.list_alarms(database)] == [AlarmState.UNACKNOWLEDGED]
    zeros = [Reading(point.point_id, at(5) + timedelta(seconds=10 * n - 5), 0.0) for n in range(1, 19)]
    await write_readings(database, ReadingBatch.of(zeros), at(7.5))
    await judge(database, 7.5)
    assert await alarms.list_alarms(database) == []
    (row,) = await alarms.list_alarms(database, open_only=False)
    assert row.withdrawn_at == at(7.5) + timedelta(seconds=SETTLE_S)


async def test_where_a_rule_cannot_tell_the_missing_input_is_named(database: Database, site: Site) -> None:
    await read(database, site, 0, 10, 0.0)
    await judge(database, 10)
    await judge(database, 30)
    row = next(r for r in await read_blindness(database, at(30)) if r.rule_id == RULE)
    assert (row.equipment_id, row.most_missing) == ("lift", "fault")
    assert row.unknown_share == pytest.approx(20 / 30, abs=0.02)
    assert not row.is_blind


async def test_a_flood_is_grouped_by_what_its_alarms_share(database: Database) -> None:
    spaces = (Space("city", None, SpaceKind.SITE, WORDS), Space("ltb", "city", SpaceKind.BUILDING, WORDS))
    things = tuple(
        Equipment(f"e{n}", "Elevator", WORDS, "ltb", "bus" if n < 12 else "other", f"e{n}") for n in range(13)
    )
    made = Site("city", WORDS, "Asia/Taipei", spaces, things)
    await apply_site(database, made, "t", "t", START)

    async def raised(conn: Connection, number: int, minute: float, priority: Priority) -> Alarm:
        alarm = Alarm(
            AlarmId(0),
            f"rule-{number}",
            f"e{number}",
            priority,
            AlarmState.UNACKNOWLEDGED,
            at(minute),
            at(minute),
        )
        alarm = replace(alarm, alarm_id=await store.insert_alarm(conn, alarm, {}, {}))
        await store.add_event(conn, alarm.alarm_id, AlarmEventKind.RAISED, "r", at(minute))
        return alarm

    async with database.transaction() as conn:
        first = await raised(conn, 0, 0, Priority.LOW)
        for number in range(1, 9):
            await raised(conn, number, 1, Priority.LOW)
        tenth = await raised(conn, 9, 2, Priority.LOW)
        assert await find_leader(conn, tenth, made) is None, "ten in ten minutes are no flood"
        eleventh = await raised(conn, 10, 3, Priority.LOW)
        leader = await find_leader(conn, eleventh, made)
        assert leader is not None
        assert leader.alarm_id == first.alarm_id
        assert await find_leader(conn, await raised(conn, 11, 3, Priority.CRITICAL), made) is None
        assert await find_leader(conn, await raised(conn, 12, 3, Priority.LOW), made) is None


GONE: dict[str, dict[str, Any]] = {
    "returned": {"state": AlarmState.RETURNED_UNACKNOWLEDGED, "returned_at": START},
    "withdrawn": {"state": AlarmState.NORMAL, "returned_at": START, "withdrawn_at": START},
}


@pytest.mark.parametrize("gone", [*GONE, "out of service"])
async def test_what_is_grouped_is_shown_and_told_when_its_leader_is_not_listed_any_more(
    database: Database, site: Site, gone: str
) -> None:
    alike = [
        Alarm(AlarmId(0), RULE, name, Priority.HIGH, AlarmState.UNACKNOWLEDGED, at(0), at(0))
        for name in ("lift", "member")
    ]
    async with database.transaction() as conn:
        leader, member = [replace(a, alarm_id=await store.insert_alarm(conn, a, {}, {})) for a in alike]
        await join_group(conn, member, leader)
    await judge(database, 1)
    assert [a.alarm_id for a in await alarms.list_alarms(database, hidden=True)] == [member.alarm_id]
    if gone in GONE:
        async with database.transaction() as conn:
            await store.update_alarm(conn, replace(leader, **GONE[gone]))
    else:
        await out_of_service.take_out(database, "lift", at(30), "inspection", OPERATOR, at(1))
    await judge(database, 2)
    assert member.alarm_id in [a.alarm_id for a in await alarms.list_alarms(database)]
    assert [m.channel for m in await outbox.told(database, alarm_id=member.alarm_id)] == ["file"]
    await judge(database, 3)
    assert len(await outbox.told(database, alarm_id=member.alarm_id)) == 1


async def test_what_comes_back_into_a_group_called_nobody(database: Database, site: Site) -> None:
    alike = [
        Alarm(AlarmId(0), RULE, name, Priority.HIGH, AlarmState.UNACKNOWLEDGED, at(0), at(0))
        for name in ("lift", "member")
    ]
    async with database.transaction() as conn:
        leader, member = [replace(a, alarm_id=await store.insert_alarm(conn, a, {}, {})) for a in alike]
        for alarm in (leader, member):
            await store.add_event(conn, alarm.alarm_id, AlarmEventKind.RAISED, "r", at(0))
        await store.add_event(conn, member.alarm_id, AlarmEventKind.RETURNED, "r", at(1))
        await store.add_event(conn, member.alarm_id, AlarmEventKind.REOPENED, "r", at(2))
        await join_group(conn, replace(member, raised_at=at(2)), leader)
    assert (await read_alarm_health(database, 1, at(3))).performance.raised == 2
