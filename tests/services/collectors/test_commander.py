"""From a request to the device and back: a controller on a socket, a real database, the test's own clock."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from collectors.command_store import DatabaseCommands
from collectors.commander import Commander
from collectors.driver import BusContext
from collectors.drivers.bacnet import BacnetDriver
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.commands import Command, CommandState, WriteLimits
from energy_center.domain.people import Actor, User, UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.services import commands
from energy_center.services.audit import read_audit
from energy_center.services.commands import WantedCommand
from energy_center.store.pool import Database
from simulators import catalogue
from simulators.devices.bacnet import BacnetServer
from simulators.devices.source import Source
from tests.services.writable_site import SCHEDULE, SETPOINT

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
WIDE = WriteLimits(0.0, 30.0)
OWN = {"schedule": 0.0, "supply_air_temperature_setpoint": 18.0}
WHO = Actor("manager", "test")

pytestmark = pytest.mark.usefixtures("writable_point")


class Fixed:
    """The controller's own program says the same for ever."""

    def value(self, equipment_id: str, signal: str) -> float:
        return OWN.get(signal, 1.0)

    def is_silent(self, equipment_id: str) -> bool:
        return False


class Hall:
    """A controller, its driver, and a clock that stands still."""

    def __init__(self, database: Database, user: User, driver: BacnetDriver, source: Source) -> None:
        self.database, self.user, self.driver, self.source = database, user, driver, source
        self.now = START
        self.commander = self.started()

    def started(self, limits: WriteLimits | None = WIDE) -> Commander:
        """A collector that has just started; nothing is in its memory."""
        commander = Commander(DatabaseCommands(self.database.dsn), lambda: self.now, settle_s=0.0)
        commander.add(self.driver, [dataclasses.replace(b, writable=limits) for b in BINDINGS.values()])
        return commander

    async def ask(self, key: tuple[str, str], wanted: float) -> Command:
        request = WantedCommand(*key, wanted, self.now + HOUR)
        return await commands.request_command(self.database, request, self.user, WHO, self.now)

    async def reads(self, key: tuple[str, str]) -> float:
        return (await self.driver.read_back(BINDINGS[key], 12)).present

    async def state(self, command: Command) -> Command:
        return await commands.get_command(self.database, command.command_id)


def _binding(key: tuple[str, str], role: Role, kind: str) -> PointBinding:
    return PointBinding(key, role, "ahu", "ahu", 60.0, Linear(), BacnetSource(kind, 1))


BINDINGS = {
    SCHEDULE: _binding(SCHEDULE, Role.SCHEDULE, "binary-value"),
    SETPOINT: _binding(SETPOINT, Role.SUPPLY_AIR_TEMPERATURE_SETPOINT, "analog-value"),
}


@pytest.fixture
async def hall(database: Database, people: dict[UserRole, User]) -> AsyncIterator[Hall]:
    source = Source(Fixed())
    wired = catalogue.Connection("ahu", catalogue.Wire.BACNET, 0, 2001)
    server = BacnetServer(wired, [catalogue.Line("ahu", "ahu", "ahu")], source)
    port = await server.start("127.0.0.1", 0)
    target = BacnetIp("127.0.0.1", port, 2001, 0.5)
    bindings = tuple(BINDINGS.values())
    driver = BacnetDriver(BusContext(Connection("ahu", target), (Device("ahu", "ahu"),), bindings, "test"))
    await driver.open()
    try:
        yield Hall(database, people[UserRole.MANAGER], driver, source)
    finally:
        await driver.close()
        await server.stop()


async def test_written_read_back_and_handed_back_at_its_end(hall: Hall):
    made = await hall.ask(SCHEDULE, 1.0)
    await hall.commander.once()
    done = await hall.state(made)
    assert (done.state, done.read_back, done.written_at) == (CommandState.ACTIVE, 1.0, START)
    assert await hall.reads(SCHEDULE) == 1.0
    hall.now += HOUR - timedelta(seconds=1)
    await hall.commander.once()
    assert (await hall.state(made)).state is CommandState.ACTIVE
    hall.now += timedelta(seconds=1)
    await hall.commander.once()
    ended = await hall.state(made)
    assert (ended.state, ended.ended_at) == (CommandState.RELINQUISHED, START + HOUR)
    assert await hall.reads(SCHEDULE) == OWN["schedule"]
    actions = [row.action for row in await read_audit(hall.database, limit=10)]
    assert actions[:3] == ["command.relinquished", "command.active", "command.requested"]


async def test_collector_that_was_restarted_hands_back_what_the_one_before_it_wrote(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    assert await hall.reads(SETPOINT) == 15.5
    hall.now += HOUR
    await hall.started().once()
    assert (await hall.state(made)).state is CommandState.RELINQUISHED
    assert await hall.reads(SETPOINT) == OWN["supply_air_temperature_setpoint"]


async def test_kill_between_note_and_answer_is_written_again_and_ended(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    noted = dataclasses.replace(made, state=CommandState.WRITING, may_be_held=True)
    await DatabaseCommands(hall.database.dsn).change(made, lambda _: noted, hall.now)
    await hall.driver.write(BINDINGS[SETPOINT], 15.5, made.priority)
    hall.now += HOUR
    await hall.started().once()
    assert (await hall.state(made)).state is CommandState.RELINQUISHED
    assert await hall.reads(SETPOINT) == OWN["supply_air_temperature_setpoint"]


async def test_cancelled_it_is_handed_back_at_once(hall: Hall):
    made = await hall.ask(SCHEDULE, 1.0)
    await hall.commander.once()
    await commands.cancel_command(hall.database, made.command_id, hall.user, WHO, hall.now)
    await hall.commander.once()
    assert (await hall.state(made)).state is CommandState.RELINQUISHED
    assert await hall.reads(SCHEDULE) == OWN["schedule"]


async def test_newer_request_takes_over_and_only_its_end_hands_back(hall: Hall):
    first = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    hall.now += HOUR / 2
    second = await hall.ask(SETPOINT, 16.5)
    await hall.commander.once()
    hall.now = START + HOUR
    await hall.commander.once()
    assert (await hall.state(first)).state is CommandState.SUPERSEDED
    assert await hall.reads(SETPOINT) == 16.5
    hall.now += HOUR
    await hall.commander.once()
    assert (await hall.state(second)).state is CommandState.RELINQUISHED
    assert await hall.reads(SETPOINT) == OWN["supply_air_temperature_setpoint"]


async def test_higher_priority_in_the_controller_is_told_as_overruling(hall: Hall):
    await hall.driver.write(BINDINGS[SETPOINT], 20.0, 8)
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    done = await hall.state(made)
    assert (done.state, done.read_back) == (CommandState.ACTIVE, 20.0)
    assert "higher priority" in done.detail


@pytest.mark.parametrize("limits", [None, WriteLimits(16.0, 17.0)])
async def test_collector_refuses_what_its_own_site_file_does_not_allow(
    limits: WriteLimits | None, hall: Hall
):
    made = await hall.ask(SETPOINT, 15.5)
    strict = hall.started(limits)
    await strict.once()
    await strict.once()
    failed = await hall.state(made)
    assert (failed.state, failed.may_be_held) == (CommandState.FAILED, False)
    assert "site file" in (failed.refusal or "")
    assert await hall.reads(SETPOINT) == OWN["supply_air_temperature_setpoint"]


async def test_silent_device_is_tried_again_and_the_command_ends_in_time(hall: Hall):
    hall.source.mute("ahu", on=True)
    made = await hall.ask(SCHEDULE, 1.0)
    await hall.commander.once()
    waiting = await hall.state(made)
    assert (waiting.state, waiting.attempts) == (CommandState.WRITING, 1)
    assert await hall.commander.once() == 0  # not before its pause is over
    hall.source.mute("ahu", on=False)
    hall.now += timedelta(seconds=5)
    await hall.commander.once()
    assert (await hall.state(made)).state is CommandState.ACTIVE


async def _actions(hall: Hall) -> list[str]:
    rows = reversed(await read_audit(hall.database, limit=20))
    return [row.action for row in rows if row.action.startswith("command.")]


async def test_who_overrules_an_active_command_later_is_said_once_and_so_is_its_end(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    await hall.driver.write(BINDINGS[SETPOINT], 20.0, 8)
    for _ in range(3):
        hall.now += timedelta(minutes=1)
        await hall.commander.once()
    overruled = await hall.state(made)
    assert (overruled.state, overruled.read_back) == (CommandState.ACTIVE, 20.0)
    assert overruled.read_back_at == hall.now
    assert "higher priority" in overruled.detail
    await hall.driver.write(BINDINGS[SETPOINT], None, 8)
    hall.now += timedelta(minutes=1)
    await hall.commander.once()
    free = await hall.state(made)
    assert (free.read_back, free.detail) == (15.5, "")
    assert await _actions(hall) == [
        "command.requested",
        "command.active",
        "command.overruled",
        "command.in_force",
    ]


async def test_another_value_at_our_priority_is_said_and_left(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    await hall.driver.write(BINDINGS[SETPOINT], 17.0, made.priority)
    hall.now += timedelta(minutes=1)
    await hall.commander.once()
    assert (await hall.state(made)).detail == "another wrote 17 at its priority"
    assert await hall.reads(SETPOINT) == 17.0


async def test_value_that_a_restarted_device_has_lost_is_written_again(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    await hall.driver.write(BINDINGS[SETPOINT], None, made.priority)  # an empty array, as after a restart
    hall.now += timedelta(minutes=1)
    await hall.commander.once()
    assert await hall.reads(SETPOINT) == 15.5
    hall.now += HOUR
    await hall.commander.once()
    assert (await hall.state(made)).state is CommandState.RELINQUISHED


async def test_active_command_of_a_device_that_is_away_is_looked_at_later(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    hall.source.mute("ahu", on=True)
    hall.now += timedelta(minutes=1)
    assert await hall.commander.once() == 1
    assert await hall.commander.once() == 0
    still = await hall.state(made)
    assert (still.state, still.detail, still.attempts) == (CommandState.ACTIVE, "", 0)


async def test_command_that_ended_while_no_collector_ran_is_handed_back_by_the_next(hall: Hall):
    made = await hall.ask(SCHEDULE, 1.0)
    await hall.commander.once()
    hall.now += 5 * HOUR
    assert await hall.reads(SCHEDULE) == 1.0  # nobody was there at its end
    await hall.started().once()
    ended = await hall.state(made)
    assert (ended.state, ended.ended_at) == (CommandState.RELINQUISHED, hall.now)
    assert await hall.reads(SCHEDULE) == OWN["schedule"]


async def test_active_command_survives_a_restart_of_the_collector(hall: Hall):
    made = await hall.ask(SETPOINT, 15.5)
    await hall.commander.once()
    hall.now += HOUR / 2
    await hall.started().once()
    kept = await hall.state(made)
    assert (kept.state, kept.written_at, kept.read_back_at) == (CommandState.ACTIVE, START, hall.now)
    assert await hall.reads(SETPOINT) == 15.5


async def test_command_that_cannot_be_encoded_holds_up_no_other_and_is_told(hall: Hall):
    unsigned = BacnetSource("positive-integer-value", 1)
    from_thirty = dataclasses.replace(
        BINDINGS[SETPOINT], source=unsigned, scaling=Linear(1.0, 30.0), writable=WIDE
    )
    hall.commander.add(hall.driver, [from_thirty])
    bad, good = await hall.ask(SETPOINT, 15.0), await hall.ask(SCHEDULE, 1.0)
    await hall.commander.once()
    assert (await hall.state(good)).state is CommandState.ACTIVE
    held = await hall.state(bad)
    assert (held.state, held.attempts) == (CommandState.WRITING, 1)
    assert held.detail
