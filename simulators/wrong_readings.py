"""Faults of the reading, not of the thing: drift, standstill, restarted registers, silence."""

import numpy as np

from simulators.chunk import Chunk, Key, Patch
from simulators.faults import Fault, affected
from simulators.noise import uniform
from simulators.signals import Line, Sum, add

DRIFT_K, DRIFT_S = 3.0, 86_400.0
SPIKE_K, SPIKE_S, SPIKE_SHARE = 20.0, 300.0, 0.04  # of the five-minute slots
OPEN_WIRE_C, MW_FOR_KW = 0.0, 0.001


_STUCK = {"ahu": "return_air_temperature", "rain-tank": "tank_level"}


def _temperature_of(chunk: Chunk, equipment_id: str) -> Key:
    kind = chunk.model.equipment[equipment_id].kind
    return (equipment_id, _STUCK.get(kind, "zone_temperature"))


def _drift(chunk: Chunk, fault: Fault) -> None:
    key = _temperature_of(chunk, fault.equipment_id)
    age = np.clip((chunk.grid.time - fault.start) / DRIFT_S, 0.0, 1.0)
    inside = (chunk.middle > fault.start) & (chunk.middle < fault.end)
    row = chunk.rows[key]
    if isinstance(row, Line | Sum):  # a sum from the second drift of a month on
        drift = chunk.line(f"{key[0]}-drift", DRIFT_K * fault.size * chunk.ends(age) * inside)
        chunk.rows[key] = add((1.0, row), (1.0, drift))


def _spikes(chunk: Chunk, fault: Fault) -> None:
    """Offsets in a few slots chosen by their number, so that past and live have the same."""
    first, last = max(fault.start, chunk.grid.start), min(fault.end, chunk.grid.end)
    slots = np.arange(np.ceil(first / SPIKE_S), np.floor(last / SPIKE_S), dtype=np.int64)
    luck = uniform(chunk.seed, f"{fault.equipment_id}-spikes", slots)
    key = _temperature_of(chunk, fault.equipment_id)
    for start in slots[luck < SPIKE_SHARE] * SPIKE_S:
        chunk.patches.append(Patch(key, start, start + SPIKE_S, None, -SPIKE_K * fault.size))


def _stand_still(chunk: Chunk, fault: Fault, keys: list[Key]) -> None:
    place = chunk.grid.place(np.array([max(fault.start, chunk.grid.start)]))
    for key in keys:
        held = chunk.opening.held.get(key)
        if held is None or fault.start >= chunk.grid.start:
            held = float(chunk.read(key, place)[0])  # as it was served, a restarted register included
        chunk.patches.append(Patch(key, fault.start, fault.end, held, 0.0))


def _resets(chunk: Chunk) -> None:
    """Keep registers that restarted on their new count, long after the fault itself."""
    turns: dict[Key, list[tuple[float, float]]] = {}
    for key, offset in chunk.opening.resets.items():
        turns[key] = [(-np.inf, offset)]
    for fault in chunk.past_faults:
        if fault.name == "counter_reset" and fault.start >= chunk.grid.start:
            key = (fault.equipment_id, "energy_import")
            at = chunk.grid.place(np.array([fault.start]))
            turns.setdefault(key, []).append((fault.start, float(chunk.rows[key].value(at)[0])))
    for key, steps in turns.items():
        ends = [start for start, _ in steps[1:]] + [np.inf]
        chunk.patches += [
            Patch(key, start, end, None, offset, restarted=True)
            for (start, offset), end in zip(steps, ends, strict=True)
        ]


def spoil_readings(chunk: Chunk) -> None:
    """Apply the reading faults that touch the chunk; the last step of its computation."""
    _resets(chunk)
    for fault in chunk.faults:
        if fault.name == "sensor_drift":
            _drift(chunk, fault)
        elif fault.name == "sensor_stuck":
            _stand_still(chunk, fault, [_temperature_of(chunk, fault.equipment_id)])
        elif fault.name == "sensor_spikes":
            _spikes(chunk, fault)
        elif fault.name == "sensor_broken":
            key = _temperature_of(chunk, fault.equipment_id)
            chunk.patches.append(Patch(key, fault.start, fault.end, OPEN_WIRE_C, 0.0))
        elif fault.name == "unit_mismatch":
            key = (fault.equipment_id, "active_power")
            chunk.patches.append(Patch(key, fault.start, fault.end, None, 0.0, MW_FOR_KW))
        elif fault.name == "frozen_gateway":
            names = {e.id for e in affected(chunk.model, fault.equipment_id)}
            _stand_still(chunk, fault, [key for key in chunk.rows if key[0] in names])
