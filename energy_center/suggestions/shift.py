"""Energy of a meter moved to other hours of the same local day."""

import numpy as np

from energy_center.suggestions.history import QUARTER_H, Floats, History, Mask
from energy_center.suggestions.measure import Move


def move_within_day(
    history: History,
    meter_id: str,
    taken_in: Mask,
    given_in: Mask,
    share: float,
    loss: float = 0.0,
    power_kw: Floats | None = None,
) -> Move:
    """Take a share of what is used in `taken_in`, give it evenly to the day's `given_in` with `loss` more.

    A day without an hour to give to keeps what it has.
    """
    power = history.power_kw[meter_id] if power_kw is None else power_kw
    count = len(history.days)
    slots = np.bincount(history.day_of[given_in], minlength=count)
    possible = slots[history.day_of] > 0
    taken: Floats = np.where(taken_in & possible, np.nan_to_num(power) * QUARTER_H * share, 0.0)
    of_day = np.bincount(history.day_of, weights=taken, minlength=count)
    each = np.divide(of_day, slots, out=np.zeros(count), where=slots > 0) * (1.0 + loss)
    given: Floats = np.where(given_in, each[history.day_of], 0.0)
    return Move(meter_id, taken, given)
