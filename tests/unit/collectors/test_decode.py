import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.decode import BlockDecoder, decode_words
from energy_center.config.bindings import PointBinding, RegisterType, Table, WordOrder
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from tests.unit.collectors.builders import register

FORMATS = {
    RegisterType.U16: "H", RegisterType.I16: "h", RegisterType.U32: "I", RegisterType.I32: "i",
    RegisterType.U64: "Q", RegisterType.I64: "q", RegisterType.F32: "f", RegisterType.F64: "d",
}  # fmt: skip


def words_of(packed: bytes, order: WordOrder) -> list[int]:
    within = "little" if order in (WordOrder.BIG_SWAPPED, WordOrder.LITTLE_SWAPPED) else "big"
    words = [int.from_bytes(packed[i : i + 2], within) for i in range(0, len(packed), 2)]
    return words[::-1] if order in (WordOrder.LITTLE, WordOrder.LITTLE_SWAPPED) else words


# a signalling NaN becomes a quiet one, which numpy tells; the collector's process lets it pass
lets_signalling_nan_pass = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")


@lets_signalling_nan_pass
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FORMATS)), st.sampled_from(sorted(WordOrder)), st.binary(min_size=8, max_size=8)
)
def test_every_type_and_word_order_agrees_with_struct(
    kind: RegisterType, order: WordOrder, raw: bytes
) -> None:
    packed = raw[: 2 * kind.registers]
    (expected,) = struct.unpack(f">{FORMATS[kind]}", packed)

    value, quality = decode_words(register(0, kind, words=order), words_of(packed, order))

    assert quality is Quality.GOOD
    if math.isfinite(expected):
        assert value == float(expected)
    else:
        assert math.isnan(value)


@pytest.mark.parametrize(
    ("kind", "words", "scaling", "expected"),
    [
        # Eastron SDM630 manual: 230.2 V is 43 66 33 34
        (RegisterType.F32, [0x4366, 0x3334], Linear(), 230.2),
        # Schneider iEM3000: active energy is a signed 64-bit count of Wh
        (RegisterType.I64, [0, 0, 0x0012, 0xD687], Linear(0.001), 1234.567),
        # ABB B23: voltage in 0.1 V as u32
        (RegisterType.U32, [0x0000, 0x08FC], Linear(0.1), 230.0),
        (RegisterType.I16, [0xFF38], Linear(0.1, 5.0), -15.0),
    ],
)
def test_manual_examples(kind: RegisterType, words: list[int], scaling: Linear, expected: float) -> None:
    value, _ = decode_words(register(0, kind, scaling=scaling), words)
    assert value == pytest.approx(expected, rel=1e-6)


def test_values_of_a_block_are_found_by_their_offset() -> None:
    points = [register(10, RegisterType.U16), register(14, RegisterType.I32, words=WordOrder.LITTLE)]
    payload = struct.pack(">HHHHHH", 7, 0, 0, 0, 0xFFFE, 0xFFFF)
    values, _ = BlockDecoder(points, 10).decode(payload)
    assert values.tolist() == [7.0, -2.0]


def test_words_that_mean_no_value_are_a_sensor_fault() -> None:
    point = register(0, RegisterType.I16, invalid=(0x8000,))
    assert decode_words(point, [0x8000])[1] is Quality.SENSOR_FAULT
    assert decode_words(point, [0x7FFF])[1] is Quality.GOOD


def test_not_a_number_is_no_reading() -> None:
    value, _ = decode_words(register(0), [0x7FC0, 0x0000])
    assert math.isnan(value)


def test_one_bit_of_a_register() -> None:
    point = register(0, RegisterType.BOOL, bit=3)
    assert [decode_words(point, [w])[0] for w in (0b1000, 0b0111)] == [1.0, 0.0]


def test_bits_of_a_coil_block() -> None:
    points = [register(a, RegisterType.BOOL, table=Table.COIL) for a in (100, 101, 109)]
    values, _ = BlockDecoder(points, 100).decode(bytes([0b0000_0010, 0b0000_0010]))
    assert values.tolist() == [0.0, 1.0, 1.0]


def test_states_are_mapped_and_unknown_ones_kept() -> None:
    point = register(0, RegisterType.U16, states={3: 1.0, 0: 0.0})
    assert [decode_words(point, [w])[0] for w in (0, 3, 9)] == [0.0, 1.0, 9.0]


def test_values_in_line_and_with_a_gap_are_decoded_alike() -> None:
    # 1.5, NaN, infinity and -2.0 as IEEE 754 single precision, high word first
    words = bytes.fromhex("3FC00000 7FC00000 7F800000 C0000000")
    in_line = BlockDecoder([register(a) for a in (0, 2, 4, 6)], 0).decode(words)
    apart = BlockDecoder([register(a) for a in (0, 2, 4, 7)], 0).decode(words[:12] + b"\0\0" + words[12:])
    for values, quality in (in_line, apart):
        assert [None if v != v else v for v in values.tolist()] == [1.5, None, None, -2.0]  # noqa: PLR0124
        assert not quality.any()


MIXED = [
    register(0, RegisterType.I16, invalid=(0x8000,)),
    register(1, RegisterType.BCD16),
    register(2, RegisterType.F32, scaling=Linear(0.001, 2.0)),
    register(4, RegisterType.U16, bit=3),
    register(5, RegisterType.U16, states={1: 10.0, 2: 20.0}),
]
IN_LINE = [register(2 * n, RegisterType.F32) for n in range(3)]
COILS = [register(n, RegisterType.BOOL, table=Table.COIL) for n in range(9)]


@lets_signalling_nan_pass
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(MIXED, 12), (IN_LINE, 12), (COILS, 2)]), st.data())
def test_replies_decoded_together_are_what_each_is_alone(
    kind: tuple[list[PointBinding], int], data: st.DataObject
) -> None:
    bindings, octets = kind
    payloads = data.draw(st.lists(st.binary(min_size=octets, max_size=octets), min_size=1, max_size=5))
    decoder = BlockDecoder(bindings, 0)

    values, quality = decoder.decode_all(payloads)

    for row, payload in enumerate(payloads):
        alone, flags = decoder.decode(payload)
        np.testing.assert_array_equal(values[row], alone)
        np.testing.assert_array_equal(quality[row], flags)
