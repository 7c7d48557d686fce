"""Turns registers and bits into numbers in the roles' units, by a plan made once for each block.

Words that mean "no value" (profile `invalid`) give SENSOR_FAULT; so do BCD nibbles beyond 9 and a scale
factor that says "not implemented". NaN and infinity give no reading at all.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collectors.driver import Qualities, Values
from collectors.plan_reads import source_of
from energy_center.config.bindings import ModbusSource, PointBinding, RegisterType, WordOrder
from energy_center.domain.readings import Quality

_DTYPES: dict[RegisterType, str] = {
    RegisterType.U16: "<u2",
    RegisterType.I16: "<i2",
    RegisterType.U32: "<u4",
    RegisterType.I32: "<i4",
    RegisterType.U64: "<u8",
    RegisterType.I64: "<i8",
    RegisterType.F32: "<f4",
    RegisterType.F64: "<f8",
    RegisterType.BCD16: "<u2",
    RegisterType.BCD32: "<u4",
    RegisterType.BOOL: "<u2",
}
# SunSpec Information Model Specification 2.3: a scale factor is -10..10, 0x8000 is "not there"
_SCALE_FACTOR_LIMIT = 10


def _byte_order(source: ModbusSource, offset: int) -> list[int]:
    """Positions of the value's bytes, least significant first; on the wire a register is big-endian."""
    words = range(source.type.registers)
    least_first = words if source.words.low_word_first else reversed(words)
    low, high = (0, 1) if source.words.bytes_swapped else (1, 0)
    return [
        position for word in least_first for position in (offset + 2 * word + low, offset + 2 * word + high)
    ]


class BlockDecoder:
    """Decodes replies of one block: a gather per type, then one multiply and add."""

    def __init__(self, bindings: Sequence[PointBinding], address: int) -> None:
        """Lay out the plan; `address` is the block's first register or bit."""
        self._sources = [source_of(b) for b in bindings]
        self._bits = bool(self._sources) and self._sources[0].table.is_bits
        self._factor = np.array([b.scaling.factor for b in bindings])
        self._offset = np.array([b.scaling.offset for b in bindings])
        self._size = len(bindings)
        self._positions = np.array([s.address - address for s in self._sources], dtype=np.intp)
        self._gathers = [] if self._bits else self._plan(address)
        self._in_line = self._lies_in_line(address)
        self._ones = np.ones(self._size)
        self._octets = 2 * sum(s.type.registers for s in self._sources)
        self._shifted = bool(self._offset.any())
        self._shifts = [(i, s.bit, 2**s.width - 1) for i, s in enumerate(self._sources) if s.bit is not None]
        self._decimal = [i for i, s in enumerate(self._sources) if s.type.is_bcd]
        self._scaled = [
            (i, 2 * (s.scale_address - address))
            for i, s in enumerate(self._sources)
            if s.scale_address is not None
        ]
        self._invalid = [
            (i, np.array([_as_read(s, v) for v in s.invalid]))
            for i, s in enumerate(self._sources)
            if s.invalid
        ]
        self._may_lack_value = sorted({*self._decimal, *(i for i, _ in self._scaled)})
        self._states = [(i, s.states) for i, s in enumerate(self._sources) if s.states]
        self._coded = [i for i, s in enumerate(self._sources) if s.four_quadrant]
        self._is_special = any((self._invalid, self._may_lack_value, self._states, self._coded))

    def _plan(self, address: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp], str]]:
        plan = []
        for kind in sorted({s.type for s in self._sources}):
            where = [i for i, s in enumerate(self._sources) if s.type is kind]
            index = [_byte_order(self._sources[i], 2 * (self._sources[i].address - address)) for i in where]
            plan.append((np.array(where, dtype=np.intp), np.array(index, dtype=np.intp), _DTYPES[kind]))
        return plan

    def decode(self, payload: bytes) -> tuple[Values, Qualities]:
        """Values in the roles' units and their quality, each of shape (n,)."""
        # one row is worth its own way: one dimension costs half of what two do
        if self._in_line is not None and len(payload) == self._octets:
            raw = np.frombuffer(payload, self._in_line).astype(np.float64)
        else:
            raw = self._raw(np.frombuffer(payload, np.uint8).reshape(1, -1))[0]
        quality = np.zeros(self._size, dtype=np.int16)
        if self._is_special:
            self._finish(raw, quality, payload)
        return self._scaled_to_role(raw), quality

    def decode_all(self, payloads: Sequence[bytes]) -> tuple[Values, Qualities]:
        """The same of k replies, each of shape (k, n)."""
        if len(payloads) == 1:
            values, flags = self.decode(payloads[0])
            return values[np.newaxis], flags[np.newaxis]
        octets = np.frombuffer(b"".join(payloads), dtype=np.uint8).reshape(len(payloads), -1)
        raw = self._raw(octets)
        quality = np.zeros(raw.shape, dtype=np.int16)
        if self._is_special:
            for row, row_flags, payload in zip(raw, quality, payloads, strict=True):
                self._finish(row, row_flags, payload)
        return self._scaled_to_role(raw), quality

    def _scaled_to_role(self, raw: Values) -> Values:
        raw *= self._factor
        if self._shifted:
            raw += self._offset
        # the sum is finite unless a value is not (or it overflows, which costs time alone)
        if not math.isfinite(raw.dot(self._ones) if raw.ndim == 1 else raw.sum()):
            raw[~np.isfinite(raw)] = np.nan
        return raw

    def _finish(self, raw: Values, quality: Qualities, payload: bytes) -> None:
        """What is not a number yet, in one reply: words that mean no value, digits, powers, states, codes."""
        for i, words in self._invalid:
            if raw[i] in words:
                quality[i] |= int(Quality.SENSOR_FAULT)
        for i in self._decimal:
            raw[i] = _from_bcd(int(raw[i]))
        for i, at in self._scaled:
            raw[i] *= _power_of_ten(payload[at : at + 2])
        for i in self._may_lack_value:
            quality[i] |= int(Quality.SENSOR_FAULT) if np.isnan(raw[i]) else 0
        for i, states in self._states:
            raw[i] = states.get(int(raw[i]), raw[i]) if np.isfinite(raw[i]) else np.nan
        for i in self._coded:
            raw[i] = _power_factor(float(raw[i]))

    def _lies_in_line(self, address: int) -> str | None:
        """The type where the block is nothing but values of one type one after another, high word first."""
        kinds = {(s.type, s.words) for s in self._sources}
        if self._bits or len(kinds) != 1 or any(s.bit is not None for s in self._sources):
            return None
        kind, words = kinds.pop()
        step = kind.registers
        apart = [s.address for s in self._sources] == [address + i * step for i in range(self._size)]
        return _DTYPES[kind].replace("<", ">") if apart and words is WordOrder.BIG else None

    def _raw(self, octets: NDArray[np.uint8]) -> Values:
        if self._in_line is not None and octets.shape[1] == self._octets:
            return octets.view(self._in_line).astype(np.float64)
        if self._bits:
            bits = np.unpackbits(octets, axis=1, bitorder="little")
            return bits[:, self._positions].astype(np.float64)
        if len(self._gathers) == 1:  # one type, so in order already
            _, index, dtype = self._gathers[0]
            raw: Values = octets.take(index, axis=1).view(dtype)[:, :, 0].astype(np.float64)
        else:
            raw = np.empty((len(octets), self._size), dtype=np.float64)
            for where, index, dtype in self._gathers:
                raw[:, where] = octets.take(index, axis=1).view(dtype)[:, :, 0]
        for i, bit, mask in self._shifts:
            raw[:, i] = [(int(word) >> bit) & mask for word in raw[:, i]]
        return raw


def _power_factor(coded: float) -> float:
    """Leading power factors lie beyond 1 and -1 (Schneider PM5500 register list, format 4Q_FP_PF)."""
    if abs(coded) <= 1.0:
        return coded
    return 2.0 - coded if coded > 0 else -2.0 - coded


def _from_bcd(packed: int) -> float:
    """The number whose decimal digits stand in the nibbles; NaN where one is no digit."""
    digits = f"{packed:x}"
    return float(digits) if digits.isdecimal() else float("nan")


def _power_of_ten(register: bytes) -> float:
    """What a scale factor's register multiplies by; NaN where it says that there is none."""
    power = int.from_bytes(register, "big", signed=True)
    return 10.0**power if abs(power) <= _SCALE_FACTOR_LIMIT else float("nan")


def _as_read(source: ModbusSource, written: float) -> float:
    """A profile may write -1 of an i16 as 0xFFFF; what is read is -1."""
    signed = source.type in (RegisterType.I16, RegisterType.I32, RegisterType.I64)
    bits = 16 * source.type.registers
    if signed and written >= 2 ** (bits - 1):
        return float(int(written) - 2**bits)
    return float(written)


def decode_words(
    binding: PointBinding, words: Sequence[int], scale_factor: int | None = None
) -> tuple[float, Quality]:
    """One value from its 16-bit words (or bits) in wire order, as for a manual's worked example.

    `scale_factor` is the word in the register of the power of ten, for a value that has one.
    """
    source = source_of(binding)
    if scale_factor is not None:
        source = replace(source, scale_address=source.address + len(words))
        binding, words = replace(binding, source=source), [*words, scale_factor]
    decoder = BlockDecoder([binding], source.address)
    if source.table.is_bits:
        payload = bytes([words[0] & 1])
    else:
        payload = b"".join(word.to_bytes(2, "big") for word in words)
    values, quality = decoder.decode(payload)
    return float(values[0]), Quality(int(quality[0]))
