"""`python -m simulators proxy`: a proxy before every connection of a running simulation.

It is steered by one JSON object a line, answered by one:
`{"do": "begin", "connection" | "equipment", "fault", "register"?}` (of `equipment`: a fault of its messages),
`{"do": "end", "connection" | "equipment"}`, `{"do": "served"}`, `{"do": "listening", "on"}`,
`{"do": "since", "at"}` (values given since an instant of the monotonic clock), `{"do": "hold", "for_s"}`
(requests wait that long).
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from simulators.catalogue import Catalogue, Connection, Wire, load_catalogue
from simulators.faultproxy.bacnet_front import BacnetFront
from simulators.faultproxy.covered import BacnetCover, ModbusCover
from simulators.faultproxy.modbus_front import ModbusFront
from simulators.faultproxy.mqtt_front import MqttFront, StreamFront
from simulators.faultproxy.rogue import Rogue
from simulators.faultproxy.tally import Tally

HOST = "127.0.0.1"
DATABASE = "database"
_PARENT_CHECK_S = 0.5


class Front(Protocol):
    """A proxy of one connection."""

    async def begin(self, name: str, address: int | None = None) -> None:
        """Break things from now on."""

    async def end(self) -> None:
        """Pass on everything again."""

    def close(self) -> None:
        """Hang up on everyone."""


class Proxy:
    """All fronts of a site. Use `start`, then `run` until cancelled, then `stop`."""

    def __init__(self, catalogue: Catalogue, upstream: Mapping[str, Mapping[str, Any]]) -> None:
        self.tally = Tally()
        self._catalogue = catalogue
        self._upstream = upstream
        self._fronts: dict[str, Front] = {}
        self._rogues: list[Rogue] = []
        self._orders: asyncio.Queue[tuple[Front, str, int | None]] = asyncio.Queue()

    async def start(self, database: tuple[Path, Path] | None) -> dict[str, dict[str, object]]:
        """Open every front; returns where each connection answers now."""
        places: dict[str, dict[str, object]] = {}
        for connection in self._catalogue.connections:
            host, port = await self._open(connection)
            places[connection.id] = {"host": host, "port": port}
        if database is not None:
            behind, before = database
            stream = StreamFront(behind)
            await stream.start(before)
            self._fronts[DATABASE] = stream
        return places

    async def _open(self, connection: Connection) -> tuple[str, int]:
        there = self._upstream[connection.id]
        upstream = (str(there["host"]), int(there["port"]))
        front: ModbusFront | BacnetFront | MqttFront
        match connection.wire:
            case Wire.MODBUS:
                front = ModbusFront(upstream, ModbusCover(self._catalogue, connection.id), self.tally)
            case Wire.BACNET:
                front = BacnetFront(upstream, BacnetCover(self._catalogue, connection.id), self.tally)
            case Wire.MQTT:
                front = MqttFront(upstream)
                rogue = Rogue(self._catalogue.on(connection.id), self.tally)
                rogue.start(*upstream)
                self._rogues.append(rogue)
        self._fronts[connection.id] = front
        at = await front.start((HOST, 0))
        return at if isinstance(at, tuple) else (str(at), 0)

    async def run(self) -> None:
        """Let faulty devices speak, and carry out what was ordered, for ever."""
        async with asyncio.TaskGroup() as group:
            for rogue in self._rogues:
                group.create_task(rogue.run())
            while True:
                front, name, address = await self._orders.get()
                group.create_task(front.begin(name, address) if name else front.end())

    async def stop(self) -> None:
        """Close everything that was opened."""
        for front in self._fronts.values():
            front.close()
        for rogue in self._rogues:
            await rogue.stop()

    def answer(self, line: bytes) -> dict[str, object]:
        """The answer to one request; mistakes are answered, never raised."""
        try:
            return {"ok": True, **self._do(json.loads(line))}
        except (KeyError, ValueError, TypeError) as cause:
            return {"ok": False, "error": repr(cause)}

    def _do(self, request: Mapping[str, Any]) -> Mapping[str, object]:
        match request["do"]:
            case "begin" | "end" as verb:
                self._order(verb, request)
            case "served":
                return self.tally.answer()
            case "since":
                return {"given": self.tally.since(float(request["at"]))}
            case "listening":
                self.tally.listening = bool(request["on"])
            case "hold":
                self.tally.hold(float(request["for_s"]))
            case other:
                raise ValueError(other)
        return {}

    def _order(self, verb: str, request: Mapping[str, Any]) -> None:
        fault = str(request["fault"]) if verb == "begin" else ""
        if (equipment := request.get("equipment")) is None:
            self._orders.put_nowait((self._fronts[request["connection"]], fault, request.get("register")))
            return
        for rogue in self._rogues:
            if fault:
                rogue.begin(fault, equipment)
            else:
                rogue.end(equipment)


class _ControlPort:
    """The TCP side of control."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it hangs up."""
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(json.dumps(self._proxy.answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or the parent's end."""
    parser = argparse.ArgumentParser(prog="python -m simulators proxy", description=__doc__)
    parser.add_argument("--site", type=Path, required=True, help="the simulator's list of equipment")
    parser.add_argument("--behind", type=Path, required=True, help="endpoints file of the simulation")
    parser.add_argument("--endpoints", type=Path, required=True, help="write our own ports to this JSON file")
    parser.add_argument(
        "--database", type=Path, nargs=2, help="Unix socket of PostgreSQL, and ours before it"
    )
    options = parser.parse_args(argv)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    behind = json.loads(options.behind.read_text(encoding="utf-8"))["connections"]
    proxy = Proxy(load_catalogue(options.site), behind)
    try:
        places = await proxy.start(tuple(options.database) if options.database else None)
        control = await asyncio.start_server(_ControlPort(proxy).converse, HOST, 0)
        port = int(control.sockets[0].getsockname()[1])
        content = {"control": {"host": HOST, "port": port}, "connections": places}
        partial = options.endpoints.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        partial.replace(options.endpoints)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(proxy.run()), group.create_task(_orphaned(os.getppid(), stop))]
            await stop.wait()
            for task in tasks:
                task.cancel()
        control.close()
    finally:
        await proxy.stop()


async def _orphaned(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110  a parent's end is no event of the loop
        await asyncio.sleep(_PARENT_CHECK_S)
    stop.set()
