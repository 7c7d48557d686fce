"""The MQTT driver against mosquitto: certificates on both sides, sharing groups, last wills, Sparkplug B."""

import asyncio
import gc
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from collectors.driver import BusContext, Message, Notice, StatusNotice
from collectors.drivers.mqtt import MqttDriver
from collectors.sparkplug import PAYLOAD
from energy_center.config.bindings import (
    Connection,
    Device,
    MqttBroker,
    MqttSource,
    PayloadForm,
    PointBinding,
    StatusTopic,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway
from tests.protocol.test_mqtt import free_port

PLAIN = MqttSource("town/kw", (), form=PayloadForm.PLAIN)
STATUS = StatusTopic("town/lwt", "up", "down")


@asynccontextmanager
async def mosquitto(folder: Path, *lines: str) -> AsyncIterator[int]:
    if shutil.which("mosquitto") is None:
        why = "mosquitto is not installed: apt-get install mosquitto"
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(f"{why} (2026-11-24)")
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text("\n".join([f"listener {port} 127.0.0.1", *lines, ""]))
    log = (folder / "mosquitto.log").open("wb")
    running = await asyncio.create_subprocess_exec("mosquitto", "-c", settings, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    break
        yield port
    finally:
        running.kill()
        await running.wait()
        log.close()


@dataclass
class Ear:
    messages: list[Message] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def take(self, message: Message) -> None:
        self.messages.append(message)
        message.stored()

    @property
    def numbers(self) -> list[float]:
        return [float(v) for m in self.messages for v in m.sample.values]


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  what is waited for happens on a socket
            await asyncio.sleep(0.02)


def lone_point(
    target: MqttBroker | int, source: MqttSource = PLAIN, status: StatusTopic | None = None
) -> tuple[Connection, tuple[Device], tuple[PointBinding]]:
    """One point on a broker, or on that of a port of this machine."""
    broker = MqttBroker("127.0.0.1", target) if isinstance(target, int) else target
    point = PointBinding(("d", "p"), Role.ACTIVE_POWER, "b", "d", 60.0, Linear(), source)
    return Connection("b", broker), (Device("d", "b", status=status),), (point,)


@asynccontextmanager
async def listening(
    target: MqttBroker, name: str, source: MqttSource = PLAIN, status: StatusTopic | None = None
) -> AsyncIterator[Ear]:
    context = BusContext(*lone_point(target, source, status), name)
    ear, connected = Ear(), asyncio.Event()
    running = asyncio.ensure_future(MqttDriver(context).run(ear.take, connected.set, ear.notices.append))
    try:
        done = asyncio.ensure_future(connected.wait())
        await asyncio.wait([running, done], timeout=15, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()
        if running.done():
            await running
        await asyncio.sleep(0.2)  # the subscription is on its way
        yield ear
    finally:
        running.cancel()
        await asyncio.wait([running])


class Publisher:
    def __init__(self, port: int, will: bytes | None = None) -> None:
        self.heard: list[str] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = lambda _c, _d, message: self.heard.append(message.topic)
        if will is not None:
            self.client.will_set(STATUS.topic, will, qos=1, retain=True)
        self.port = port

    def __enter__(self) -> "Publisher":
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        return self

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5.0)

    def vanish(self) -> None:
        self.client.socket().shutdown(2)

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


# the client library leaves a socket whose handshake failed to the garbage collector
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
async def test_broker_and_collector_know_each_other_by_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for who, certificate in (("broker", "127.0.0.1"), ("client", "collector@example.org")):
        issued = authority.issue_cert(certificate)
        issued.private_key_pem.write_to_path(tmp_path / f"{who}.key")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{who}.pem")
    for file in tmp_path.iterdir():
        file.chmod(0o644)  # mosquitto, started as root, reads as another account
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(folder.stat().st_mode | 0o055)
    files = {"cafile": "ca.pem", "certfile": "broker.pem", "keyfile": "broker.key"}
    lines = [f"{key} {tmp_path / name}" for key, name in files.items()]
    async with mosquitto(
        tmp_path, *lines, "require_certificate true", "use_subject_as_username true", "allow_anonymous true"
    ) as port:
        ca = str(tmp_path / "ca.pem")
        own = MqttBroker(
            "127.0.0.1",
            port,
            tls=True,
            ca_file=ca,
            certificate=str(tmp_path / "client.pem"),
            key=str(tmp_path / "client.key"),
        )
        async with listening(own, "with"):
            pass
        with pytest.raises(DeviceAway):
            async with listening(MqttBroker("127.0.0.1", port, tls=True, ca_file=ca), "without"):
                pass
        with pytest.raises(DeviceAway, match="CERTIFICATE_VERIFY_FAILED"):
            async with listening(MqttBroker("127.0.0.1", port, tls=True), "trusts nobody"):
                pass
    gc.collect()  # here, not in another test that expects no such warning


WITH_PASSWORD = ("allow_anonymous false", "password_file {folder}/passwords", "acl_file {folder}/acl")


async def password_file(folder: Path) -> list[str]:
    """Accounts collector/right and meter/pulse; the collector may read, the meter may write."""
    (folder / "passwords").touch(mode=0o600)
    for who, password in (("collector", "right"), ("meter", "pulse")):
        made = await asyncio.create_subprocess_exec(
            "mosquitto_passwd", "-b", folder / "passwords", who, password
        )
        assert await made.wait() == 0
    (folder / "acl").write_text("user collector\ntopic read #\nuser meter\ntopic write #\n")
    for file in folder.iterdir():
        file.chmod(0o644)  # mosquitto, started as root, reads as another account
    for above in (folder, folder.parent, folder.parent.parent):
        above.chmod(above.stat().st_mode | 0o055)
    return [line.format(folder=folder) for line in WITH_PASSWORD]


async def test_user_and_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    lines = await password_file(tmp_path)
    async with mosquitto(tmp_path, *lines) as port:
        target = MqttBroker("127.0.0.1", port, username="collector", password_env="ENERGY_CENTER_BROKER")
        monkeypatch.delenv("ENERGY_CENTER_BROKER", raising=False)
        with pytest.raises(DeviceAway, match="A secret is missing") as unset:
            async with listening(target, "unset"):
                pass
        assert "ENERGY_CENTER_BROKER is not set" in str(unset.value.facts["why"])
        monkeypatch.setenv("ENERGY_CENTER_BROKER", "guess-4711")
        with pytest.raises(DeviceAway, match="does not admit us") as wrong:
            async with listening(target, "wrong"):
                pass
        assert wrong.value.facts["username"] == "collector"
        assert str(wrong.value.facts["why"]).lower() in {"not authorized", "bad user name or password"}
        with pytest.raises(DeviceAway, match="does not admit us"):
            async with listening(MqttBroker("127.0.0.1", port), "nameless"):
                pass
        monkeypatch.setenv("ENERGY_CENTER_BROKER", "right")
        async with listening(target, "right") as ear:
            publisher = Publisher(port)
            publisher.client.username_pw_set("meter", "pulse")
            with publisher:
                await asyncio.to_thread(publisher.say, PLAIN.topic, b"4.5")
                await until(lambda: ear.numbers == [4.5])
    assert "guess-4711" not in caplog.text + str(wrong.value.facts)


LISTEN = """
import asyncio, sys
from collectors.driver import BusContext
from collectors.drivers.mqtt import MqttDriver
from tests.protocol.test_mqtt_mosquitto import lone_point

async def main(port, path):
    driver = MqttDriver(BusContext(*lone_point(port), "killed"))
    with open(path, "a", buffering=1) as heard:
        def take(message):
            heard.write(f"{float(message.sample.values[0]):g}\\n")
            message.stored()
        await driver.run(take, lambda: heard.write("connected\\n"))

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


async def test_messages_of_the_time_we_were_dead_arrive_exactly_once(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    heard.touch()

    async def listener(port: int) -> asyncio.subprocess.Process:
        connected = heard.read_text().count("connected")
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", LISTEN, str(port), str(heard))
        await until(lambda: heard.read_text().count("connected") > connected)
        await asyncio.sleep(0.3)  # the subscription is on its way
        return process

    def said(first: int, last: int) -> list[bytes]:
        return [str(n).encode() for n in range(first, last)]

    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        with Publisher(port) as publisher:
            process = await listener(port)
            for payload in said(0, 3):
                await asyncio.to_thread(publisher.say, PLAIN.topic, payload)
            await until(lambda: "2\n" in heard.read_text())
            await asyncio.sleep(0.3)  # the last acknowledgement is on its way
            process.kill()
            await process.wait()
            for payload in said(3, 103):
                await asyncio.to_thread(publisher.say, PLAIN.topic, payload)
            process = await listener(port)
            await until(lambda: "102\n" in heard.read_text())
            await asyncio.to_thread(publisher.say, PLAIN.topic, b"103")
            await until(lambda: "103\n" in heard.read_text())
            process.kill()
            await process.wait()
    numbers = [line for line in heard.read_text().splitlines() if line != "connected"]
    assert numbers == [str(n) for n in range(104)]


async def test_missing_certificate_is_said_and_not_fatal() -> None:
    target = MqttBroker("127.0.0.1", free_port(), tls=True, ca_file="/nowhere.pem")
    with pytest.raises(DeviceAway, match="cannot be used"):
        async with listening(target, "x"):
            pass


async def test_collectors_of_a_group_share_the_messages(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        target = MqttBroker("127.0.0.1", port, share="pair")
        async with listening(target, "one") as one, listening(target, "two") as two:
            with Publisher(port) as publisher:
                for n in range(20):
                    await asyncio.to_thread(publisher.say, PLAIN.topic, str(n).encode())
            await until(lambda: len(one.messages) + len(two.messages) >= 20)
        assert sorted(one.numbers + two.numbers) == [float(n) for n in range(20)]
        assert one.numbers
        assert two.numbers


async def test_last_will_makes_the_device_away_at_once_and_its_word_brings_it_back(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous true") as port,
        listening(MqttBroker("127.0.0.1", port), "will", status=STATUS) as ear,
    ):
        with Publisher(port, will=b"down") as publisher:
            await asyncio.to_thread(publisher.say, STATUS.topic, b"up", retain=True)
            publisher.vanish()
            await until(lambda: len(ear.notices) >= 2)
    said = [n.online for n in ear.notices if isinstance(n, StatusNotice)]
    assert said[:2] == [True, False]


async def test_edge_node_is_asked_for_its_births_and_then_read_by_alias(tmp_path: Path) -> None:
    source = MqttSource("g/n", ("Power",), form=PayloadForm.SPARKPLUG_B)
    async with mosquitto(tmp_path, "allow_anonymous true") as port:
        with Publisher(port) as node:
            node.client.subscribe("spBv1.0/g/NCMD/n", 1)
            await asyncio.sleep(0.2)
            async with listening(MqttBroker("127.0.0.1", port), "host", source) as ear:
                await until(lambda: node.heard == ["spBv1.0/g/NCMD/n"])
                now = round(time.time() * 1000)
                birth = PAYLOAD(timestamp=now, seq=0)
                birth.metrics.add(name="Power", alias=1, datatype=10, double_value=1.0)
                await asyncio.to_thread(node.say, "spBv1.0/g/NBIRTH/n", birth.SerializeToString())
                change = PAYLOAD(timestamp=now + 1, seq=1)
                change.metrics.add(alias=1, double_value=2.5)
                await asyncio.to_thread(node.say, "spBv1.0/g/NDATA/n", change.SerializeToString())
                await until(lambda: len(ear.messages) >= 2)
    assert ear.numbers == [1.0, 2.5]
    assert ear.messages[1].sample.at == (now + 1) / 1000


def sockets() -> int:
    return sum(
        Path(entry).readlink().match("socket:*")
        for entry in Path("/proc/self/fd").iterdir()
        if entry.is_symlink()
    )


async def test_sockets_of_a_session_close_with_it(tmp_path: Path) -> None:
    gc.collect()
    gc.disable()
    try:
        async with mosquitto(tmp_path, "allow_anonymous true") as port:
            held = sockets()
            for n in range(5):
                async with listening(MqttBroker("127.0.0.1", port), f"session-{n}"):
                    pass
            assert sockets() <= held
    finally:
        gc.enable()
