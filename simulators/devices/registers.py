"""Register maps of the simulated Modbus devices, written from the makers' manuals, and their encoding.

Addresses are wire addresses (from 0). `per_unit` is the device's counts per kW, kWh, V, degree and so on.
They are kept apart from the collectors' profiles on purpose: neither may be made from the other.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from simulators.devices.source import has_reading

Read = Callable[[str], float]  # signal -> reading


class Table(StrEnum):
    """The four address spaces of a Modbus unit."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"


class Code(StrEnum):
    """How a value lies in registers, big end first; the letters are those of `struct`."""

    BIT = "?"
    U16 = "H"
    I16 = "h"
    U32 = "I"
    I32 = "i"
    I64 = "q"
    F32 = "f"
    F64 = "d"


_SIZE = {
    Code.BIT: 1,
    Code.U16: 1,
    Code.I16: 1,
    Code.U32: 2,
    Code.I32: 2,
    Code.I64: 4,
    Code.F32: 2,
    Code.F64: 4,
}
_BITS = {Code.U16: 16, Code.I16: 16, Code.U32: 32, Code.I32: 32, Code.I64: 64}
_SIGNED = {Code.I16, Code.I32, Code.I64}


@dataclass(frozen=True, slots=True)
class Register:
    """One signal's place. A counter wraps where its register ends; a level stops at its limits."""

    signal: str
    table: Table
    address: int
    code: Code
    per_unit: float = 1.0
    add: float = 0.0
    counter: bool = False
    quadrants: bool = False

    @property
    def size(self) -> int:
        """Registers (or bits) that it takes."""
        return _SIZE[self.code]

    def words(self, read: Read) -> tuple[int, ...]:
        """The registers' content now; empty when the device has no reading."""
        reading = read(self.signal)
        if not has_reading(reading):
            return ()
        if self.quadrants:
            reading = four_quadrant(reading, read("reactive_power"))
        return encode(self.code, reading * self.per_unit + self.add, counter=self.counter)


def encode(code: Code, raw: float, *, counter: bool = False) -> tuple[int, ...]:
    """Registers of a raw number, high word first."""
    if code is Code.BIT:
        return (int(raw > 0.5),)
    if code in (Code.F32, Code.F64):
        packed = struct.pack(f">{code}", raw)
    else:
        packed = struct.pack(f">{code}", _whole(code, raw, counter=counter))
    return struct.unpack(f">{len(packed) // 2}H", packed)


def _whole(code: Code, raw: float, *, counter: bool) -> int:
    bits = _BITS[code]
    if counter:
        return int(raw) % (1 << (bits - 1 if code in _SIGNED else bits))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if code in _SIGNED else (0, (1 << bits) - 1)
    return max(low, min(high, round(raw)))


def four_quadrant(power_factor: float, reactive_power: float) -> float:
    """Schneider's 4Q_FP_PF: lagging as it is; leading as 2 - |pf| with the sign of the active power."""
    leading = reactive_power < 0 if power_factor >= 0 else reactive_power > 0
    if not leading:
        return power_factor
    return 2.0 - power_factor if power_factor >= 0 else -2.0 - power_factor


Ranges = Mapping[Table, tuple[tuple[int, int], ...]]  # half-open; inside them gaps read as zero


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """A device type: its registers, the ranges it answers in, fixed words, and its limit per request."""

    registers: tuple[Register, ...]
    ranges: Ranges
    fixed: Mapping[int, int] = field(default_factory=dict)  # holding registers that never change
    max_registers: int = 125


_H, _I, _D = Table.HOLDING, Table.INPUT, Table.DISCRETE


def _floats(table: Table, rows: Mapping[str, tuple[int, float]]) -> tuple[Register, ...]:
    return tuple(Register(s, table, at, Code.F32, per_unit) for s, (at, per_unit) in rows.items())


# Eastron SDM630 protocol: input registers 30001.., float32; power W, energy kWh, 40 parameters a request
SDM630 = RegisterMap(
    _floats(
        _I,
        {
            "voltage_l1n": (0, 1),
            "voltage_l2n": (2, 1),
            "voltage_l3n": (4, 1),
            "current_l1": (6, 1),
            "current_l2": (8, 1),
            "current_l3": (10, 1),
            "active_power": (52, 1000),
            "apparent_power": (56, 1000),
            "reactive_power": (60, 1000),
            "power_factor": (62, 1),
            "frequency": (70, 1),
            "energy_import": (72, 1),
            "reactive_energy_import": (76, 1),
        },
    ),
    {_I: ((0, 384),)},
    max_registers=80,
)

# Schneider PM5500 series register list: manual numbers less one; float32, energies int64 Wh
PM5560 = RegisterMap(
    (
        *_floats(
            _H,
            {
                "current_l1": (2999, 1),
                "current_l2": (3001, 1),
                "current_l3": (3003, 1),
                "voltage_l1n": (3027, 1),
                "voltage_l2n": (3029, 1),
                "voltage_l3n": (3031, 1),
                "active_power": (3059, 1),
                "reactive_power": (3067, 1),
                "apparent_power": (3075, 1),
                "frequency": (3109, 1),
            },
        ),
        Register("power_factor", _H, 3083, Code.F32, quadrants=True),
        Register("energy_import", _H, 3203, Code.I64, 1000, counter=True),
        Register("energy_export", _H, 3207, Code.I64, 1000, counter=True),
        Register("reactive_energy_import", _H, 3219, Code.I64, 1000, counter=True),
    ),
    {_H: ((2699, 2799), (2999, 3249))},
)

# Siemens SENTRON PAC3200: offsets of the manual are wire addresses; power W, energies float64 Wh (tariff 1)
PAC3200 = RegisterMap(
    (
        *_floats(
            _H,
            {
                "voltage_l1n": (1, 1),
                "voltage_l2n": (3, 1),
                "voltage_l3n": (5, 1),
                "current_l1": (13, 1),
                "current_l2": (15, 1),
                "current_l3": (17, 1),
                "frequency": (55, 1),
                "apparent_power": (63, 1000),
                "active_power": (65, 1000),
                "reactive_power": (67, 1000),
                "power_factor": (69, 1),
            },
        ),
        Register("energy_import", _H, 801, Code.F64, 1000),
        Register("reactive_energy_import", _H, 817, Code.F64, 1000),
    ),
    {_H: ((1, 215), (801, 841))},
)


def _sunspec_text(text: str, words: int) -> list[int]:
    raw = text.encode("ascii").ljust(2 * words, b"\0")
    return list(struct.unpack(f">{words}H", raw))


def _sunspec_fixed() -> dict[int, int]:
    common = [0x5375, 0x6E53, 1, 66]  # 'SunS', model 1 of 66 registers
    for text, words in (("Energy Center", 16), ("Simulated PV", 16), ("", 8), ("1.0", 8), ("SIM-103", 16)):
        common += _sunspec_text(text, words)
    common += [1, 0, 103, 50]  # device address, padding; model 103 of 50 registers at 40070
    fixed = dict(enumerate(common, start=40000))
    unknown = dict.fromkeys(range(40072, 40122), 0xFFFF)
    scale = {76: -1, 83: -1, 85: 1, 87: -2, 89: 1, 91: 1, 93: -2, 96: 0, 98: -1, 100: -1, 102: 1, 107: -1}
    factors = {40000 + at: exponent & 0xFFFF for at, exponent in scale.items()}
    return {**fixed, **unknown, **factors, 40122: 0xFFFF, 40123: 0}


# SunSpec model 103 (three phases) after model 1; power is positive when generating, in tens of W (W_SF 1)
SUNSPEC = RegisterMap(
    (
        Register("current_l1", _H, 40073, Code.U16, 10),
        Register("current_l2", _H, 40074, Code.U16, 10),
        Register("current_l3", _H, 40075, Code.U16, 10),
        Register("voltage_l1n", _H, 40080, Code.U16, 10),
        Register("voltage_l2n", _H, 40081, Code.U16, 10),
        Register("voltage_l3n", _H, 40082, Code.U16, 10),
        Register("active_power", _H, 40084, Code.I16, -100),
        Register("frequency", _H, 40086, Code.U16, 100),
        Register("energy_export", _H, 40094, Code.U32, 1000, counter=True),
        Register("dc_voltage", _H, 40099, Code.U16, 10),
        Register("dc_power", _H, 40101, Code.I16, 100),
        Register("cabinet_temperature", _H, 40103, Code.I16, 10),
        Register("inverter_state", _H, 40108, Code.U16),
    ),
    {_H: ((40000, 40124),)},
    fixed=_sunspec_fixed(),
)

# DSE GenComm: register = page x 256 + offset
DSE7320 = RegisterMap(
    (
        Register("coolant_temperature", _H, 4 * 256 + 1, Code.I16),
        Register("fuel_level", _H, 4 * 256 + 3, Code.U16),
        Register("battery_voltage", _H, 4 * 256 + 5, Code.U16, 10),
        Register("engine_speed", _H, 4 * 256 + 6, Code.U16),
        Register("frequency", _H, 4 * 256 + 7, Code.U16, 10),
        Register("voltage_l1n", _H, 4 * 256 + 8, Code.U32, 10),
        Register("voltage_l2n", _H, 4 * 256 + 10, Code.U32, 10),
        Register("voltage_l3n", _H, 4 * 256 + 12, Code.U32, 10),
        Register("current_l1", _H, 4 * 256 + 20, Code.U32, 10),
        Register("current_l2", _H, 4 * 256 + 22, Code.U32, 10),
        Register("current_l3", _H, 4 * 256 + 24, Code.U32, 10),
        Register("engine_state", _H, 5 * 256 + 128, Code.U16),
        Register("active_power", _H, 6 * 256, Code.I32, 1000),
        Register("run_hours", _H, 7 * 256 + 6, Code.U32, 3600, counter=True),
        Register("start_count", _H, 7 * 256 + 16, Code.U32, counter=True),
    ),
    {_H: ((1024, 1152), (1280, 1664), (1792, 1920))},
)

_IO: Ranges = {_I: ((0, 128),), _D: ((0, 128),)}


def _station(*registers: Register) -> RegisterMap:
    return RegisterMap(registers, _IO)


# Our own I/O station: tables as in the panel drawings; addresses are relative to the equipment's base
STATION_MAPS: Mapping[str, RegisterMap] = {
    "transformer": _station(
        Register("winding_temperature", _I, 0, Code.I16, 10),
        Register("load_ratio", _I, 1, Code.U16, 10),
    ),
    "ats": _station(Register("ats_position", _I, 0, Code.U16, add=1)),
    "sump": _station(
        Register("sump_level", _I, 0, Code.U16, 1000),
        Register("high_float", _D, 0, Code.BIT),
    ),
    "sump-pump": _station(
        Register("pump_status", _D, 0, Code.BIT),
        Register("fault", _D, 1, Code.BIT),
        Register("run_hours", _I, 0, Code.U32, 60, counter=True),
        Register("start_count", _I, 2, Code.U32, counter=True),
    ),
    "leak": _station(Register("leak_status", _D, 0, Code.BIT)),
    "groundwater": _station(Register("groundwater_level", _I, 0, Code.I16, 100)),
    "drain": _station(Register("drainage_level", _I, 0, Code.U16, 1000)),
    "water-meter": _station(
        Register("water_volume", _I, 0, Code.U32, 100, counter=True),
        Register("water_flow", _I, 2, Code.U16, 100),
    ),
    "gas-meter": _station(Register("gas_volume", _I, 0, Code.U32, 10, counter=True)),
    "fire-pump": _station(
        Register("pump_status", _D, 0, Code.BIT),
        Register("fault", _D, 1, Code.BIT),
        Register("fire_main_pressure", _I, 0, Code.U16),
    ),
    "fire-panel": _station(
        Register("fire_alarm", _D, 0, Code.BIT),
        Register("panel_trouble", _D, 1, Code.BIT),
    ),
    "ups": _station(
        Register("battery_charge", _I, 0, Code.U16),
        Register("runtime_remaining", _I, 1, Code.U16),
        Register("active_power", _I, 2, Code.U16, 10),
        Register("load_ratio", _I, 3, Code.U16, 10),
        Register("battery_voltage", _I, 4, Code.U16, 100),
        Register("on_battery", _D, 0, Code.BIT),
    ),
    "lift": _station(
        Register("lift_status", _I, 0, Code.U16),
        Register("lift_floor", _I, 1, Code.I16),
        Register("trip_count", _I, 2, Code.U32, counter=True),
        Register("fault", _D, 0, Code.BIT),
    ),
    "ev": _station(
        Register("charger_state", _I, 0, Code.U16),
        Register("active_power", _I, 1, Code.U32, 1000),
        Register("energy_import", _I, 3, Code.U32, 1000, counter=True),
    ),
}

REGISTER_MAPS: Mapping[str, RegisterMap] = {
    "sdm630": SDM630,
    "pm5560": PM5560,
    "pac3200": PAC3200,
    "pv": SUNSPEC,
    "gen": DSE7320,
    **STATION_MAPS,
}
