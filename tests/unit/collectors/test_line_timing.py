import pytest

from collectors.line_timing import busy_s, quiet_s
from collectors.plan_reads import RegisterBlock, plan_reads
from energy_center.config.bindings import ModbusRtu, ModbusTcp, Parity
from tests.unit.collectors.builders import device, register


def ten_registers() -> RegisterBlock:
    (block,) = plan_reads([device()], [register(a) for a in range(0, 10, 2)])
    return block


def test_serial_line_is_busy_for_both_frames_their_silence_and_the_turnaround() -> None:
    # 8 octets asked, 5 + 20 answered, 11 bits each at 9600 baud; twice 3.5 characters; 20 ms
    line = ModbusRtu("/dev/ttyS0", 9600, Parity.EVEN)
    assert busy_s(line, ten_registers()) == pytest.approx(33 * 11 / 9600 + 2 * 3.5 * 11 / 9600 + 0.02)


def test_without_parity_a_character_has_ten_bits() -> None:
    line = ModbusRtu("/dev/ttyS0", 9600, Parity.NONE)
    assert busy_s(line, ten_registers()) == pytest.approx(40 * 10 / 9600 + 0.02)


def test_above_19200_baud_silence_is_fixed() -> None:
    assert quiet_s(ModbusRtu("/dev/ttyS0", 115200)) == 0.00175  # MODBUS over Serial Line V1.02, 2.5.1.1


def test_a_gap_that_is_longer_than_the_silence_counts_instead_of_it() -> None:
    line = ModbusRtu("/dev/ttyS0", 9600, Parity.EVEN, min_gap_s=0.1)
    assert busy_s(line, ten_registers()) == pytest.approx(33 * 11 / 9600 + 0.1 + 0.02)


def test_a_gateways_line_counts_when_its_speed_is_known() -> None:
    block = ten_registers()
    assert busy_s(ModbusTcp("h"), block) == pytest.approx(0.02)
    assert busy_s(ModbusTcp("h", baud_rate=9600), block) == pytest.approx(0.02 + 40 * 11 / 9600)
