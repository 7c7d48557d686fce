import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from collectors.driver import BusContext, MalformedNotice, Message, Notice, Sample
from collectors.listener import Listener
from collectors.poller import StateChange
from energy_center.config.bindings import Connection, Device, MqttBroker, PointBinding
from energy_center.domain.supervision import ErrorCount, ErrorKind
from energy_center.errors import DeviceAway
from tests.unit.collectors.builders import message_point, sample
from tests.unit.collectors.fixed_random import seeded

POINTS = (message_point("temperature"),)


@dataclass
class FakeDriver:
    """Delivers what it is told; is away while `away`."""

    away: bool = False
    deliver: Callable[[Message], None] | None = None
    notice: Callable[[Notice], None] | None = None
    runs: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(
        self,
        deliver: Callable[[Message], None],
        connected: Callable[[], None],
        notice: Callable[[Notice], None],
    ) -> None:
        self.runs += 1
        if self.away:
            raise DeviceAway("nobody there")
        connected()
        self.deliver, self.notice = deliver, notice
        await self.lost.wait()
        self.lost.clear()
        raise DeviceAway("lost")


@dataclass
class Heard:
    driver: FakeDriver
    listener: Listener | None = None
    commits: list["asyncio.Future[None]"] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    acknowledged: int = 0

    def store(
        self, bindings: tuple[PointBinding, ...], read: Sample, /, *, comes_again: bool = False
    ) -> "asyncio.Future[None]":
        self.samples.append(read)
        self.commits.append(asyncio.get_running_loop().create_future())
        return self.commits[-1]

    def acknowledge(self) -> None:
        self.acknowledged += 1

    def publish(self, temperature: float) -> None:
        assert self.driver.deliver is not None
        self.driver.deliver(Message(("lobby",), POINTS, sample(temperature), self.acknowledge))


@asynccontextmanager
async def listening(*, away: bool = False) -> AsyncIterator[Heard]:
    heard = Heard(FakeDriver(away))
    context = BusContext(
        Connection("broker", MqttBroker("127.0.0.1")), (Device("lobby", "broker"),), POINTS, "test"
    )
    listener = Listener(context, heard.driver, heard.store, heard.changes.append, seeded(1))
    heard.listener = listener
    running = asyncio.ensure_future(listener.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        yield heard
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_message_is_acknowledged_after_its_commit_and_not_before() -> None:
    async with listening() as heard:
        heard.publish(21.0)
        await asyncio.sleep(0)
        assert heard.acknowledged == 0
        heard.commits[0].set_result(None)
        await asyncio.sleep(0)
        assert heard.acknowledged == 1


async def test_message_that_could_not_be_written_is_not_acknowledged() -> None:
    async with listening() as heard:
        heard.publish(21.0)
        heard.commits[0].set_exception(OSError("no space"))
        await asyncio.sleep(0)
        assert heard.acknowledged == 0


async def test_message_that_could_not_be_written_ends_the_session_so_that_it_is_sent_again() -> None:
    async with listening() as heard:
        heard.publish(21.0)
        heard.publish(21.5)
        for commit in heard.commits:
            commit.set_exception(OSError("no space"))
        async with asyncio.timeout(3):
            while heard.driver.runs < 2:  # noqa: ASYNC110  the pause before it is by chance
                await asyncio.sleep(0.001)
        assert [c.online for c in heard.changes] == [True]


async def test_first_message_is_news_the_next_is_not() -> None:
    async with listening() as heard:
        heard.publish(21.0)
        heard.publish(21.5)
        assert [(c.device_id, c.online) for c in heard.changes] == [("lobby", True)]


async def test_implausible_value_is_flagged() -> None:
    async with listening() as heard:
        heard.publish(500.0)  # a room of 500 Cel
        assert heard.samples[0].quality.tolist() == [1]


async def test_malformed_message_is_counted_and_its_beginning_kept() -> None:
    async with listening() as heard:
        assert heard.driver.notice is not None
        assert heard.listener is not None
        heard.driver.notice(MalformedNotice(("lobby",), "town/lobby/state", '{"t": ', "not JSON"))
        heard.publish(21.0)
        tally = heard.listener.tallies["lobby"]
        assert tally.counted == (ErrorCount(ErrorKind.MALFORMED, "", 1),)
        assert (tally.samples, tally.readings) == (1, 1)
        assert [(s.topic, s.excerpt) for s in heard.listener.malformed.samples] == [
            ("town/lobby/state", '{"t": ')
        ]
