"""All simulated devices on free ports over a world of constant readings, apart from physics."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import simulators
from simulators.catalogue import Catalogue, load_catalogue
from simulators.devices.fleet import Fleet
from simulators.devices.source import Source
from simulators.run_live import LiveOptions, run_live, start_now

SITE = Path(simulators.__file__).parent / "sites" / "taichung.yaml"
Key = tuple[str, str]

BY_SIGNAL = {
    "voltage_l1n": 220.5,
    "current_l1": 42.25,
    "active_power": 27.25,
    "apparent_power": 28.0,
    "reactive_power": 6.5,
    "power_factor": 0.96875,
    "frequency": 60.0,
    "energy_import": 123456.75,
    "energy_export": 2345.678,
    "outdoor_air_temperature": 31.25,
}


@dataclass(frozen=True)
class FakeFault:
    name: str
    equipment_id: str | None

    def as_json(self) -> dict[str, str | None]:
        return {"name": self.name, "equipment": self.equipment_id}


class FakeWorld:
    """Holds a reading per signal; single points can be overridden, as in the real world."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys = keys
        self._own: dict[Key, float] = {}
        self.listed: list[FakeFault] = []
        self.silent: set[str] = set()
        self.stepped_to: datetime | None = None

    def step(self, now: datetime) -> None:
        self.stepped_to = now

    def value(self, equipment_id: str, signal: str) -> float:
        return self._own.get((equipment_id, signal), BY_SIGNAL.get(signal, 1.0))

    def values(self) -> Mapping[Key, float]:
        return {key: self.value(*key) for key in self._keys}

    def is_silent(self, equipment_id: str) -> bool:
        return equipment_id in self.silent

    def faults(self) -> list[FakeFault]:
        return self.listed

    def start_fault(
        self, name: str, equipment_id: str | None = None, until: datetime | None = None
    ) -> FakeFault:
        if name == "unknown":
            raise ValueError("no fault named 'unknown'")
        self.listed.append(FakeFault(name, equipment_id))
        return self.listed[-1]

    def stop_fault(self, name: str, equipment_id: str | None = None) -> None:
        self.listed.remove(FakeFault(name, equipment_id))

    def override(self, equipment_id: str, signal: str, value: float | None) -> None:
        if value is None:
            self._own.pop((equipment_id, signal), None)
        else:
            self._own[equipment_id, signal] = value


@dataclass
class Simulation:
    """A running simulation: its world, its ports, and its control socket."""

    world: FakeWorld
    catalogue: Catalogue
    ports: Mapping[str, int]
    control_port: int

    async def ask(self, **request: Any) -> dict[str, Any]:
        """One request to the control socket."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control_port)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(5):
                return json.loads(await reader.readline())
        finally:
            writer.close()
            await writer.wait_closed()

    async def served(self, point: str) -> int:
        """How often the point's value has left a device."""
        return (await self.ask(do="served"))["served"].get(point, 0)


@pytest.fixture(scope="session")
async def simulation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulation]:
    endpoints = tmp_path_factory.mktemp("simulation") / "endpoints.json"
    catalogue = load_catalogue(SITE)
    listed = Fleet(catalogue, Source(FakeWorld([])), start_now).points()
    world = FakeWorld(listed)
    stop = asyncio.Event()
    running = asyncio.ensure_future(
        run_live(world, catalogue, start_now(), LiveOptions(endpoints=endpoints), stop)
    )
    async with asyncio.timeout(20):
        while not endpoints.exists():
            await asyncio.sleep(0.02)
            assert not running.done() or running.result() is None
    content = json.loads(endpoints.read_text())
    ports = {name: at["port"] for name, at in content["connections"].items()}
    yield Simulation(world, catalogue, ports, content["control"]["port"])
    stop.set()
    async with asyncio.timeout(5):
        await running
