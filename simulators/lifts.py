"""Lifts: trips by how busy the house is, one at most in each 75-second slot."""

import numpy as np

from simulators.building import House
from simulators.chunk import Chunk
from simulators.noise import uniform
from simulators.signals import Curve

SLOT_S = 75.0
FLOOR_S = 3.2
IDLE, UP, DOWN = 0.0, 1.0, 2.0


def simulate_lifts(chunk: Chunk, house: House) -> None:
    """Publish floor, direction (0 idle, 1 up, 2 down) and trips of a building's lifts."""
    grid = chunk.grid
    first, last = int(np.ceil(grid.start / SLOT_S)), int(np.ceil(grid.end / SLOT_S))
    slots = np.arange(first, last, dtype=np.int64)
    times = slots * SLOT_S
    busy = np.interp(times, grid.time, np.append(house.people[0], house.people[1, -1]))
    for lift in chunk.model.of(house.id, "lift"):
        top = int(chunk.model.rated(lift, "top_floor"))
        bottom = int(chunk.model.rated(lift, "bottom_floor"))
        going = uniform(chunk.seed, f"{lift.id}-go", slots) < 0.01 + 0.75 * busy
        start = times[going]
        luck = uniform(chunk.seed, f"{lift.id}-floor", slots[going])
        lobby = uniform(chunk.seed, f"{lift.id}-lobby", slots[going]) < 0.35
        target = np.where(lobby, 1.0, bottom + np.floor(luck * (top - bottom + 1)))
        origin = float(chunk.opened(f"{lift.id}-floor", 1.0))
        before = np.concatenate([[origin], target[:-1]])[: len(target)]
        arrive = start + np.maximum(FLOOR_S * np.abs(target - before), 0.5)
        time = np.concatenate([[grid.start], np.column_stack([start, arrive]).ravel()])
        floor = np.concatenate([[origin], np.column_stack([before, target]).ravel()])
        way = np.where(target > before, UP, np.where(target < before, DOWN, IDLE))
        status = np.concatenate([[IDLE], np.column_stack([way, np.zeros_like(way)]).ravel()])
        floors = Curve(time, floor, held=False, rounded=True)
        chunk.rows[(lift.id, "lift_floor")] = floors
        chunk.rows[(lift.id, "lift_status")] = Curve(time, status, held=True)
        chunk.track_curve(f"{lift.id}-floor", floors)
        chunk.put_count(lift, "trip_count", start, np.floor(chunk.constant(f"{lift.id}-t", 4e5, 9e5)))
        chunk.put_states(lift, "fault", chunk.share_active("equipment_trip", lift.id))
