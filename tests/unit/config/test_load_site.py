"""Every mistake that a person can make in a site file has a file of its own here, named for the mistake."""

from pathlib import Path

import pytest

from energy_center.config.bindings import (
    BacnetSource,
    Check,
    Framing,
    Heartbeat,
    HeartbeatSource,
    Measure,
    ModbusRtu,
    ModbusSource,
    ModbusTcp,
    MqttSource,
    Parity,
    SnmpAgent,
    SnmpAuth,
    SnmpPrivacy,
    SnmpSource,
    SnmpType,
    Table,
)
from energy_center.config.load_profile import load_profile
from energy_center.config.load_site import load_site, move_connections
from energy_center.domain.quantities import Role
from energy_center.domain.site import SpaceKind
from energy_center.errors import ConfigError

FILES = Path(__file__).parent / "files"

# file -> the line and a part of the sentence that the person gets
MISTAKES = {
    "bad-duration": (13, "'active_power': 5 is not a duration; write 20ms, 5s, 15min, 1h or 2d"),
    "bad-kind": (4, "'kind' is 'storey'; allowed are 'site', 'building', 'floor', 'zone' or 'room'"),
    "bad-name": (3, "{'en': 'Tower'} is not a name; write a text, or {zh-TW: …, en: …}"),
    "bad-port": (11, "connections 'broker': 'port' is 99999"),
    "bad-time-zone": (1, "'Asia/Taichung' is not a time zone"),
    "department-id-taken": (11, "department 'a': the id is taken by a space"),
    "departments-too-large": (8, "its departments have 120 m², the space has 100 m²"),
    "doubled-key": (2, "key 'site' is given twice"),
    "feeds-itself": (14, "equipment 'floor': feeds itself"),
    "bad-baud-rate": (7, "'baud_rate' is 9000"),
    "heartbeat-path-of-tcp": (6, "path is for check http and https"),
    "heartbeat-without-port": (6, "check tcp needs a port"),
    "missing-key": (14, "equipment 'floor': key 'name' is missing"),
    "missing-unit-id": (13, "key 'unit_id' is missing; connection 'room' is modbus"),
    "not-yaml": (3, "not YAML"),
    "rule-of-unknown-equipment": (20, "'sump' is not an equipment"),
    "snmp-password-in-file": (6, "unknown key 'auth_password'; allowed are auth, auth_password_env"),
    "snmp-privacy-alone": (6, "privacy needs auth"),
    "snmp-two-credentials": (6, "community_env is for version 2c, user for version 3"),
    "space-tree-loop": (3, "spaces 'a': lies in itself"),
    "serial-unit-id": (13, "unit_id 0 cannot be on the serial line 'room'; allowed are 1 to 247"),
    "two-connections-one-address": (8, "10.0.3.11:502 is connection 'room' (line 6) already"),
    "two-devices-one-address": (15, "its 'active_power' lies where 'floor' (line 14) has its 'active_power'"),
    "two-equal-ids": (15, "the id is taken on line 14"),
    "two-protocols": (6, "needs exactly one of modbus-tcp, modbus-rtu, bacnet-ip, mqtt, snmp, heartbeat"),
    "unit-id-on-bacnet": (16, "unit_id is for modbus; connection 'ahu-1' is bacnet"),
    "unknown-connection": (17, "connection 'brocker' is not a connection; did you mean 'broker'?"),
    "unknown-feed": (14, "fed_by 'mian' is not an equipment; did you mean 'main'?"),
    "unknown-interval-point": (13, "intervals names 'activ_power'"),
    "unknown-key": (13, "unknown key 'unit'; allowed are attributes, base, class"),
    "unknown-profile": (13, "profile 'metre' is not in modbus/; did you mean 'meter'?"),
    "writable-bad-limits": (16, "'priority' is 3"),
    "writable-input": (16, "writable 'fan_status': binary-input,1 is an input"),
    "writable-unknown-point": (16, "writable names 'fan_stats'"),
    "unknown-space": (17, "space 'a-l' is not a space; did you mean 'a-1'?"),
}


def mistakes_in(name: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_site(FILES / f"site.{name}.yaml", FILES / "profiles")
    return caught.value.mistakes


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_mistake_is_told_with_file_line_and_what_is_right(name: str) -> None:
    line, part = MISTAKES[name]

    first = mistakes_in(name)[0]

    assert first.startswith(f"{FILES}/site.{name}.yaml:{line}: ")
    assert part in first


def test_every_bad_file_is_in_the_table() -> None:
    files = {f.stem.removeprefix("site.") for f in FILES.glob("site.*.yaml")}
    assert files == {*MISTAKES, "good", "serial", "watched", "several-mistakes", "broken-profile"}


def test_all_mistakes_are_reported_at_once() -> None:
    told = mistakes_in("several-mistakes")
    assert [m.split(":")[1] for m in told] == ["13", "14", "17"]


def test_mistakes_in_a_profile_are_told_with_the_profiles_own_lines() -> None:
    told = mistakes_in("broken-profile")

    assert [m.split(":", 2)[:2] for m in told] == [[f"{FILES}/profiles/modbus/broken.yaml", n] for n in "67"]
    assert "'kvar' is reactive power, 'kW' is active power" in told[0]
    assert "table coil holds bits; type must be bool" in told[1]


def test_good_site_resolves_spaces_devices_and_bindings() -> None:
    plant = load_site(FILES / "site.good.yaml", FILES / "profiles")

    assert [(s.space_id, s.parent_id, s.kind) for s in plant.site.spaces] == [
        ("town", None, SpaceKind.SITE),
        ("a", "town", SpaceKind.BUILDING),
        ("a-1", "a", SpaceKind.FLOOR),
    ]
    assert plant.site.spaces[1].attributes == {"area_m2": 12000, "contract_kw": 1500}
    assert [d.device_id for d in plant.devices] == ["main", "floor", "ahu", "sensor"]
    by_key = {b.key: b for b in plant.bindings}
    assert by_key["main", "active_power"].interval_s == 5
    assert by_key["floor", "active_power"].interval_s == 30
    assert by_key["floor-b", "active_power"].device_id == "floor"  # same unit, so the same device


def test_serial_lines_and_gateways_are_resolved_with_their_timing() -> None:
    plant = load_site(FILES / "site.serial.yaml", FILES / "profiles")
    targets = {c.connection_id: c.target for c in plant.connections}

    assert targets == {
        "line": ModbusRtu("/dev/ttyUSB0", 19200, Parity.NONE, stop_bits=2, turnaround_s=0.05),
        "gateway": ModbusTcp("10.0.3.12", min_gap_s=0.02, framing=Framing.RTU, baud_rate=9600),
    }
    assert [d.unit_id for d in plant.devices] == [1, 2, 0]


def test_agents_and_heartbeats_are_resolved_each_as_one_device() -> None:
    plant = load_site(FILES / "site.watched.yaml", FILES / "profiles")
    assert {c.connection_id: c.target for c in plant.connections} == {
        "ups": SnmpAgent(
            "ups.example",
            user="watch",
            auth=SnmpAuth.SHA256,
            auth_password_env="A",
            privacy=SnmpPrivacy.AES128,
            privacy_password_env="B",
        ),
        "switch": SnmpAgent("10.0.6.1", community_env="SWITCH_COMMUNITY"),
        "nvr": Heartbeat("nvr.example", 554, timeout_s=3.0),
        "door": Heartbeat("nvr.example", 0, Check.ICMP),
        "pbx": Heartbeat("pbx.example", 443, Check.HTTPS, path="/status"),
    }
    assert [d.device_id for d in plant.devices] == ["ups-1", "port-3", "cctv", "access", "exchange"]
    assert plant.devices[0].limits.max_oids == 8
    sources = {b.key: b.source for b in plant.bindings}
    assert sources["port-4", "link_status"] == SnmpSource(
        "1.3.6.1.2.1.2.2.1.8.4", SnmpType.INTEGER, {1: 1, 2: 0}
    )
    assert sources["cctv", "round_trip_time"] == HeartbeatSource(Measure.ROUND_TRIP)


def test_counters_of_an_agent_begin_again_where_their_width_says() -> None:
    plant = load_site(FILES / "site.watched.yaml", FILES / "profiles")
    rollover = {p.name: p.rollover_at for p in plant.site.points() if p.equipment_id == "port-3"}
    # 2**32 kB, in bytes; what no counter fills has none
    assert rollover == {"link_status": None, "in32": 4_294_967_296_000.0, "in64": None}


def test_base_moves_addresses_and_units_are_converted() -> None:
    plant = load_site(FILES / "site.good.yaml", FILES / "profiles")
    by_key = {b.key: b for b in plant.bindings}

    power = by_key["floor-b", "active_power"]
    assert isinstance(power.source, ModbusSource)
    assert (power.source.table, power.source.address) == (Table.INPUT, 152)
    assert power.scaling(2500.0) == 2.5  # W -> kW
    supply = by_key["ahu", "supply_air_temperature"]
    assert supply.source == BacnetSource("analog-input", 101)
    assert supply.scaling(50.0) == pytest.approx(10.0)  # 50 degF = 10 Cel
    assert supply.role is Role.SUPPLY_AIR_TEMPERATURE
    assert by_key["sensor", "zone_temperature"].source == MqttSource(
        "town/lobby/state", ("temperature",), ("ts",)
    )


def test_endpoints_file_moves_connections(tmp_path: Path) -> None:
    plant = load_site(FILES / "site.good.yaml", FILES / "profiles")
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text('{"connections": {"room": {"host": "127.0.0.1", "port": 40123}}}')

    moved = {c.connection_id: c.target for c in move_connections(plant, endpoints).connections}

    assert (moved["room"].host, moved["room"].port) == ("127.0.0.1", 40123)
    assert moved["ahu-1"].host == "10.0.4.20"


def test_profile_that_does_not_exist_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        load_profile(FILES / "profiles" / "modbus" / "none.yaml")
