"""How long a request keeps its line busy, from the line's speed and the device's turnaround. Pure.

Source: MODBUS over Serial Line V1.02, 2.5.1: characters of 10 or 11 bits; 3.5 characters of silence around a
frame, and a fixed 1.75 ms above 19,200 baud.
"""

from collectors.plan_reads import RegisterBlock
from energy_center.config.bindings import ModbusRtu, ModbusTcp, Parity

_REQUEST_OCTETS = 8  # unit, function, address, count, CRC
_REPLY_OCTETS = 5  # unit, function, length, CRC; the registers come on top
_FIXED_QUIET_S = 0.00175
_FASTEST_COUNTED = 19_200
_GATEWAY_BITS = 11  # what the standard demands; a gateway's line is not described further


def _bits_a_character(target: ModbusTcp | ModbusRtu) -> int:
    if isinstance(target, ModbusTcp):
        return _GATEWAY_BITS
    return 1 + 8 + (target.parity is not Parity.NONE) + target.stop_bits


def quiet_s(target: ModbusTcp | ModbusRtu) -> float:
    """Silence between two frames that we have to keep ourselves: none where a gateway keeps it."""
    if isinstance(target, ModbusTcp):
        return 0.0
    return _silence_s(target.baud_rate, _bits_a_character(target))


def _silence_s(baud_rate: int, bits: int) -> float:
    return _FIXED_QUIET_S if baud_rate > _FASTEST_COUNTED else 3.5 * bits / baud_rate


def busy_s(target: ModbusTcp | ModbusRtu, block: RegisterBlock) -> float:
    """What one read of a block takes of its line: both frames, silence around them, turnaround, gap."""
    octets = (block.count + 7) // 8 if block.table.is_bits else 2 * block.count
    wire_s = silence_s = 0.0
    if target.baud_rate is not None:
        bits = _bits_a_character(target)
        wire_s = (_REQUEST_OCTETS + _REPLY_OCTETS + octets) * bits / target.baud_rate
        silence_s = 2 * _silence_s(target.baud_rate, bits)
    return wire_s + target.turnaround_s + max(target.min_gap_s, silence_s)
