import pytest

from collectors.bus_load import load_of
from collectors.plan_reads import plan_reads
from energy_center.config.bindings import ModbusRtu, Parity
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
