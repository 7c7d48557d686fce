"""BCD, bit fields, scale factors in registers, widths of counters, and the chain of SunSpec models."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from collectors.decode import BlockDecoder, decode_words
from collectors.plan_reads import plan_reads, source_of
from collectors.sunspec import find_models, start_of
from energy_center.config.bindings import PointBinding, RegisterType, Table, WordOrder
from energy_center.config.profile_model import ModbusPoint
from energy_center.domain.readings import Quality
from energy_center.errors import NotSupported
from tests.unit.collectors.builders import device, register


def with_source(binding: PointBinding, **changes: object) -> PointBinding:
    return replace(binding, source=replace(source_of(binding), **changes))


@pytest.mark.parametrize(
    ("kind", "order", "words", "expected"),
    [
        (RegisterType.BCD16, WordOrder.BIG, [0x1234], 1234.0),
        (RegisterType.BCD32, WordOrder.BIG, [0x0012, 0x3456], 123456.0),
        (RegisterType.BCD32, WordOrder.LITTLE, [0x3456, 0x0012], 123456.0),
        (RegisterType.U32, WordOrder.BIG_SWAPPED, [0x0100, 0x0200], 65538.0),  # 00 01 00 02
        (RegisterType.U32, WordOrder.LITTLE_SWAPPED, [0x0200, 0x0100], 65538.0),
    ],
)
def test_decimal_and_swapped_words(
    kind: RegisterType, order: WordOrder, words: Sequence[int], expected: float
) -> None:
    assert decode_words(register(0, kind, words=order), words) == (expected, Quality.GOOD)


def test_a_nibble_that_is_no_digit_is_a_fault() -> None:
    value, quality = decode_words(register(0, RegisterType.BCD16), [0x12A4])
    assert math.isnan(value)
    assert quality is Quality.SENSOR_FAULT


def test_bit_field_of_several_bits() -> None:
    binding = with_source(register(0, RegisterType.U16, bit=4), width=3)
    assert decode_words(binding, [0b0101_1111]) == (0b101, Quality.GOOD)


def test_scale_factor_is_read_with_the_value_in_the_same_request() -> None:
    watts = with_source(register(14, RegisterType.I16), scale_address=15)
    energy = with_source(register(24, RegisterType.U32), scale_address=22)
    (block,) = plan_reads([device()], [watts, energy])
    assert (block.address, block.count) == (14, 12)
    words = [0] * 12
    words[0], words[1] = 1234, 0xFFFF  # 1234 x 10^-1
    words[10], words[11], words[8] = 1, 0, 2  # 65536 x 10^2
    payload = b"".join(w.to_bytes(2, "big") for w in words)
    values, quality = BlockDecoder(block.bindings, block.address).decode(payload)
    assert values.tolist() == pytest.approx([123.4, 6_553_600.0])
    assert quality.tolist() == [0, 0]


def test_scale_factor_that_is_not_there_is_a_fault() -> None:
    assert decode_words(register(0, RegisterType.I16), [5], 0x8000)[1] is Quality.SENSOR_FAULT


def test_models_are_not_read_in_one_request() -> None:
    one = with_source(register(14, RegisterType.I16), models=(101, 103))
    other = with_source(register(15, RegisterType.I16), models=(160,))
    assert [b.models for b in plan_reads([device()], [other, one])] == [(101, 103), (160,)]


def counter(**given: object) -> ModbusPoint:
    line = {"role": "energy_import", "table": "holding", "address": 0, "type": "u32", "unit": "Wh"}
    return ModbusPoint.model_validate({**line, "manual": "0 energy", **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 4_294_967.296),  # 2^32 Wh
        ({"type": "i32", "unit": "kWh", "scale": 0.1}, 214_748_364.8),  # counts up to half its width
        ({"type": "u16", "unit": "kWh", "scale": 10}, 655_360.0),
        ({"type": "bcd32", "unit": "kWh", "scale": 0.01}, 1_000_000.0),  # eight digits
        ({"rollover": 1e9}, 1e6),  # the display's digits, as the manual says
        ({"type": "u64"}, None),
        ({"type": "f32"}, None),
        ({"scale_factor": 2}, None),  # its factor may change
        ({"role": "active_power", "unit": "W"}, None),
    ],
)
def test_where_a_counter_begins_again(given: dict[str, object], expected: float | None) -> None:
    assert counter(**given).rollover_at == (None if expected is None else pytest.approx(expected))


def test_rollover_belongs_to_a_counter() -> None:
    with pytest.raises(ValueError, match="rollover belongs to a counter"):
        counter(role="active_power", unit="W", rollover=5)


class Registers:
    """Holding registers that exist only where they were put."""

    def __init__(self, base: int, words: Sequence[int]) -> None:
        self._words = dict(enumerate(words, start=base))

    async def read(self, address: int, count: int) -> list[int]:
        if any(a not in self._words for a in range(address, address + count)):
            raise NotSupported("illegal data address")
        return [self._words[a] for a in range(address, address + count)]


CHAIN = [0x5375, 0x6E53, 1, 2, 7, 7, 103, 1, 7, 160, 0, 103, 0, 0xFFFF, 0]


@pytest.mark.parametrize("base", [40000, 50000, 0])
async def test_models_are_found_at_each_of_the_three_places(base: int) -> None:
    found = await find_models(Registers(base, CHAIN).read)
    assert found == {1: base + 2, 103: base + 6, 160: base + 9}
    assert start_of((101, 102, 103), found) == base + 6


async def test_no_marker_and_no_model_are_told() -> None:
    with pytest.raises(NotSupported, match="no marker"):
        await find_models(Registers(40000, [1, 2, 3]).read)
    with pytest.raises(NotSupported, match="no such SunSpec model"):
        start_of((111,), {103: 40070})


async def test_a_chain_without_an_end_is_given_up() -> None:
    with pytest.raises(NotSupported, match="does not end"):
        await find_models(Registers(40000, [0x5375, 0x6E53, *[9, 0] * 100]).read)


def test_table_is_part_of_the_place() -> None:
    assert len(plan_reads([device()], [register(0), register(0, table=Table.INPUT)])) == 2
