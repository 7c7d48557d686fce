"""Steering a running simulation: JSON lines over TCP, one answer a line. For tests and for the demo's faults.

`{"do": "fault" | "clear", "name", "equipment"?, "for_s"?}`, `{"do": "faults"}` (true starts and ends),
`{"do": "set", "equipment", "point", "value"}` (null frees it), `{"do": "values"}`, `{"do": "served"}`,
`{"do": "mute", "connection" | "equipment", "on"}` (the device that it belongs to falls silent).
Answers carry `"ok": true`, or `"ok": false` and `"error"`.
"""

import asyncio
import contextlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from simulators.catalogue import Catalogue
from simulators.devices.source import Source

_LONGEST_LINE = 1 << 16

Request = Mapping[str, Any]
Answer = dict[str, Any]


class TrueFault(Protocol):
    """A fault with its true start and end."""

    def as_json(self) -> Mapping[str, Any]:
        """Name, equipment and times."""


class SteerableWorld(Protocol):
    """What control needs of the world."""

    def values(self) -> Mapping[tuple[str, str], float]:
        """Every signal now."""

    def start_fault(
        self, name: str, equipment_id: str | None = None, until: datetime | None = None
    ) -> TrueFault:
        """Begin a fault; raises ValueError for an unknown one."""

    def stop_fault(self, name: str, equipment_id: str | None = None) -> None:
        """End the running faults of a name."""

    def faults(self) -> Sequence[TrueFault]:
        """All faults so far."""

    def override(self, equipment_id: str, signal: str, value: float | None) -> None:
        """Pin a signal to a value, or free it."""


class Control:
    """Answers requests about a world and its devices."""

    def __init__(
        self, world: SteerableWorld, source: Source, catalogue: Catalogue, clock: Callable[[], datetime]
    ) -> None:
        self._world = world
        self._source = source
        self._names = {line.id for line in catalogue.equipment} | {c.id for c in catalogue.connections}
        self._clock = clock
        self._commands: Mapping[str, Callable[[Request], Answer]] = {
            "fault": self._start_fault,
            "clear": self._stop_fault,
            "faults": lambda _: {"faults": [fault.as_json() for fault in self._world.faults()]},
            "set": self._set,
            "served": lambda _: {"served": dict(self._source.served.counts())},
            "mute": self._mute,
            "values": lambda _: {"values": self._values()},
        }

    def answer(self, line: bytes) -> Answer:
        """The answer to one request; mistakes are answered, never raised."""
        try:
            request = json.loads(line)
            command = self._commands[request["do"]]
            return {"ok": True, **command(request)}
        except KeyError as cause:
            return {"ok": False, "error": f"unknown or missing: {cause.args[0]!r}"}
        except (ValueError, TypeError) as cause:
            return {"ok": False, "error": str(cause)}

    def start_fault(self, name: str, equipment: str | None, for_s: float | None = None) -> Mapping[str, Any]:
        """Begin a fault; raises ValueError for an unknown one."""
        until = None if for_s is None else self._clock() + timedelta(seconds=for_s)
        return self._world.start_fault(name, equipment, until).as_json()

    def _start_fault(self, request: Request) -> Answer:
        return {"fault": self.start_fault(request["name"], request.get("equipment"), request.get("for_s"))}

    def _stop_fault(self, request: Request) -> Answer:
        self._world.stop_fault(request["name"], request.get("equipment"))
        return {}

    def _set(self, request: Request) -> Answer:
        key = (request["equipment"], request["point"])
        if key not in self._world.values():
            raise ValueError(f"no point {key[0]}/{key[1]}")
        pinned = request["value"]
        self._world.override(*key, None if pinned is None else float(pinned))
        return {}

    def _mute(self, request: Request) -> Answer:
        name = request.get("connection") or request["equipment"]
        if name not in self._names:
            raise ValueError(f"no connection or equipment {name!r}")
        self._source.mute(name, on=bool(request["on"]))
        return {}

    def _values(self) -> Mapping[str, float | None]:
        return {f"{e}/{s}": None if math.isnan(v) else v for (e, s), v in self._world.values().items()}


class ControlServer:
    """The TCP side of control."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen on the port, or on a free one when it is 0; returns the port."""
        self._server = await asyncio.start_server(self._converse, host, port, limit=_LONGEST_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and hang up."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    writer.write(json.dumps(self._control.answer(line)).encode() + b"\n")
                    await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()
