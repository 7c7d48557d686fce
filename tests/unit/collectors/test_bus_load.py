import dataclasses

import pytest

from collectors.bus_load import bacnet_loads, load_of
from collectors.plan_reads import plan_reads
from energy_center.config.bindings import (
    BacnetIp,
    BacnetSource,
    Connection,
    Device,
    ModbusRtu,
    Parity,
    Plant,
    PointBinding,
)
from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.domain.units import Linear
from tests.unit.collectors.builders import device, register

LINE = ModbusRtu("/dev/ttyS0", 9600, Parity.EVEN)
# 2 registers: (8 + 5 + 4) characters and twice 3.5 of silence, 11 bits each at 9600 baud, and 20 ms
ONE_READ_S = (17 + 7) * 11 / 9600 + 0.02


def test_utilisation_is_the_time_on_the_wire_over_the_interval() -> None:
    points = [register(0, unit_id=u, interval_s=5) for u in (1, 2, 3)]
    load = load_of("line", LINE, plan_reads([device(u) for u in (1, 2, 3)], points))
    assert (load.requests, load.late) == (3, ())
    assert load.utilisation == pytest.approx(3 * ONE_READ_S / 5)


def test_what_has_no_room_is_named_and_short_intervals_come_first() -> None:
    # 20 units a second take 0.95 s of each; a slow one that takes as much again is late
    units = range(1, 21)
    fast = [register(0, unit_id=u, interval_s=1) for u in units]
    slow = [register(a, unit_id=30, interval_s=2) for a in range(0, 400, 50)]
    blocks = plan_reads([device(u) for u in (*units, 30)], [*fast, *slow])
    load = load_of("line", LINE, blocks)
    assert load.utilisation > 1
    assert 0 < len(load.late) < len(blocks)
    assert all(told.startswith("u30 every 2 s: u30/holding_") for told in load.late)


def test_a_line_with_little_room_says_so() -> None:
    points = [register(0, unit_id=u, interval_s=1) for u in range(1, 19)]
    load = load_of("line", LINE, plan_reads([device(u) for u in range(1, 19)], points))
    assert load.is_nearly_full


def _air_handler(connection: str, target: BacnetIp, objects: int, interval_s: float) -> Plant:
    bindings = tuple(
        PointBinding(
            (connection, f"p{n}"),
            Role.ZONE_TEMPERATURE,
            connection,
            connection,
            interval_s,
            Linear(),
            BacnetSource("analog-input", n),
        )
        for n in range(objects)
    )
    connected = (Connection(connection, target),)
    return Plant(
        Site("s", {"en": "S"}, "UTC", (), ()), connected, (Device(connection, connection),), bindings
    )


def test_bacnet_device_takes_its_turnaround_a_request() -> None:
    target = BacnetIp("h", 47808, 1, turnaround_s=0.1)
    (load,) = bacnet_loads(_air_handler("ahu", target, 70, 10.0))
    assert (load.connection, load.requests, load.late) == ("ahu", 3, ())
    assert load.utilisation == pytest.approx(3 * 0.1 / 10)


def test_stations_share_their_mstp_line_which_names_what_has_no_room() -> None:
    def on(n: int) -> Plant:
        station = BacnetIp("r", 47808, n, network=2001, station=str(n), baud_rate=38_400)
        return _air_handler(f"vav-{n}", station, 16, 2.0)

    plants = [on(n) for n in range(1, 13)]
    together = dataclasses.replace(
        plants[0],
        connections=tuple(c for p in plants for c in p.connections),
        devices=tuple(d for p in plants for d in p.devices),
        bindings=tuple(b for p in plants for b in p.bindings),
    )
    (load,) = bacnet_loads(together)
    # 16 objects: twice (10 of frame + 12 of routing + 8 of head), 16 x (11 asked + 28 answered) octets of ten
    # bits; 13 stations pass a token of 120 bits; 50 ms
    one_s = ((60 + 16 * 39) * 10 + 13 * 120) / 38_400 + 0.05
    assert load.connection == "r:47808 network 2001"
    assert (load.requests, load.utilisation) == (12, pytest.approx(12 * one_s / 2))
    assert [told.split(" ")[0] for told in load.late] == ["vav-8", "vav-9", "vav-10", "vav-11", "vav-12"]


def test_mstp_carries_shorter_answers() -> None:
    slow = BacnetIp("r", 47808, 1, network=1, station="1", baud_rate=38_400)
    (load,) = bacnet_loads(_air_handler("vav", slow, 30, 10.0))
    assert load.requests == 2  # 480 octets hold 16 objects
