"""A world of constant, plausible readings, so that device servers are tested apart from physics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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


class FakeWorld:
    """Holds a reading per signal; single points can be overridden, as in the real world."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys = keys
        self._own: dict[Key, float] = {}
        self.started: list[tuple[str, str | None]] = []
        self.stepped_to: datetime | None = None

    def step(self, now: datetime) -> None:
        self.stepped_to = now

    def value(self, equipment_id: str, signal: str) -> float:
        return self._own.get((equipment_id, signal), BY_SIGNAL.get(signal, 1.0))

    def values(self) -> Mapping[Key, float]:
        return {key: self.value(*key) for key in self._keys}

    def start_fault(self, name: str, equipment_id: str | None = None, until: datetime | None = None) -> Any:
        if name == "unknown":
            raise ValueError("no fault named 'unknown'")
        self.started.append((name, equipment_id))

    def stop_fault(self, name: str, equipment_id: str | None = None) -> Any:
        self.started.remove((name, equipment_id))

    def override(self, equipment_id: str, signal: str, value: float | None) -> None:
        if value is None:
            self._own.pop((equipment_id, signal), None)
        else:
            self._own[equipment_id, signal] = value
