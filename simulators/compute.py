"""The physics in order: from weather and people to loads, plant, air, water and meters of one chunk."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from simulators import air, building, electrical, generators, lifts, plant, water
from simulators.chunk import Chunk, Key, State, make_grid
from simulators.faults import Fault
from simulators.model import Model
from simulators.signals import Source
from simulators.wrong_readings import spoil_readings


def compute_chunk(
    model: Model,
    seed: int,
    span: tuple[float, float],
    state: State,
    faults: Sequence[Fault],
    commands: Mapping[Key, float] = MappingProxyType({}),
) -> Chunk:
    """Return the computed chunk of a span (epoch seconds) that starts from a state.

    `commands` hold for the whole chunk: schedules and set-points that people command instead of the program.
    """
    chunk = Chunk(model, seed, make_grid(*span, faults), state, faults, commands)
    houses = [building.open_house(chunk, name) for name in model.buildings]
    for house in houses:
        building.simulate_zones(chunk, house)
        heat = building.simulate_floors(chunk, house)
        building.simulate_demand(chunk, house, heat)
        plant.simulate_plant(chunk, house)
        building.simulate_zone_units(chunk, house)
        building.simulate_air_quality(chunk, house)
        air.simulate_air_handlers(chunk, house)
        air.simulate_outdoor_air_units(chunk, house)
        air.simulate_exhaust(chunk, house)
    electrical.simulate_supply(chunk, houses)
    for house in houses:
        _simulate_services(chunk, house)
    generators.simulate_generators(chunk)
    water.simulate_station(chunk)
    spoil_readings(chunk)
    return chunk


def _simulate_services(chunk: Chunk, house: building.House) -> None:
    electrical.simulate_other_loads(chunk, house)
    electrical.simulate_ups(chunk, house)
    electrical.simulate_chargers(chunk, house)
    lifts.simulate_lifts(chunk, house)
    water.simulate_sumps(chunk, house)
    water.simulate_rain_tank(chunk, house)
    water.simulate_meters(chunk, house)
    water.simulate_sensors(chunk, house)
    made: list[Source] = electrical.simulate_pv(chunk, house)
    electrical.simulate_meters(chunk, house, made)
