"""Units as headings print them, in both languages."""

import re
import unicodedata

from energy_center.domain.units import UnitMismatch, conversion, ucum

# what is printed, in lower case -> UCUM
_PRINTED = {
    "kwh": "kW.h",
    "mwh": "MW.h",
    "wh": "W.h",
    "度": "kW.h",
    "千瓦時": "kW.h",
    "仟瓦小時": "kW.h",
    "千瓦小時": "kW.h",
    "瓩時": "kW.h",
    "kw": "kW",
    "mw": "MW",
    "w": "W",
    "瓩": "kW",
    "千瓦": "kW",
    "kvarh": "kvar.h",
    "varh": "var.h",
    "kvar": "kvar",
    "m3": "m3",
    "m³": "m3",
    "立方公尺": "m3",
    "°c": "Cel",
    "degc": "Cel",
    "celsius": "Cel",
    "攝氏": "Cel",
    "°f": "[degF]",
    "degf": "[degF]",
    "fahrenheit": "[degF]",
    "華氏": "[degF]",
}
_KEPT = ("kW.h", "kW", "kvar.h", "kvar", "m3", "Cel")  # one of each dimension
TEMPERATURE = re.compile(r"氣溫|溫度|temperature|temp\b|temp_|dry.?bulb", re.I)
_DEGREES = {"c": "Cel", "f": "[degF]", "k": "K"}  # letters that name a unit where a heading says temperature
_BRACKET = re.compile(r"[(\[{<](.*?)[)\]}>]")
_WORD = re.compile(r"[^\s,/_\-:;()\[\]{}<>]+")


def unit_of(heading: str) -> str | None:
    """The unit named in a heading such as `用電量(度)`, `Energy [kWh]` or `power_kw`; None without one."""
    text = unicodedata.normalize("NFKC", heading).lower()
    for part in [*_BRACKET.findall(text), *reversed(_WORD.findall(text))]:
        found = _PRINTED.get(part.strip().replace(".", ""))
        if found is not None:
            return found
    if TEMPERATURE.search(text):
        return next((unit for name, unit in _DEGREES.items() if name in _WORD.findall(text)), None)
    return None


def to_kept(printed: str) -> tuple[str, float, float]:
    """The unit in which values are kept, with factor and offset to it.

    Raises UnitMismatch for one of no use.
    """
    unit = unit_of(printed) or ucum(printed)
    for kept in _KEPT:
        try:
            line = conversion(unit, kept)
        except UnitMismatch:
            continue
        return kept, line.factor, line.offset
    raise UnitMismatch(f"'{printed}' is no energy, power, volume or temperature")
