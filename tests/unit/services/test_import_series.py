"""Numbers of intervals as readings: shifted to their start, summed into a register, or made into power."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_center.domain.quantities import Role
from energy_center.domain.site import Point
from energy_center.errors import ConfigError
from energy_center.services.import_series import Holds, Series, to_rows
from energy_center.services.meter_csv.model import Stamp

REGISTER = Point("main", "energy_import", Role.ENERGY_IMPORT, 900.0)
POWER = Point("main", "active_power", Role.ACTIVE_POWER, 900.0)
STATE = Point("ups", "on_battery", Role.ON_BATTERY, 900.0)
START_S = 1_800_000_000.0


def series(
    point: Point, values: list[float], holds: Holds, stamp: Stamp = Stamp.START, at: list[int] | None = None
) -> Series:
    at_s = START_S + 900.0 * np.array(range(len(values)) if at is None else at, dtype=np.float64)
    return Series(
        point, np.arange(len(values)) + 2, at_s, np.array(values, dtype=np.float64), holds, 900.0, stamp
    )


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=60),
    st.integers(0, 10**6),
    st.sampled_from(Stamp),
    st.randoms(use_true_random=False),
)
def test_steps_of_the_register_are_the_energies_whatever_the_order_of_lines(
    energies: list[int], register: int, stamp: Stamp, rng
) -> None:
    order = list(range(len(energies)))
    rng.shuffle(order)
    rows = to_rows(
        series(REGISTER, [energies[i] for i in order], Holds.ENERGY, stamp, order), float(register)
    )
    assert np.diff(rows.value).tolist() == energies
    assert rows.value[0] == register
    first = START_S - (900.0 if stamp is Stamp.END else 0.0)
    assert rows.at_us.tolist() == [round((first + 900.0 * n) * 1e6) for n in range(len(energies) + 1)]


def test_energy_of_an_interval_is_its_mean_power_and_gaps_stay() -> None:
    rows = to_rows(series(POWER, [1.0, 2.5], Holds.ENERGY, at=[0, 4]))
    assert rows.value.tolist() == [4.0, 10.0]  # kWh in a quarter of an hour, so kW times four
    assert np.diff(rows.at_us).tolist() == [3_600_000_000]


def test_mean_is_stamped_at_its_start_and_a_sample_at_its_own_time() -> None:
    mean = to_rows(series(POWER, [7.0], Holds.MEAN, Stamp.END))
    sample = to_rows(series(POWER, [7.0], Holds.SAMPLE, Stamp.END))
    assert mean.at_us.tolist() == [round((START_S - 900) * 1e6)]
    assert sample.at_us.tolist() == [round(START_S * 1e6)]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (series(REGISTER, [1, 1, 1], Holds.ENERGY, at=[0, 1, 3]), "nothing from .*line 4"),
        (series(REGISTER, [1, 1, 1], Holds.ENERGY, at=[0, 1, 1]), "line 4 is given twice"),
        (series(REGISTER, [1, -1, 1], Holds.ENERGY), "line 3 is negative"),
        (series(REGISTER, [1], Holds.MEAN), "a mean is of a gauge"),
        (series(STATE, [1], Holds.ENERGY), "go into counters or power"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(wrong: Series, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        to_rows(wrong)
