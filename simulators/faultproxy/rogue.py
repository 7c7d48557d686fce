"""A faulty MQTT device: publishes to real devices' topics what no device should, and counts what is of use.

Messages have no retained state. A message is counted once the broker has confirmed it.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.catalogue import Line
from simulators.devices.messages import MESSAGES, Field
from simulators.faultproxy.tally import Tally
from simulators.served import Key

EVERY_S = 0.5
FLOOD = 3_000  # messages, more than a broker keeps for one client that does not answer

Number = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Said:
    """One message and which of its topic's points it carries."""

    payload: bytes
    carried: Sequence[Field]


def _message(fields: Sequence[Field], number: object, at: object) -> dict[str, object]:
    message: dict[str, object] = {"ts": at}
    for field in fields:
        node = message
        for parent in field.path[:-1]:
            node = node.setdefault(parent, {})  # type: ignore[assignment]  # only parents are put there
        node[field.path[-1]] = number
    return message


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _whole(fields: Sequence[Field], number: object, at: object, *, counts: bool) -> Said:
    return Said(json.dumps(_message(fields, number, at)).encode(), fields if counts else ())


def _raw(text: str) -> Callable[[Sequence[Field], int], Said]:
    return lambda fields, n: Said(text.encode("utf-8", "surrogateescape"), ())  # noqa: ARG005


_STUCK_AT = _now()


def _instead(text: str) -> Callable[[Sequence[Field], int], Said]:
    """All values written as this JSON text."""
    mark = "9876543210"

    def said(fields: Sequence[Field], n: int) -> Said:  # noqa: ARG001
        message = json.dumps(_message(fields, int(mark), _now()))
        return Said(message.replace(mark, text).encode(), ())

    return said


def _stuck(fields: Sequence[Field], n: int) -> Said:
    return _whole(fields, 1 + n % 2, _STUCK_AT, counts=n == 0)


def _jumping(fields: Sequence[Field], n: int) -> Said:
    ahead = timedelta(hours=(1, -1, 24 * 400, -24 * 400)[n % 4])
    return _whole(fields, 1, (datetime.now(UTC) + ahead).isoformat(), counts=True)


def _without_zone(fields: Sequence[Field], n: int) -> Said:  # noqa: ARG001
    return _whole(fields, 1, datetime.now(UTC).replace(tzinfo=None).isoformat(), counts=True)


def _senseless_clock(fields: Sequence[Field], n: int) -> Said:
    return _whole(fields, 1, (1e300, "yesterday", {}, -1e18)[n % 4], counts=True)


def _one_value(fields: Sequence[Field], n: int) -> Said:  # noqa: ARG001
    return _whole(fields[:1], 1, _now(), counts=True)


SAYINGS: Mapping[str, Callable[[Sequence[Field], int], Said]] = {
    "not-json": _raw('{"ts": "20'),
    "binary": lambda fields, n: Said(bytes(range(256)), ()),  # noqa: ARG005
    "empty": _raw(""),
    "deep": _raw("[" * 9_000 + "]" * 9_000),
    "oversized": _raw('{"level_pct": "' + "x" * 19_000 + '"}'),
    "wrong-type": _raw('[1, 2, {"co2_ppm": {"a": 1}}]'),
    "nan": _instead("NaN"),
    "infinity-text": _instead('"inf"'),
    "huge": _instead("1e999"),
    "huge-integer": _instead("9" * 400),
    "largest": lambda fields, n: _whole(fields, 1.7e308, _now(), counts=n >= 0),
    "stuck-clock": _stuck,
    "jumping-clock": _jumping,
    "clock-without-zone": _without_zone,
    "senseless-clock": _senseless_clock,
    "values-missing": _one_value,
    "flood": lambda fields, n: _whole(fields, 1 + n % 3, _now(), counts=n >= 0),
}


# these keep their own count; of the others every third message is a good one, which must be kept
_ALWAYS = {"stuck-clock", "jumping-clock", "senseless-clock", "flood"}


class Rogue:
    """One client that speaks for the faulty devices of a broker."""

    def __init__(self, lines: Sequence[Line], tally: Tally) -> None:
        self._lines = {line.id: line for line in lines if line.map_name in MESSAGES}
        self._tally = tally
        self._faults: dict[str, tuple[str, int]] = {}
        self._unconfirmed: dict[int, list[Key]] = {}
        self._loop = asyncio.get_running_loop()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="faultproxy", protocol=mqtt.MQTTv5)

        def on_publish(_: mqtt.Client, __: object, mid: int, ___: ReasonCode, ____: object) -> None:
            self._loop.call_soon_threadsafe(self._confirm, mid)

        self._client.on_publish = on_publish

    def start(self, host: str, port: int) -> None:
        """Connect in the background, and again whenever that is lost."""
        self._client.connect_async(host, port, keepalive=30)
        self._client.loop_start()

    async def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def begin(self, name: str, equipment: str) -> None:
        """Let a device say such things twice a second; raises ValueError for what it cannot say."""
        if name not in SAYINGS or equipment not in self._lines:
            raise ValueError(f"no message fault {name!r} of {equipment!r}")
        self._faults[equipment] = (name, 0)

    def end(self, equipment: str) -> None:
        """Let it be quiet."""
        self._faults.pop(equipment, None)

    async def run(self) -> None:
        """Speak for ever."""
        while True:
            await asyncio.sleep(EVERY_S - time.time() % EVERY_S)
            for equipment, (name, n) in list(self._faults.items()):
                times = FLOOD // 20 if name == "flood" else 1
                for i in range(times):
                    self._say(self._lines[equipment], name, n + i)
                self._faults[equipment] = (name, n + times)

    def _say(self, line: Line, name: str, n: int) -> None:
        fields = MESSAGES[line.map_name]
        said = (
            SAYINGS[name](fields, n) if n % 3 or name in _ALWAYS else _whole(fields, 1, _now(), counts=True)
        )
        sent = self._client.publish(f"{line.topic}/state", said.payload, qos=1)
        # the broker's confirmation is handled on this loop, hence after this line
        self._unconfirmed[sent.mid] = [(line.id, field.signal) for field in said.carried]

    def _confirm(self, mid: int) -> None:
        self._tally.add(self._unconfirmed.pop(mid, ()))
