"""On which days the utility may have read the meter, when its energy is not that of our period."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.timeline import midnight
from energy_center.tariffs.bill_model import BillingPeriod
from energy_center.tariffs.check_bill import SAME
from energy_center.tariffs.measure import Measured

MOST_SHIFT = 7  # days that a reading may be early or late


def find_reading_days(
    period: BillingPeriod, series: Measured, energy: Decimal, zone: ZoneInfo
) -> BillingPeriod | None:
    """The period nearest to the given one whose energy is the utility's, None where no shift agrees."""
    shifts = range(-MOST_SHIFT, MOST_SHIFT + 1)
    found: list[tuple[int, float, BillingPeriod]] = []
    for first in shifts:
        for last in shifts:
            moved = replace(
                period, first=period.first + timedelta(days=first), last=period.last + timedelta(days=last)
            )
            apart = abs(_energy(moved, series, zone) / float(energy) - 1.0) if energy else 1.0
            if apart <= float(SAME):
                found.append((abs(first) + abs(last), apart, moved))
    return min(found, key=lambda f: f[:2])[2] if found else None


def _energy(period: BillingPeriod, series: Measured, zone: ZoneInfo) -> float:
    bounds = [midnight(on, zone).timestamp() for on in (period.first, period.end)]
    low, high = np.searchsorted(series.start_s, bounds)
    return float(np.nansum(series.energy[low:high]))
