"""Conversion between units of one dimension, by UCUM code, and the few other spellings that manuals print.

All conversions are linear: `to = from * factor + offset`. Two different dimensions are an error.
"""

from dataclasses import dataclass


class UnitMismatch(ValueError):
    """A unit is unknown, or two units measure different things."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`y = x * factor + offset`."""

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, x: float) -> float:
        """Apply the line to one number."""
        return x * self.factor + self.offset

    def then(self, after: "Linear") -> "Linear":
        """The line that applies this one first and `after` second."""
        return Linear(self.factor * after.factor, self.offset * after.factor + after.offset)


# dimension -> unit -> (factor, offset) to the dimension's first unit
_DIMENSIONS: dict[str, dict[str, tuple[float, float]]] = {
    "active power": {"W": (1, 0), "kW": (1e3, 0), "MW": (1e6, 0), "[HP]": (745.6998715822702, 0)},
    "reactive power": {"var": (1, 0), "kvar": (1e3, 0), "Mvar": (1e6, 0)},
    "apparent power": {"VA": (1, 0), "kVA": (1e3, 0), "MVA": (1e6, 0)},
    "active energy": {
        "W.h": (1, 0),
        "kW.h": (1e3, 0),
        "MW.h": (1e6, 0),
        "J": (1 / 3600, 0),
        "kJ": (1 / 3.6, 0),
        "MJ": (1e3 / 3.6, 0),
        "GJ": (1e6 / 3.6, 0),
    },
    "reactive energy": {"var.h": (1, 0), "kvar.h": (1e3, 0), "Mvar.h": (1e6, 0)},
    "apparent energy": {"VA.h": (1, 0), "kVA.h": (1e3, 0), "MVA.h": (1e6, 0)},
    "voltage": {"V": (1, 0), "mV": (1e-3, 0), "kV": (1e3, 0)},
    "current": {"A": (1, 0), "mA": (1e-3, 0), "kA": (1e3, 0)},
    "temperature": {
        "Cel": (1, 0),
        "K": (1, -273.15),
        "[degF]": (5 / 9, -160 / 9),
    },
    "pressure": {
        "Pa": (1, 0),
        "hPa": (100, 0),
        "kPa": (1e3, 0),
        "MPa": (1e6, 0),
        "mbar": (100, 0),
        "bar": (1e5, 0),
        "[psi]": (6894.757293168361, 0),
        "m[H2O]": (9806.65, 0),
        "mm[H2O]": (9.80665, 0),
        "[in_i'H2O]": (249.08891, 0),
        "kg/cm2": (98066.5, 0),
    },
    "volume": {
        "m3": (1, 0),
        "L": (1e-3, 0),
        "mL": (1e-6, 0),
        "[gal_us]": (3.785411784e-3, 0),
        "[cft_i]": (0.028316846592, 0),
    },
    "volume flow": {
        "m3/h": (1, 0),
        "m3/min": (60, 0),
        "m3/s": (3600, 0),
        "L/h": (1e-3, 0),
        "L/min": (0.06, 0),
        "L/s": (3.6, 0),
        "[gal_us]/min": (0.2271247070400, 0),
        "[cft_i]/min": (1.69901079552, 0),
    },
    "length": {"m": (1, 0), "cm": (1e-2, 0), "mm": (1e-3, 0), "[ft_i]": (0.3048, 0), "[in_i]": (0.0254, 0)},
    "speed": {"m/s": (1, 0), "km/h": (1 / 3.6, 0)},
    "rain rate": {"mm/h": (1, 0)},
    "time": {"s": (1, 0), "ms": (1e-3, 0), "min": (60, 0), "h": (3600, 0), "d": (86400, 0)},
    "rate": {"Hz": (1, 0), "/min": (1 / 60, 0), "/s": (1, 0), "mHz": (1e-3, 0)},
    "ratio": {"1": (1, 0), "%": (1e-2, 0), "[ppth]": (1e-3, 0), "[ppm]": (1e-6, 0), "[ppb]": (1e-9, 0)},
    "data": {"By": (1, 0), "kBy": (1e3, 0), "MBy": (1e6, 0), "GBy": (1e9, 0)},
    "irradiance": {"W/m2": (1, 0), "kW/m2": (1e3, 0)},
}

# what manuals print -> UCUM
_SPELLINGS: dict[str, str] = {
    "": "1",
    "Wh": "W.h",
    "kWh": "kW.h",
    "MWh": "MW.h",
    "varh": "var.h",
    "kvarh": "kvar.h",
    "kVAh": "kVA.h",
    "degC": "Cel",
    "°C": "Cel",
    "degF": "[degF]",
    "°F": "[degF]",
    "l": "L",
    "l/s": "L/s",
    "l/min": "L/min",
    "rpm": "/min",
    "ppm": "[ppm]",
    "psi": "[psi]",
    "mH2O": "m[H2O]",
    "gal": "[gal_us]",
    "cfm": "[cft_i]/min",
}

_UNITS: dict[str, tuple[str, float, float]] = {
    unit: (dimension, factor, offset)
    for dimension, units in _DIMENSIONS.items()
    for unit, (factor, offset) in units.items()
}


def ucum(unit: str) -> str:
    """The UCUM code of a unit as a manual prints it; raises UnitMismatch when it is not known."""
    code = _SPELLINGS.get(unit, unit)
    if code not in _UNITS:
        raise UnitMismatch(f"unknown unit '{unit}'")
    return code


def same_dimension(unit: str) -> tuple[str, ...]:
    """All units that can be converted to this one."""
    return tuple(_DIMENSIONS[_UNITS[ucum(unit)][0]])


def conversion(from_unit: str, to_unit: str) -> Linear:
    """The line from one unit to another; raises UnitMismatch across dimensions (kW is not kvar)."""
    source, factor, offset = _UNITS[ucum(from_unit)]
    target, to_factor, to_offset = _UNITS[ucum(to_unit)]
    if source != target:
        raise UnitMismatch(f"'{from_unit}' is {source}, '{to_unit}' is {target}")
    if from_unit == to_unit:
        return Linear()
    return Linear(factor / to_factor, (offset - to_offset) / to_factor)
