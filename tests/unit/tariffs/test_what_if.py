"""Photovoltaics and a battery on measured intervals: energy is kept, limits hold, nothing saves nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.errors import Invalid
from energy_center.services.tariff_catalogue import tariff
from energy_center.services.what_if import Setup, aligned, reckon_what_if
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract
from energy_center.tariffs.measure import Measured, measured
from energy_center.tariffs.what_if import Battery, Terms, run_battery, terms_of, with_battery, with_generation

TOU3 = tariff("taipower-hv-tou3")
JULY = BillingPeriod(date(2026, 7, 1), date(2026, 7, 31))
ACCOUNT = Account((Contract(date(2026, 1, 1), {"regular": Decimal(600)}),))
START = int(datetime(2026, 6, 30, 16, tzinfo=UTC).timestamp())
QUARTERS = 31 * 96


def july(load_kw: float | np.ndarray = 400.0) -> Measured:
    starts = START + 900 * np.arange(QUARTERS)
    return measured(starts, np.broadcast_to(np.asarray(load_kw, dtype=float) / 4, QUARTERS).copy())


days = st.lists(st.one_of(st.floats(0, 1000), st.just(float("nan"))), min_size=96, max_size=96).map(np.array)
batteries = st.builds(
    Battery,
    st.floats(0, 2000),
    st.floats(0, 500),
    st.floats(0.5, 1.0),
    st.one_of(st.none(), st.floats(0, 900)),
)


def a_day(limit_kw: float, prices: tuple[float, ...] = (2.5, 5.85, 9.39, 5.85)) -> Terms:
    """Off-peak to 9, half-peak to 16, peak to 22, half-peak."""
    price = np.repeat(prices, [36, 28, 24, 8]).astype(float)
    return Terms(price, np.full(96, limit_kw), (0, 96))


@settings(max_examples=40)
@given(days, batteries, st.floats(0, 900))
def test_the_battery_keeps_its_energy_its_power_and_the_limit(load, battery: Battery, limit_kw: float):
    run = run_battery(load, 0.25, a_day(limit_kw), battery)
    one_way = battery.round_trip**0.5
    balance = np.cumsum(run.charged) * one_way - np.cumsum(run.discharged) / one_way
    assert run.held == pytest.approx(balance, abs=1e-6)
    assert np.all(run.held >= -1e-6)
    assert np.all(run.held <= battery.energy_kwh + 1e-6)
    assert np.all(run.charged * 4 <= battery.power_kw + 1e-6)
    assert np.all(run.discharged * 4 <= battery.power_kw + 1e-6)
    assert not np.any((run.charged > 0) & (run.discharged > 0))
    known = ~np.isnan(load)
    after = (load + (run.charged - run.discharged) * 4)[known]
    assert np.all(after >= -1e-6)  # nothing is sold
    limit = min(limit_kw, battery.shave_to_kw if battery.shave_to_kw is not None else limit_kw)
    assert np.all(after <= np.maximum(load[known], limit) + 1e-6)
    assert not np.any(run.charged[~known])
    assert not np.any(run.discharged[~known])


@settings(max_examples=40)
@given(days, batteries)
def test_one_price_all_day_leaves_a_battery_only_shaving(load, battery: Battery):
    run = run_battery(load, 0.25, a_day(np.inf, (3.0,) * 4), Battery(battery.energy_kwh, battery.power_kw))
    assert not np.any(run.charged)
    assert not np.any(run.discharged)


def test_a_day_worked_by_hand():
    """400 kWh, 100 kW, no loss: full by 04:00, held through the half-peak for the six peak hours at 9.39.

    6 h x 100 kW = 600 kWh could be given, 400 are; charged 400 x 2.5 = 1,000, spared 400 x 9.39 = 3,756.
    """
    run = run_battery(np.full(96, 300.0), 0.25, a_day(500.0), Battery(400, 100, 1.0))
    assert run.held[15] == pytest.approx(400)  # 04:00
    assert run.held[63] == pytest.approx(400)  # 16:00
    assert np.sum(run.discharged[64:88]) == pytest.approx(400)
    assert np.sum(run.discharged) == pytest.approx(400)


def test_what_exceeds_the_contract_is_shaved_before_anything_is_earned():
    """From 20:00 to 21:00 300 kW above 500: the 100 kWh that power allows is kept for it."""
    load = np.full(96, 300.0)
    load[80:84] = 800.0
    run = run_battery(load, 0.25, a_day(500.0), Battery(100, 100, 1.0))
    after = load + (run.charged - run.discharged) * 4
    assert after[80:84] == pytest.approx(np.full(4, 700.0))
    assert np.sum(run.discharged) == pytest.approx(100)


def test_loss_can_make_a_price_difference_worthless():
    run = run_battery(np.full(96, 300.0), 0.25, a_day(500.0, (2.5, 2.8, 2.9, 2.8)), Battery(400, 100, 0.8))
    assert not np.any(run.charged)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 500), min_size=96, max_size=96), st.floats(0, 400))
def test_generation_is_used_or_left_over(loads: list[float], generated_kwh: float):
    starts = START + 900 * np.arange(96)
    series = measured(starts, np.array(loads) / 4)
    after, used, left_over = with_generation(series, np.full(96, generated_kwh))
    assert used + left_over == pytest.approx(96 * generated_kwh, abs=1e-6)
    assert np.sum(series.energy) - np.sum(after.energy) == pytest.approx(used, abs=1e-6)
    assert np.all(after.energy >= 0)


def test_generation_that_is_not_known_leaves_the_interval_unknown():
    generated = np.full(QUARTERS, 10.0)
    generated[:96] = np.nan
    after, used, _ = with_generation(july(), generated)
    assert np.all(after.coverage[:96] == 0)
    assert used == pytest.approx(10.0 * (QUARTERS - 96))


def test_a_size_of_nothing_saves_nothing():
    for setup in (
        Setup(),
        Setup(0.0, Battery(0, 0)),
        Setup(0.0, Battery(500, 0)),
        Setup(0.0, Battery(0, 500)),
    ):
        found = reckon_what_if(TOU3, ACCOUNT, [JULY], july(), [None], setup)
        assert found.saving == 0
        assert found.payback_years is None


def test_a_month_with_photovoltaics_and_pay_back():
    """100 kWh of every weekday quarter-hour from 16:00 to 22:00: 23 days x 24 x 100 x 9.39 = 518,328.00.

    July 2026 has 23 weekdays, none off-peak; the demand is within the contract before and after.
    """
    local_hours = (np.arange(QUARTERS) % 96) / 4
    weekday = (np.arange(QUARTERS) // 96 + 2) % 7 < 5  # the 1st is a Wednesday
    generated = np.where(weekday & (local_hours >= 16) & (local_hours < 22), 1.0, 0.0)
    setup = Setup(100.0, None, Decimal(60_000))
    found = reckon_what_if(TOU3, ACCOUNT, [JULY], july(), [None], setup, generated)
    assert found.saving == Decimal(518_328)
    assert found.saving_per_year == round(Decimal(518_328) * 365 / 31)
    assert found.cost == 6_000_000
    assert found.payback_years == Decimal("1.0")
    assert (found.used_kwh, found.left_over_kwh) == (pytest.approx(55_200), pytest.approx(0))


def test_a_month_of_a_battery_is_billed_by_the_same_engine():
    """400 kWh a weekday from 2.53 to 9.39 without loss: 23 x 400 x 6.86 = 63,112.00."""
    found = reckon_what_if(TOU3, ACCOUNT, [JULY], july(), [None], Setup(0.0, Battery(400, 100, 1.0)))
    saturdays = 4 * 400 * Decimal("0.07")  # 2.60 less 2.53
    assert found.saving == pytest.approx(Decimal(63_112) + saturdays, abs=1)
    assert found.charged_kwh == pytest.approx(found.discharged_kwh, abs=401)


@settings(max_examples=40)
@given(st.floats(0, 3000), st.floats(0, 800), st.floats(0.6, 1.0))
def test_a_battery_within_the_contract_never_costs(energy_kwh: float, power_kw: float, round_trip: float):
    short = BillingPeriod(date(2026, 7, 1), date(2026, 7, 2))
    series = measured(START + 900 * np.arange(192), np.full(192, 100.0))
    found = reckon_what_if(
        TOU3, ACCOUNT, [short], series, [None], Setup(0.0, Battery(energy_kwh, power_kw, round_trip))
    )
    # what is left in the battery at the end was paid for
    assert found.saving >= -Decimal(str(energy_kwh)) * Decimal("3.3") - 1


def test_prices_and_limits_are_those_of_the_bill():
    terms = terms_of(TOU3, ACCOUNT, [JULY], july())
    assert len(terms.day_edges) == 32
    assert sorted(set(terms.price[:96])) == [2.53, 5.85, 9.39]
    assert set(terms.limit_kw) == {600.0}
    after, run = with_battery(july(), terms, Battery(400, 100))
    assert np.nanmax(after.demand_kw) == pytest.approx(500)
    assert np.sum(after.energy) == pytest.approx(np.sum(july().energy) + np.sum(run.charged - run.discharged))


def test_a_profile_is_laid_on_the_same_quarter_hours_only():
    profile = measured([START + 900, START + 1800], [5.0, 6.0], [1.0, 0.5])
    found = aligned(profile, july())
    assert found[1] == 5.0
    assert np.isnan(found[0])
    assert np.isnan(found[2])  # half of it is not known
    assert np.isnan(found[3:]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Battery(-1, 1), "0 or more"),
        (lambda: Battery(1, 1, 1.2), "at most 1"),
        (lambda: Setup(-1), "0 kWp or more"),
        (
            lambda: reckon_what_if(TOU3, ACCOUNT, [JULY], july(), [None], Setup(5)),
            "no generation was measured",
        ),
        (
            lambda: reckon_what_if(
                TOU3, ACCOUNT, [JULY], july(), [None], Setup(5), np.full(QUARTERS, np.nan)
            ),
            "None of these months",
        ),
    ],
)
def test_what_cannot_be_is_said(make, message: str):
    with pytest.raises(Invalid, match=message):
        make()
