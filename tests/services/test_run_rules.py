"""Readings in a real database become alarms, messages and work orders, and end again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from energy_center.domain.alarms import AlarmEventKind, AlarmState, Priority
from energy_center.domain.people import Actor, User, UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Reading
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.domain.work_orders import WorkOrderState
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.services import alarms, tune_rules, work_orders
from energy_center.services.run_rules import run_rules
from energy_center.store import audit, outbox
from energy_center.store.devices import set_device_state
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_readings
from energy_center.store.site import apply_site

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
OPERATOR = Actor("operator", "127.0.0.1")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def person(role: UserRole) -> User:
    return User(1, role.value, role.value, role, "zh-TW")


def _equipment(equipment_id: str, roles: list[Role], device: str, fed_by: str | None = None) -> Equipment:
    points = tuple(Point(equipment_id, role.value, role, 5.0) for role in roles)
    name = Text(f"設備 {equipment_id}", f"Equipment {equipment_id}")
    return Equipment(equipment_id, "Sump", name, "ltb", "io", device, fed_by=fed_by, points=points)


async def _apply(database: Database, rules: dict[str, dict[str, float]] | None = None) -> Site:
    words = Text("市政大樓", "City hall")
    spaces = (
        Space("city", None, SpaceKind.SITE, words),
        Space("ltb", "city", SpaceKind.BUILDING, words, {"tariff": "taipower-hv-tou3"}),
    )
    things = (
        _equipment("sump", [Role.SUMP_LEVEL, Role.HIGH_FLOAT], "sump"),
        _equipment("sump-p1", [Role.PUMP_STATUS], "sump", fed_by="sump"),
        _equipment("drain", [Role.DRAINAGE_LEVEL], "drain"),
        _equipment("water", [Role.WATER_VOLUME], "water"),
    )
    site = Site("city", words, "Asia/Taipei", spaces, things, rules or {})
    return await apply_site(database, site, str(rules), "test", START)


async def _read(database: Database, site: Site, until: datetime, level_m: float, pump: float) -> None:
    """Five minutes of readings every 5 s up to `until`."""
    values = {("sump", "sump_level"): level_m, ("sump", "high_float"): 0.0, ("sump-p1", "pump_status"): pump}
    numbers: dict[PointId, float] = {p.point_id: values[p.key] for p in site.points() if p.key in values}
    readings = [
        Reading(point_id, until - timedelta(seconds=5 * n), value)
        for n in range(60)
        for point_id, value in numbers.items()
    ]
    await write_readings(database, ReadingBatch.of(readings), until)


async def _flood(database: Database) -> int:
    site = await _apply(database)
    await _read(database, site, at(5), 1.9, 0.0)
    await run_rules(database, at(5), ("file",))
    (found,) = await alarms.list_alarms(database)
    return found.alarm_id


async def test_a_flooding_sump_raises_one_alarm_with_evidence(database: Database) -> None:
    alarm_id = await _flood(database)
    detail = await alarms.get_alarm(database, alarm_id)
    assert (detail.row.rule_id, detail.row.equipment_id) == ("sump-high-pump-off", "sump")
    assert (detail.row.priority, detail.row.state) == (Priority.CRITICAL, AlarmState.UNACKNOWLEDGED)
    assert detail.row.building_id == "ltb"
    assert detail.row.raised_at - detail.row.onset_at >= timedelta(minutes=2)
    assert detail.evidence["values"] == {"sump_level_m": 1.9}
    assert detail.evidence["points"] == ["sump/sump_level", "sump/high_float", "sump-p1/pump_status"]
    assert detail.texts["en"].name == "Sump level high and no pump runs"
    kinds = [event.event for event in detail.history]
    assert kinds == [AlarmEventKind.RAISED, AlarmEventKind.WORK_ORDER]


async def test_running_again_changes_nothing(database: Database) -> None:
    await _flood(database)
    again = await run_rules(database, at(5) + timedelta(seconds=4))
    assert (again.raised, again.returned) == (0, 0)
    assert len(await alarms.list_alarms(database, open_only=False)) == 1


async def test_an_alarm_returns_and_reopens_as_the_same_until_it_is_seen(database: Database) -> None:
    alarm_id = await _flood(database)
    site = await _apply(database)
    for minute, level_m, pump in ((10, 0.9, 1.0), (15, 0.5, 0.0)):
        await _read(database, site, at(minute), level_m, pump)
        await run_rules(database, at(minute))
    (row,) = await alarms.list_alarms(database)
    assert row.state is AlarmState.RETURNED_UNACKNOWLEDGED
    await _read(database, site, at(20), 1.9, 0.0)
    await run_rules(database, at(20))
    (row,) = await alarms.list_alarms(database)
    assert (row.alarm_id, row.state) == (alarm_id, AlarmState.UNACKNOWLEDGED)
    await alarms.acknowledge(database, alarm_id, OPERATOR, "", at(21))
    for minute in (25, 30):
        await _read(database, site, at(minute), 0.5, 0.0)
        await run_rules(database, at(minute))
    assert await alarms.list_alarms(database) == []


async def test_acknowledging_is_audited_and_done_once(database: Database) -> None:
    alarm_id = await _flood(database)
    row = await alarms.acknowledge(database, alarm_id, OPERATOR, "seen", at(6))
    assert (row.state, row.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "operator")
    with pytest.raises(Conflict):
        await alarms.acknowledge(database, alarm_id, OPERATOR, "", at(7))
    async with database.connection() as conn:
        (entry,) = await audit.list_entries(conn, 10, subject=f"alarm/{alarm_id}")
        check = await audit.verify_chain(conn)
    assert (entry.action, entry.actor) == ("alarm.acknowledged", "operator")
    assert entry.before is not None
    assert entry.before["state"] == "unacknowledged"
    assert check.broken_at is None


async def test_shelving_ends_within_a_week(database: Database) -> None:
    alarm_id = await _flood(database)
    with pytest.raises(Invalid):
        await alarms.shelve(database, alarm_id, at(60 * 24 * 8), OPERATOR, "", at(6))
    row = await alarms.shelve(database, alarm_id, at(60), OPERATOR, "being repaired", at(6))
    assert row.shelved_until == at(60)
    assert (await alarms.unshelve(database, alarm_id, OPERATOR, "", at(7))).shelved_until is None


async def test_an_unknown_alarm_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        await alarms.get_alarm(database, 4711)
    with pytest.raises(NotFound):
        await alarms.acknowledge(database, 4711, OPERATOR, "", at(0))


async def test_people_are_told_once_per_channel(database: Database) -> None:
    alarm_id = await _flood(database)
    await run_rules(database, at(6), ("file",))
    (message,) = await outbox.told(database, alarm_id=alarm_id)
    assert (message.channel, message.sent_at) == ("file", None)
    (told,) = (await alarms.get_alarm(database, alarm_id)).told
    assert (told.channel, told.recipient, told.queued_at) == ("file", "operators", at(5))
    assert "廢水坑高水位" in message.subject


async def test_a_critical_alarm_opens_work_that_ends_with_two_people(database: Database) -> None:
    alarm_id = await _flood(database)
    order = await work_orders.create_from_alarm(database, alarm_id, OPERATOR, at(6))
    assert (order.created_by, order.alarm_id, order.priority) == ("system:rules", alarm_id, Priority.CRITICAL)
    technician, manager = person(UserRole.TECHNICIAN), person(UserRole.MANAGER)
    number = order.work_order_id

    async def take(to: WorkOrderState, who: User, comment: str = "") -> WorkOrderState:
        actor = Actor(who.name, "127.0.0.1")
        return (await work_orders.move(database, number, to, who, actor, comment, at(9))).state

    for step in (WorkOrderState.ASSIGNED, WorkOrderState.IN_PROGRESS, WorkOrderState.DONE):
        assert await take(step, technician, "impeller freed") is step
    with pytest.raises(NotAllowed):
        await take(WorkOrderState.VERIFIED, technician)
    with pytest.raises(Conflict):
        await take(WorkOrderState.CLOSED, manager)
    await take(WorkOrderState.VERIFIED, manager)
    detail = await work_orders.get_work_order(database, number, technician, at(9))
    assert detail.moves == (WorkOrderState.CLOSED,)
    await take(WorkOrderState.CLOSED, technician)
    (row,) = await work_orders.list_work_orders(database, at(10))
    assert (row.order.state, row.order.resolution) == (WorkOrderState.CLOSED, "impeller freed")
    assert (await alarms.list_alarms(database))[0].work_order_id == number


async def test_a_work_order_sent_twice_exists_once(database: Database) -> None:
    client_id = UUID(int=7)
    made = [
        await work_orders.create(
            database, title="更換燈管", priority=Priority.LOW, actor=OPERATOR, now=at(0), client_id=client_id
        )
        for _ in range(2)
    ]
    assert made[0].work_order_id == made[1].work_order_id
    with pytest.raises(Invalid):
        await work_orders.create(database, title=" ", priority=Priority.LOW, actor=OPERATOR, now=at(0))


async def test_a_silent_device_is_its_own_alarm_and_all_of_them_one(database: Database) -> None:
    await _apply(database)
    for device in ("sump", "drain", "water"):
        await set_device_state(database, device, online=True, at=at(-60))
    await run_rules(database, at(0))
    await set_device_state(database, "drain", online=False, at=at(1))
    await run_rules(database, at(8))
    found = {(a.rule_id, a.equipment_id) for a in await alarms.list_alarms(database)}
    assert found == {("dq-offline", "drain")}
    for device in ("sump", "water"):
        await set_device_state(database, device, online=False, at=at(10))
    await run_rules(database, at(30))
    found = {(a.rule_id, a.equipment_id) for a in await alarms.list_alarms(database)}
    assert ("dq-gateway-offline", "sump") in found
    assert ("dq-offline", "sump") not in found
    gateway = next(a for a in await alarms.list_alarms(database) if a.rule_id == "dq-gateway-offline")
    evidence = (await alarms.get_alarm(database, gateway.alarm_id)).evidence
    assert evidence["notes"] == ["sump", "drain", "water"]


async def test_a_site_may_shorten_the_hold(database: Database) -> None:
    site = await _apply(database, {"sump-high-pump-off": {"hold": 10.0}})
    await _read(database, site, at(5), 1.9, 0.0)
    await run_rules(database, at(4.75))
    (row,) = await alarms.list_alarms(database)
    assert row.raised_at - row.onset_at == timedelta(seconds=10)


async def test_many_of_a_kind_become_one_and_are_shown_when_it_has_gone(database: Database) -> None:
    words = Text("市政大樓", "City hall")
    spaces = (Space("city", None, SpaceKind.SITE, words), Space("ltb", "city", SpaceKind.BUILDING, words))
    roles = [Role.FAN_STATUS, Role.SCHEDULE]
    units = tuple(_equipment(f"ahu-{n}", roles, f"ahu-{n}") for n in range(6))
    rules = {"ahu-off-schedule": {"hold": 30.0, "keep": 30.0, "edge_min": 1.0}}
    site = await apply_site(
        database, Site("city", words, "Asia/Taipei", spaces, units, rules), "a", "t", START
    )

    async def read(until: datetime, running: set[str]) -> None:
        readings = [
            Reading(p.point_id, until - timedelta(seconds=5 * n), float(p.equipment_id in running))
            if p.role is Role.FAN_STATUS
            else Reading(p.point_id, until - timedelta(seconds=5 * n), 0.0)
            for n in range(60)
            for p in site.points()
        ]
        await write_readings(database, ReadingBatch.of(readings), until)

    everyone = {unit.equipment_id for unit in units}
    await read(at(5), everyone)
    report = await run_rules(database, at(5), ("file",))
    shown = await alarms.list_alarms(database)
    assert (report.raised, len(shown)) == (6, 3)
    assert len(await outbox.told(database)) == 3
    leader = min(row.alarm_id for row in shown)
    grouped = [e for e in (await alarms.get_alarm(database, leader)).history if e.event == "grouped"]
    assert len(grouped) == 3
    still = {row.equipment_id for row in shown if row.alarm_id != leader} | (
        everyone - {row.equipment_id for row in shown}
    )
    await read(at(10), still)
    await run_rules(database, at(10), ("file",))
    active = {row.equipment_id for row in await alarms.list_alarms(database) if row.state.is_active}
    assert active == still


async def test_waste_is_reckoned_over_the_whole_time(database: Database) -> None:
    words = Text("市政大樓", "City hall")
    spaces = (
        Space("city", None, SpaceKind.SITE, words),
        Space("ltb", "city", SpaceKind.BUILDING, words, {"tariff": "taipower-hv-tou3"}),
    )
    points = tuple(Point("ahu", r.value, r, 5.0) for r in (Role.FAN_STATUS, Role.SCHEDULE))
    unit = Equipment("ahu", "AHU", words, "ltb", "io", "ahu", attributes={"rated_kw": 12.0}, points=points)
    rules = {"ahu-off-schedule": {"hold": 60.0, "keep": 60.0, "edge_min": 1.0, "step": 60.0}}
    site = await apply_site(
        database, Site("city", words, "Asia/Taipei", spaces, (unit,), rules), "a", "t", START
    )
    numbers = {p.role: p.point_id for p in site.points()}
    for minute in range(0, 241, 5):
        running = float(minute <= 200)
        readings = [
            Reading(numbers[role], at(minute) - timedelta(seconds=5 * n), value)
            for n in range(60)
            for role, value in ((Role.FAN_STATUS, running), (Role.SCHEDULE, 0.0))
        ]
        await write_readings(database, ReadingBatch.of(readings), at(minute))
        await run_rules(database, at(minute), ())
    (row,) = await alarms.list_alarms(database)
    suggestion = (await alarms.get_alarm(database, row.alarm_id)).suggestion
    assert row.returned_at is not None
    hours = (row.returned_at - row.onset_at) / timedelta(hours=1)
    assert suggestion["energy_kwh"] == pytest.approx(12.0 * hours, rel=0.05)
    assert suggestion["carbon_kg"] == pytest.approx(12.0 * hours * 0.467, rel=0.05)
    assert suggestion["money_ntd"] > 0


async def test_an_adopted_parameter_holds_from_the_next_run_until_it_is_undone(database: Database) -> None:
    site = await _apply(database)
    asked = Actor("chen", "203.0.113.9")
    rule, place = "sump-high-pump-off", "sump"
    made = await tune_rules.adopt(database, rule, place, {"hold": 3_000}, "Cleaning", asked, at(0))
    await _read(database, site, at(5), 1.9, 0.0)
    assert (await run_rules(database, at(5), ())).raised == 0
    await tune_rules.undo(database, made.adoption_id, asked, at(5))
    await _read(database, site, at(6), 1.9, 0.0)
    assert (await run_rules(database, at(6), ())).raised == 1
    with pytest.raises(Conflict):
        await tune_rules.undo(database, made.adoption_id, asked, at(6))
    with pytest.raises(Invalid, match="no parameter 'holds'"):
        await tune_rules.adopt(database, rule, place, {"holds": 1}, "x", asked, at(6))
