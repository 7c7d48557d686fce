"""The MQTT driver against a real broker: acknowledged once stored, kept while away, not upset by rubbish."""

import asyncio
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from iotcore import Broker
from paho.mqtt.enums import CallbackAPIVersion

from collectors.driver import BusContext, Message
from collectors.drivers.mqtt import MqttDriver
from energy_center.config.bindings import Connection, Device, MqttBroker
from energy_center.errors import DeviceAway
from tests.unit.collectors.builders import message_point

TOPIC = "town/lobby/state"
SETTINGS = """\
id = 0
[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 8
[{version}.1]
name = "test"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 200
dynamic_filters = true
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from _broker(tmp_path_factory.mktemp("broker"), "v5")


@pytest.fixture(scope="module")
def old_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from _broker(tmp_path_factory.mktemp("broker"), "v4")


def _broker(folder: Path, version: str) -> Iterator[int]:
    port = free_port()
    (folder / "broker.toml").write_text(SETTINGS.format(version=version, port=port))
    running = Broker(config_path=str(folder / "broker.toml"))
    running.start()
    try:
        yield port
    finally:
        running.stop(1.0)


def publish(port: int, *payloads: bytes, topic: str = TOPIC, retain: bool = False) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5.0)
    client.disconnect()
    client.loop_stop()


def publish_old(port: int, payload: bytes) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(TOPIC, payload, qos=1).wait_for_publish(5.0)
    client.disconnect()
    client.loop_stop()


def reading(temperature: object, at: float | None = None) -> bytes:
    return json.dumps({"temperature": temperature, "ts": time.time() if at is None else at}).encode()


@dataclass
class Ear:
    """What a driver delivered; acknowledges it at once unless told not to."""

    driver: MqttDriver
    acknowledge: bool = True
    fails_on: float | None = None
    messages: list[Message] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, message: Message) -> None:
        if message.sample.values[0] == self.fails_on:
            raise ZeroDivisionError
        self.messages.append(message)
        if self.acknowledge:
            message.stored()

    @property
    def temperatures(self) -> list[float]:
        return [m.sample.values[0] for m in self.messages]

    async def until(self, n: int) -> None:
        async with asyncio.timeout(10):
            while len(self.messages) < n:  # noqa: ASYNC110  what is waited for happens on a socket
                await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(
    port: int,
    name: str,
    *,
    acknowledge: bool = True,
    topic: str = TOPIC,
    connection_id: str = "broker",
) -> AsyncIterator[Ear]:
    connection = Connection(connection_id, MqttBroker("127.0.0.1", port))
    points = (message_point("temperature", topic=topic),)
    ear = Ear(MqttDriver(BusContext(connection, (Device("lobby", "broker"),), points, name)), acknowledge)
    running = asyncio.ensure_future(ear.driver.run(ear.take, ear.connected.set))
    try:
        async with asyncio.timeout(20):
            await ear.connected.wait()
        await asyncio.sleep(0.2)  # the subscription is on its way
        yield ear
    finally:
        running.cancel()
        with pytest.raises((asyncio.CancelledError, DeviceAway)):
            await running


async def test_message_becomes_a_sample_with_its_own_time(broker: int) -> None:
    async with listening(broker, "own-time") as ear:
        at = round(time.time() - 2, 3)
        await asyncio.to_thread(publish, broker, reading(23.5, at))
        await ear.until(1)
    (message,) = ear.messages
    assert (message.device_ids, message.sample.values.tolist(), message.sample.at) == (("lobby",), [23.5], at)


async def test_broker_that_speaks_only_3_1_1_is_understood(old_broker: int) -> None:
    async with listening(old_broker, "old") as ear:
        await asyncio.to_thread(publish_old, old_broker, reading(21.0))
        await ear.until(1)
    assert ear.temperatures == [21.0]


async def test_messages_of_an_absence_are_kept_with_their_time(broker: int) -> None:
    async with listening(broker, "absence"):
        pass
    published_at = time.time()
    await asyncio.to_thread(publish, broker, *(reading(n, published_at - 1 + n / 100) for n in range(50)))
    async with listening(broker, "absence") as ear:
        await ear.until(50)
    assert ear.temperatures == [float(n) for n in range(50)]


async def test_what_was_not_stored_is_sent_again(broker: int) -> None:
    async with listening(broker, "crash", acknowledge=False) as ear:
        await asyncio.to_thread(publish, broker, reading(1.0), reading(2.0))
        await ear.until(2)
    async with listening(broker, "crash") as again:
        await again.until(2)
    assert again.temperatures == [1.0, 2.0]
    async with listening(broker, "crash") as silence:
        await asyncio.sleep(0.5)
    assert silence.temperatures == []


@pytest.mark.parametrize(
    ("age_s", "kept"), [(10.0, [19.0]), (3600.0, []), (None, [])], ids=["recent", "old", "undated"]
)
async def test_retained_message_counts_only_when_its_stamp_is_recent(
    broker: int, age_s: float | None, kept: list[float]
) -> None:
    content = reading(19.0, time.time() - age_s) if age_s is not None else b'{"temperature": 19}'
    topic = f"retained/{age_s}"
    await asyncio.to_thread(publish, broker, content, topic=topic, retain=True)
    async with listening(broker, f"retained-{age_s}", topic=topic) as ear:
        await asyncio.sleep(0.5)
    assert ear.temperatures == kept


async def test_rubbish_is_counted_and_sampled_and_what_follows_is_read(broker: int) -> None:
    async with listening(broker, "rubbish") as ear:
        await asyncio.to_thread(publish, broker, b"\xff\x00", b"{", reading("warm"), reading(20.0))
        await ear.until(1)
        assert ear.driver.counts.malformed == 3
        assert ear.driver.counts.samples[1] == (TOPIC, "{")
    assert ear.temperatures == [20.0]


async def test_message_that_brings_out_a_bug_keeps_no_other_from_being_read(broker: int) -> None:
    async with listening(broker, "bug", topic="bug/one") as ear:
        ear.fails_on = 13.0
        messages = [reading(n) for n in (1.0, 13.0, 2.0, 3.0)]
        await asyncio.to_thread(publish, broker, *messages, topic="bug/one")
        await ear.until(3)
    assert ear.temperatures == [1.0, 2.0, 3.0]
    async with listening(broker, "bug", topic="bug/one") as again:
        await asyncio.sleep(0.5)
    assert again.temperatures == []  # it would come again for ever


async def test_messages_are_acknowledged_in_the_order_of_receipt(broker: int) -> None:
    """The broker hangs up when they are not (MQTT 5.0, 4.6)."""
    async with listening(broker, "order", acknowledge=False) as ear:
        ear.connected.clear()
        await asyncio.to_thread(publish, broker, reading(1.0), b"{", reading(2.0))
        await ear.until(2)
        for message in reversed(ear.messages):
            message.stored()
        await asyncio.to_thread(publish, broker, reading(3.0))
        await ear.until(3)
        ear.messages[-1].stored()
        await asyncio.sleep(0.3)
    assert ear.temperatures == [1.0, 2.0, 3.0]
    async with listening(broker, "order") as again:
        await asyncio.sleep(0.5)
    assert again.temperatures == []


async def test_stamp_far_from_ours_is_counted_and_receipt_counts(broker: int) -> None:
    async with listening(broker, "wrong-clock") as ear:
        await asyncio.to_thread(publish, broker, reading(20.0, time.time() + 3600))
        await ear.until(1)
        assert ear.driver.counts.wrong_clock == 1
    assert abs(ear.messages[0].sample.at - time.time()) < 5


async def test_two_connections_to_one_broker_do_not_push_each_other_out(broker: int) -> None:
    async with listening(broker, "twins") as first, listening(broker, "twins", connection_id="b") as second:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(publish, broker, reading(21.0))
        await first.until(1)
        await second.until(1)


async def test_nobody_listening_is_device_away() -> None:
    connection = Connection("broker", MqttBroker("127.0.0.1", free_port()))
    driver = MqttDriver(BusContext(connection, (), (message_point("temperature"),), "nobody"))
    with pytest.raises(DeviceAway):
        async with asyncio.timeout(10):
            await driver.run(lambda _: None, lambda: None)


@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed here (2026-11-24)")
async def test_broker_that_ends_is_told_as_away(tmp_path: Path) -> None:
    port = free_port()
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    quiet = asyncio.subprocess.DEVNULL
    ending = await asyncio.create_subprocess_exec(
        "mosquitto", "-c", str(settings), stdout=quiet, stderr=quiet
    )
    connection = Connection("broker", MqttBroker("127.0.0.1", port))
    driver = MqttDriver(BusContext(connection, (), (message_point("temperature"),), "ends"))
    try:
        await asyncio.sleep(0.5)
        connected = asyncio.Event()
        running = asyncio.ensure_future(driver.run(lambda _: None, connected.set))
        await asyncio.wait_for(connected.wait(), 10)
        ending.terminate()
        with pytest.raises(DeviceAway):
            await asyncio.wait_for(running, 10)
    finally:
        if ending.returncode is None:
            ending.kill()
        await ending.wait()
