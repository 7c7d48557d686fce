"""Energy use intensity: kWh per m² and year, and per head; shares of water and photovoltaics.

EUI as Taiwan's agencies report it: the year's electricity over the floor area (kWh/m²·yr).
"""

from dataclasses import dataclass

from energy_center.analysis.insufficient import Insufficient

YEAR_DAYS = 365.25
LEAST_DAYS = 28.0  # below which a year is not reckoned from a part of it
WHOLE_YEAR_DAYS = 365.0
_WHOLE = 0.99  # of the time: less is scaled up visibly


@dataclass(frozen=True, slots=True)
class Intensity:
    """`per_m2_year` in kWh/m²·yr, `per_head_year` in kWh a person and year; None where nobody is counted.

    `is_scaled` says that the period is not a whole year and was scaled by days, seasons and all.
    """

    per_m2_year: float
    per_head_year: float | None
    days: float
    coverage: float
    is_scaled: bool


def intensity(
    energy_kwh: float | None, coverage: float, days: float, area_m2: float | None, heads: float | None = None
) -> Intensity | Insufficient:
    """The intensity of a period of `days`; energy that is not covered is scaled up by the coverage.

    Insufficient without energy or area, with fewer than 28 days, or with less than half of them covered.
    """
    reasons = list[str]()
    if energy_kwh is None:
        reasons.append("no energy was measured")
    if not area_m2 or area_m2 <= 0:
        reasons.append("no floor area is given")
    if days < LEAST_DAYS:
        reasons.append(f"{days:.0f} days, {LEAST_DAYS:.0f} needed")
    if coverage < 0.5:  # noqa: PLR2004 a half
        reasons.append(f"{coverage:.0%} of the time was measured, 50 % needed")
    if reasons or energy_kwh is None or not area_m2:
        return Insufficient(tuple(reasons))
    is_scaled = days < WHOLE_YEAR_DAYS or coverage < _WHOLE
    year_kwh = energy_kwh / coverage * (YEAR_DAYS / days if abs(days - YEAR_DAYS) > 1 else 1.0)
    return Intensity(year_kwh / area_m2, year_kwh / heads if heads else None, days, coverage, is_scaled)


@dataclass(frozen=True, slots=True)
class SelfConsumption:
    """Of photovoltaics, kWh: `used_kwh` on the site; shares 0..1 of generation and of the site's demand."""

    generated_kwh: float
    exported_kwh: float
    used_kwh: float
    of_generation: float | None
    of_demand: float | None


def self_consumption(generated_kwh: float, exported_kwh: float, imported_kwh: float) -> SelfConsumption:
    """What of the generation was used on the site: generation less export, never less than nothing."""
    used = max(generated_kwh - exported_kwh, 0.0)
    demand = imported_kwh + used
    return SelfConsumption(
        generated_kwh,
        exported_kwh,
        used,
        used / generated_kwh if generated_kwh > 0 else None,
        used / demand if demand > 0 else None,
    )


def rainwater_share(rain_m3: float, mains_m3: float) -> float | None:
    """Share 0..1 of the water used that fell as rain; None where none was used."""
    used = rain_m3 + mains_m3
    return rain_m3 / used if used > 0 else None
