"""Bindings, devices and samples in one line each, for tests of the collectors."""

from collections.abc import Sequence

import numpy as np

from collectors.driver import BusContext, Sample
from collectors.plan_reads import RegisterBlock
from energy_center.config.bindings import (
    Connection,
    Device,
    ModbusRtu,
    ModbusSource,
    ModbusTcp,
    MqttSource,
    PointBinding,
    ReadLimits,
    RegisterType,
    Table,
    WordOrder,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear


def register(
    address: int,
    kind: RegisterType = RegisterType.F32,
    *,
    unit_id: int = 1,
    table: Table = Table.HOLDING,
    words: WordOrder = WordOrder.BIG,
    interval_s: float = 5.0,
    scaling: Linear = Linear(),  # noqa: B008  frozen
    role: Role = Role.ACTIVE_POWER,
    bit: int | None = None,
    invalid: tuple[float, ...] = (),
    states: dict[int, float] | None = None,
) -> PointBinding:
    source = ModbusSource(unit_id, table, address, kind, words, bit, invalid, states or {})
    key = (f"u{unit_id}", f"{table.value}_{address}_{bit or 0}")
    return PointBinding(key, role, "bus", f"u{unit_id}", interval_s, scaling, source)


def message_point(path: str, *, topic: str = "town/lobby/state", time: str | None = "ts") -> PointBinding:
    source = MqttSource(topic, tuple(path.split(".")), (time,) if time else None)
    return PointBinding(("lobby", path), Role.ZONE_TEMPERATURE, "broker", "lobby", 60.0, Linear(), source)


def device(unit_id: int = 1, limits: ReadLimits = ReadLimits()) -> Device:  # noqa: B008  frozen
    return Device(f"u{unit_id}", "bus", unit_id, limits)


def context(
    devices: Sequence[Device],
    bindings: Sequence[PointBinding],
    target: ModbusTcp | ModbusRtu = ModbusTcp("127.0.0.1"),  # noqa: B008
) -> BusContext:
    return BusContext(Connection("bus", target), tuple(devices), tuple(bindings), "test")


def sample(*values: float, at: float = 1_800_000_000.0) -> Sample:
    return Sample(at, np.array(values, dtype=np.float64), np.zeros(len(values), dtype=np.int16))


def spans(blocks: Sequence[RegisterBlock]) -> list[tuple[int, int]]:
    return [(b.address, b.count) for b in blocks]
