"""The demo's site file against the simulator's own description: same equipment, addresses and points."""

import struct
from collections import Counter
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

import simulators
from collectors.decode import decode_words
from energy_center.config.bindings import (
    BacnetIp,
    BacnetSource,
    ModbusSource,
    ModbusTcp,
    MqttBroker,
    MqttSource,
    Plant,
    PointBinding,
    Table,
)
from energy_center.config.load_site import load_site
from energy_center.domain.quantities import QUANTITIES, Kind
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from simulators.catalogue import Catalogue, Wire, load_catalogue
from simulators.devices.messages import MESSAGES, compose
from simulators.devices.modbus import ModbusServer
from simulators.devices.objects import OBJECT_LISTS
from simulators.devices.registers import REGISTER_MAPS
from simulators.devices.source import Source

ROOT = Path(simulators.__file__).parent.parent
SITE_FILE = ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"


@cache
def plant() -> Plant:
    return load_site(SITE_FILE)


@cache
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "simulators" / "sites" / "taichung.yaml")


def _simulated_points() -> dict[tuple[str, str], object]:
    """Point -> its address on the wire, by the simulator's maps."""
    points: dict[tuple[str, str], object] = {}
    for line in catalogue().equipment:
        for register in REGISTER_MAPS[line.map_name].registers if line.map_name in REGISTER_MAPS else ():
            at = (line.unit, register.table.value, line.base + register.address, register.size)
            points[line.id, register.signal] = at
        for listed in OBJECT_LISTS.get(line.map_name, ()):
            points[line.id, listed.signal] = (listed.type, line.base + listed.instance)
        for field in MESSAGES.get(line.map_name, ()):
            points[line.id, field.signal] = (f"{line.topic}/state", field.path)
    return points


def _configured_points() -> dict[tuple[str, str], object]:
    points: dict[tuple[str, str], object] = {}
    for binding in plant().bindings:
        match binding.source:
            case ModbusSource() as source:
                at: object = (source.unit_id, source.table.value, source.address, source.type.registers)
            case BacnetSource() as source:
                at = (source.object_type, source.instance)
            case MqttSource() as source:
                at = (source.topic, source.path)
        points[binding.key] = at
    return points


def test_every_simulated_signal_is_one_point_at_the_same_address_and_vice_versa() -> None:
    assert _configured_points() == _simulated_points()


def test_both_files_list_the_same_equipment_on_the_same_connections() -> None:
    configured = {e.equipment_id: e.connection_id for e in plant().site.equipment}
    assert configured == {line.id: line.connection for line in catalogue().equipment}


def test_both_files_name_the_same_ports_and_device_instances() -> None:
    wires = {ModbusTcp: Wire.MODBUS, BacnetIp: Wire.BACNET, MqttBroker: Wire.MQTT}
    configured = {
        c.connection_id: (wires[type(c.target)], c.target.port, getattr(c.target, "device", None))
        for c in plant().connections
    }
    assert configured == {c.id: (c.wire, c.port, c.device) for c in catalogue().connections}


def test_the_site_has_at_least_60_devices_and_1000_points() -> None:
    assert len(plant().devices) >= 60
    assert len(plant().bindings) >= 1000


def test_about_50_points_are_read_every_5_s_and_the_rest_every_30_to_60_s() -> None:
    intervals = Counter(b.interval_s for b in plant().bindings)
    assert 45 <= intervals.pop(5.0) <= 60
    assert set(intervals) == {30.0, 60.0}


def test_every_name_is_written_in_both_languages() -> None:
    site = plant().site
    for text in [s.name for s in site.spaces] + [e.name for e in site.equipment]:
        assert text.zh_tw != text.en
        assert text.en.isascii()


def test_all_equipment_lies_in_a_building() -> None:
    site = plant().site
    for equipment in site.equipment:
        assert site.building_of(equipment.space_id) == equipment.equipment_id.split("-")[0].replace(
            "weather", "ltb"
        )


def test_every_meter_but_the_main_ones_is_fed_by_a_meter() -> None:
    by_id = {e.equipment_id: e for e in plant().site.equipment}
    meters = [e for e in by_id.values() if e.equipment_id.endswith("-meter")]
    assert meters
    assert all(e.fed_by is not None and e.fed_by.endswith(("-main", "-meter")) for e in meters)


def test_buildings_state_contract_capacity_tariff_and_size() -> None:
    attributes = {b.space_id: b.attributes for b in plant().site.buildings}
    assert {b: a["contract_kw"] for b, a in attributes.items()} == {"ltb": 1500, "ym": 450}
    for building in attributes.values():
        assert building["tariff"] == "taipower-hv-tou3"
        assert {"area_m2", "headcount", "industry_factor", "holidays"} <= set(building)


class _Plausible:
    """A reading for every point that its register can hold and that differs from a scaled one."""

    def __init__(self) -> None:
        self.by_key = {b.key: _plausible(b) for b in plant().bindings}

    def value(self, equipment_id: str, signal: str) -> float:
        return self.by_key[equipment_id, signal]

    def is_silent(self, equipment_id: str) -> bool:
        return False


def _plausible(binding: PointBinding) -> float:
    quantity = QUANTITIES[binding.role]
    if quantity.kind is Kind.COUNTER:
        return 12345.0
    return min(quantity.high, max(quantity.low, 1.0 if quantity.kind is Kind.STATE else 37.25))


_FUNCTIONS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


def _asked(servers: dict[str, ModbusServer], binding: PointBinding, source: ModbusSource) -> tuple[int, ...]:
    count = source.type.registers
    request = struct.pack(">BHH", _FUNCTIONS[source.table], source.address, count)
    reply, _ = servers[binding.connection_id].reply_to(source.unit_id, request)
    if source.table.is_bits:
        return (reply[2],)
    return struct.unpack(f">{count}H", reply[2:])


def test_every_modbus_point_is_read_by_its_profile_as_the_simulator_means_it() -> None:
    world = _Plausible()
    source = Source(world)
    servers = {c.id: ModbusServer(c.id, catalogue().on(c.id), source) for c in catalogue().wired(Wire.MODBUS)}
    for binding in plant().bindings:
        if isinstance(binding.source, ModbusSource):
            number, quality = decode_words(binding, _asked(servers, binding, binding.source))
            within = max(abs(binding.scaling.factor), 1e-6 * abs(world.by_key[binding.key]))
            assert quality is Quality.GOOD, binding.key
            assert abs(number - world.by_key[binding.key]) <= within, binding.key


def test_every_mqtt_point_is_read_by_its_profile_as_the_simulator_means_it() -> None:
    world = _Plausible()
    maps = {line.id: MESSAGES[line.map_name] for line in catalogue().equipment if line.map_name in MESSAGES}
    for binding in plant().bindings:
        if isinstance(binding.source, MqttSource):
            equipment_id = binding.key[0]
            node: Any = compose(maps[equipment_id], partial(world.value, equipment_id))[0]
            for name in binding.source.path:
                node = node[name]
            assert binding.scaling(node) == pytest.approx(world.by_key[binding.key], abs=0.06), binding.key


def test_every_bacnet_point_has_the_unit_of_its_profile() -> None:
    # BACnet's names of the units that the role is stored in; every controller tells them unconverted
    ucum = {
        "degreesCelsius": "Cel",
        "percent": "%",
        "pascals": "Pa",
        "kilopascals": "kPa",
        "cubicMetersPerHour": "m3/h",
        "kilowatts": "kW",
        "hours": "h",
        "noUnits": "1",
        "partsPerMillion": "[ppm]",
        None: "1",
    }
    lists = {line.id: OBJECT_LISTS.get(line.map_name, ()) for line in catalogue().equipment}
    units = {(e, listed.signal): ucum[listed.unit] for e, rows in lists.items() for listed in rows}
    for binding in plant().bindings:
        if isinstance(binding.source, BacnetSource):
            assert units[binding.key] == QUANTITIES[binding.role].unit, binding.key
            assert binding.scaling == Linear()
