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
}
_KEPT = ("kW.h", "kW", "kvar.h", "kvar", "m3")  # one of each dimension
_BRACKET = re.compile(r"[(\[{<](.*?)[)\]}>]")
_WORD = re.compile(r"[^\s,/_\-:;()\[\]{}<>]+")


def unit_of(heading: str) -> str | None:
    """The unit named in a heading such as `用電量(度)`, `Energy [kWh]` or `power_kw`; None without one."""
    text = unicodedata.normalize("NFKC", heading).lower()
    for part in [*_BRACKET.findall(text), *reversed(_WORD.findall(text))]:
        found = _PRINTED.get(part.strip().replace(".", ""))
        if found is not None:
            return found
    return None


def to_kept(printed: str) -> tuple[str, float]:
    """The unit in which values are kept, and the factor to it; raises UnitMismatch for a unit of no use."""
    unit = unit_of(printed) or ucum(printed)
    for kept in _KEPT:
        try:
            return kept, conversion(unit, kept).factor
        except UnitMismatch:
            continue
    raise UnitMismatch(f"'{printed}' is no energy, power or volume")
