"""What a saving is worth: the bills before less the bills after, by the tariff's own engine."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from energy_center.analysis.carbon import emission
from energy_center.suggestions.history import Billing, Floats, History
from energy_center.tariffs.bill import bill_series
from energy_center.tariffs.bill_model import Bill
from energy_center.tariffs.measure import Measured, measured

_SAME_KWH = 1e-9


def bills(billing: Billing, series: Measured | None = None) -> list[Bill]:
    """The bill of each month, of the past or of a series instead of it."""
    held = billing.series if series is None else series
    return [
        bill_series(billing.tariff, billing.account, period, held, pf)
        for period, pf in zip(billing.periods, billing.power_factors, strict=True)
    ]


def total(made: Sequence[Bill]) -> float:
    """Their sum in the tariff's currency."""
    return float(sum((bill.exact for bill in made), Decimal(0)))


class Pricer:
    """Prices changes of a year against its bills, each month that does not change only once."""

    def __init__(self, history: History, billing: Billing) -> None:
        self._billing = billing
        self._months = history.months
        self._start_s = history.start_s
        self._before = [float(bill.exact) for bill in bills(billing)]

    @property
    def before_ntd(self) -> float:
        """The year's bills as they are."""
        return sum(self._before)

    def saved_ntd(self, less_kwh: Floats) -> float:
        """What the year's bills fall by when `less_kwh` a quarter-hour is not used (negative: is used)."""
        changed = _less(self._billing.series, self._start_s, less_kwh)
        saved = 0.0
        touched = set(np.unique(self._months[np.abs(less_kwh) > _SAME_KWH]).tolist())
        for period, pf, before in zip(
            self._billing.periods, self._billing.power_factors, self._before, strict=True
        ):
            if period.first.year * 12 + period.first.month - 1 not in touched:
                continue
            bill = bill_series(self._billing.tariff, self._billing.account, period, changed, pf)
            saved += before - float(bill.exact)
        return saved


def _less(series: Measured, start_s: np.ndarray, less_kwh: Floats) -> Measured:
    """The series with less; never below nothing. Quarter-hours outside of `start_s` stay."""
    place = np.searchsorted(series.start_s, start_s)
    inside = (place < len(series.start_s)) & (
        series.start_s[np.minimum(place, len(series.start_s) - 1)] == start_s
    )
    energy = series.energy.copy()
    energy[place[inside]] = np.maximum(energy[place[inside]] - less_kwh[inside], 0.0)
    changed = measured(series.start_s, energy, series.coverage, step_s=series.step_s)
    return replace(changed, coverage=series.coverage)


def carbon_kg(history: History, less_kwh: Floats) -> float:
    """Kg CO2 of energy not used, by the factor of the year of each quarter-hour."""
    years = history.years
    by_year = {int(y): float(np.sum(less_kwh[years == y])) for y in np.unique(years)}
    return emission(by_year, history.factors).kg
