"""MQTT devices behind one gateway a building: retained JSON states at QoS 1, and a last will for the gateway.

Topics: `<topic>/state` of each device, `<building>/gateway/status` with `online` or `offline`.
"""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.catalogue import Line
from simulators.devices.messages import MESSAGES, compose
from simulators.devices.source import Source
from simulators.served import Key

_CONNECT_LIMIT_S = 10.0
_LONGEST_SLEEP_S = 1.0

Clock = Callable[[], datetime]


@dataclass(slots=True)
class _Schedule:
    """When a device speaks: every `every_s` on a grid of its own phase, missed slots skipped."""

    line: Line
    due: float

    def move_on(self, now: float) -> None:
        self.due += self.line.every_s * max(1, int((now - self.due) / self.line.every_s) + 1)


@dataclass(slots=True)
class _Gateway:
    """The MQTT client of one building."""

    client: mqtt.Client
    status_topic: str
    connected: asyncio.Event
    unconfirmed: dict[int, list[Key]] = field(default_factory=dict)


class MqttDevices:
    """Publishes for every device of a broker's connection."""

    def __init__(self, connection_id: str, lines: Iterable[Line], source: Source, clock: Clock) -> None:
        self.connection_id = connection_id
        self._lines = tuple(line for line in lines if line.map_name in MESSAGES)
        self._source = source
        self._clock = clock
        self._gateways: dict[str, _Gateway] = {}

    def points(self) -> list[Key]:
        """Every point that is published here."""
        return [(line.id, f.signal) for line in self._lines for f in MESSAGES[line.map_name]]

    async def start(self, host: str, port: int) -> None:
        """Connect a gateway for each building; raises TimeoutError when the broker does not answer."""
        for building in sorted({_building(line) for line in self._lines}):
            self._gateways[building] = self._gateway(building)
        for gateway in self._gateways.values():
            gateway.client.connect_async(host, port, keepalive=30)
            gateway.client.loop_start()
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            for gateway in self._gateways.values():
                await gateway.connected.wait()

    async def run(self) -> None:
        """Publish each device's state when it is due, for ever."""
        loop = asyncio.get_running_loop()
        schedules = [_Schedule(line, loop.time() + _phase(line)) for line in self._lines]
        while schedules:
            now = loop.time()
            for schedule in schedules:
                if schedule.due <= now:
                    self._publish(schedule.line)
                    schedule.move_on(now)
            soonest = min(s.due for s in schedules) - loop.time()
            await asyncio.sleep(min(max(soonest, 0.0), _LONGEST_SLEEP_S))

    async def stop(self) -> None:
        """Say offline and disconnect."""
        for gateway in self._gateways.values():
            gateway.client.publish(gateway.status_topic, "offline", qos=1, retain=True)
            gateway.client.disconnect()
            await asyncio.to_thread(gateway.client.loop_stop)

    def _publish(self, line: Line) -> None:
        if self._source.is_silent(self.connection_id, (line.id,)):
            return
        message, carried = compose(MESSAGES[line.map_name], partial(_read, self._source, line.id))
        if not carried:
            return
        text = json.dumps(
            {"ts": self._clock().isoformat(timespec="milliseconds"), **message}, separators=(",", ":")
        )
        gateway = self._gateways[_building(line)]
        sent = gateway.client.publish(f"{line.topic}/state", text, qos=1, retain=True)
        # the broker's confirmation is handled on this loop, hence after this line
        gateway.unconfirmed[sent.mid] = [(line.id, signal) for signal in carried]

    def _gateway(self, building: str) -> _Gateway:
        loop = asyncio.get_running_loop()
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{building}-gateway", protocol=mqtt.MQTTv5
        )
        gateway = _Gateway(client, f"{building}/gateway/status", asyncio.Event())
        client.will_set(gateway.status_topic, "offline", qos=1, retain=True)

        def on_connect(*_: object) -> None:
            client.publish(gateway.status_topic, "online", qos=1, retain=True)
            loop.call_soon_threadsafe(gateway.connected.set)

        def on_publish(_: mqtt.Client, __: object, mid: int, ___: ReasonCode, ____: object) -> None:
            loop.call_soon_threadsafe(self._confirm, gateway, mid)

        client.on_connect = on_connect
        client.on_publish = on_publish
        return gateway

    def _confirm(self, gateway: _Gateway, mid: int) -> None:
        self._source.served.add(gateway.unconfirmed.pop(mid, ()))


def _read(source: Source, equipment_id: str, signal: str) -> float:
    return source.read((equipment_id, signal))


def _building(line: Line) -> str:
    return (line.topic or "").split("/")[0]


def _phase(line: Line) -> float:
    """Spread over the first second, so that every topic has a retained state at once."""
    return zlib.crc32(line.id.encode()) % 1000 / 1000
