"""How many MQTT messages of QoS 1 come through the mapping into the spool, acknowledged after its commit.

Workload: 30,000 messages of 200 bytes of JSON with five values, over 50 topics, waiting in mosquitto for our
session when it connects; mosquitto and we have a core each. Median of five runs, on uvloop.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from collectors.driver import BusContext, KeysOnce
from collectors.drivers.mqtt import MqttDriver
from collectors.listener import Listener
from collectors.spool import Spool
from collectors.spool_file import Record
from energy_center.config.bindings import Connection, Device, MqttBroker, MqttSource, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from tests.bench.c_programs import OUR_CORE, SERVER_CORE, on_core
from tests.bench.intake import run

GROUP = "MQTT"
RUNS, MESSAGES, TOPICS, PORT = 5, 30_000, 50, 18_831
ROLES = (Role.ACTIVE_POWER, Role.VOLTAGE_L1N, Role.CURRENT_L1, Role.FREQUENCY, Role.ENERGY_IMPORT)


def _context(name: str) -> BusContext:
    points = tuple(
        PointBinding(
            (f"d{n}", role), role, "b", f"d{n}", 5.0, Linear(), MqttSource(f"t/{n}", (role,), ("ts",))
        )
        for n in range(TOPICS)
        for role in ROLES
    )
    devices = tuple(Device(f"d{n}", "b") for n in range(TOPICS))
    return BusContext(Connection("b", MqttBroker("127.0.0.1", PORT)), devices, points, name)


def _publish() -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1_000)
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    for n in range(MESSAGES):
        body = dict.fromkeys(ROLES, 50.0 + n % 10) | {"ts": time.time(), "pad": "x" * 40}
        last = client.publish(f"t/{n % TOPICS}", json.dumps(body), qos=1)
    last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


async def _rate(name: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="ec-spool-") as folder:
        spool, stored = Spool(Path(folder)), 0
        committing = asyncio.ensure_future(spool.run())

        def count(_: object) -> None:
            nonlocal stored
            stored += 1

        keys = KeysOnce()

        def store(bindings, sample, /, *, comes_again=False):
            at_us, named = round(sample.at * 1e6), keys.of(bindings)
            done = spool.append(Record(named, at_us, sample.values, sample.quality, comes_again))
            done.add_done_callback(count)
            return done

        async def listen(until: int) -> None:
            context = _context(name)
            listener = Listener(context, MqttDriver(context), store, lambda _: None)
            running = asyncio.ensure_future(listener.run())
            async with asyncio.timeout(120):
                while not listener.connects or stored < until:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)  # what is waited for happens on a socket
            await asyncio.sleep(0.3 if not until else 0.0)
            running.cancel()
            await asyncio.wait([running])

        await listen(0)
        await asyncio.to_thread(_publish)
        began, cpu = time.perf_counter(), time.process_time()
        await listen(MESSAGES)
        rate = MESSAGES / (time.perf_counter() - began)
        cpu_us = (time.process_time() - cpu) / MESSAGES * 1e6
        spool.stop()
        await committing
    return rate, cpu_us


def rows() -> list[dict[str, object]]:
    """The rate; where mosquitto is not installed, a row that says so."""
    if shutil.which("mosquitto") is None:
        return [{"name": "MQTT QoS 1", "value": None, "unit": "", "against": "apt install mosquitto"}]
    with tempfile.TemporaryDirectory(prefix="ec-broker-") as folder:
        settings = Path(folder) / "mosquitto.conf"
        limits = "max_queued_messages 0\nmax_inflight_messages 0\n"
        settings.write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\n{limits}")
        quiet = subprocess.DEVNULL
        with on_core(SERVER_CORE):
            broker = subprocess.Popen(["mosquitto", "-c", str(settings)], stdout=quiet, stderr=quiet)
        try:
            time.sleep(0.5)
            with on_core(OUR_CORE):
                found = [run(_rate(f"bench-{n}")) for n in range(RUNS)]
        finally:
            broker.terminate()
            broker.wait(10)
    rates, cpu_us = zip(*found, strict=True)
    return [
        {
            "name": "MQTT QoS 1: messages mapped, on disk, then acknowledged",
            "value": round(statistics.median(rates)),
            "unit": "1/s",
            "against": f"runs {min(rates):,.0f} to {max(rates):,.0f}",
            "goal": ">= 12,000",
        },
        {
            "name": "MQTT QoS 1: our CPU, the client library's included",
            "value": round(statistics.median(cpu_us), 1),
            "unit": "us/message",
        },
    ]
