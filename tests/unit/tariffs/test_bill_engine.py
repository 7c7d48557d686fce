"""The bill from intervals: what is missing is named, what cannot be is refused, order changes nothing."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.domain.timeline import midnight
from energy_center.errors import Invalid, NotFound
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill import bill_series, bill_uses
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod, Contract, NoteKind, Use
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.measure import Measured, measured, use_of
from energy_center.tariffs.power_factor import average_power_factor
from energy_center.tariffs.split_period import split_period

TOU3 = tariff("taipower-hv-tou3")
JULY = BillingPeriod(date(2026, 7, 1), date(2026, 7, 31))
QUARTER = 900


def account(**kw: float) -> Account:
    kw = kw or {"regular": 1000}
    return Account((Contract(date(2026, 1, 1), {k: Decimal(str(v)) for k, v in kw.items()}),))


def steady(period: BillingPeriod, kw: float, zone: ZoneInfo = TOU3.editions[-1].zone) -> Measured:
    """The same power all through a period."""
    start, end = (round(midnight(on, zone).timestamp()) for on in (period.first, period.end))
    starts = np.arange(start, end, QUARTER)
    return measured(starts, np.full(len(starts), kw / 4))


def kinds(bill: Bill) -> set[NoteKind]:
    return {note.kind for note in bill.notes}


def at(series: Measured, text: str) -> int:
    """The row of a local time in Taipei."""
    stamp = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Taipei")).timestamp()
    return int(np.searchsorted(series.start_s, stamp))


def test_a_steady_july_is_its_hours_times_its_prices():
    """July 2026: 23 weekdays, 4 Saturdays, 4 Sundays, none of them listed as off-peak.

    Peak 23 x 6 = 138 h, half-peak 23 x 9 = 207 h, Saturday 4 x 15 = 60 h, off-peak 744 - 405 = 339 h.
    """
    bill = bill_series(TOU3, account(), JULY, steady(JULY, 100.0))
    energy = {line.key: line.quantity for line in bill.lines if line.kind is LineKind.ENERGY}
    assert energy == {"peak": 13800, "half_peak": 20700, "saturday_half_peak": 6000, "off_peak": 33900}
    assert bill.coverage == 1.0
    assert not bill.is_provisional
    assert bill.uses[0].demand_kw["peak"] == 100


def test_a_gap_makes_the_bill_provisional_and_is_named():
    series = steady(JULY, 100.0)
    first, last = at(series, "2026-07-10T09:00"), at(series, "2026-07-10T19:00")
    keep = np.ones(len(series.start_s), dtype=bool)
    keep[first:last] = False
    gap = measured(series.start_s[keep], series.energy[keep])
    bill = bill_series(TOU3, account(), JULY, gap)
    assert bill.is_provisional
    (span,) = bill.missing
    assert span.start == datetime(2026, 7, 10, 1, tzinfo=UTC)
    assert span.hours == 10.0
    (note,) = [n for n in bill.notes if n.kind is NoteKind.PROVISIONAL]
    assert note.facts == {
        "coverage": "98.7%",  # 734 of 744 h
        "spans": "1",
        "first": "2026-07-10T09:00+08:00",
        "hours": "10.00",
    }


def test_a_quarter_hour_without_reading_may_hold_the_peak_though_the_bill_is_final():
    series = steady(JULY, 100.0)
    keep = np.ones(len(series.start_s), dtype=bool)
    keep[at(series, "2026-07-10T14:00")] = False
    bill = bill_series(TOU3, account(), JULY, measured(series.start_s[keep], series.energy[keep]))
    assert not bill.is_provisional
    notes = {n.kind: n.facts for n in bill.notes}
    assert notes[NoteKind.PEAK_OF_MEASURED] == {"hours": "0.25", "spans": "1"}
    whole = bill_series(TOU3, account(), JULY, series)
    assert NoteKind.PEAK_OF_MEASURED not in {n.kind for n in whole.notes}


def test_a_known_gap_and_an_absent_row_are_the_same():
    series = steady(JULY, 100.0)
    unknown = series.energy.copy()
    unknown[100:140] = np.nan
    keep = np.ones(len(unknown), dtype=bool)
    keep[100:140] = False
    told = bill_series(TOU3, account(), JULY, measured(series.start_s, unknown))
    absent = bill_series(TOU3, account(), JULY, measured(series.start_s[keep], series.energy[keep]))
    assert told.total == absent.total
    assert told.missing == absent.missing


def test_a_partly_measured_interval_counts_its_energy_not_its_demand():
    series = steady(JULY, 100.0)
    shares = np.ones(len(series.start_s))
    energy = series.energy.copy()
    row = at(series, "2026-07-10T17:00")
    energy[row], shares[row] = 400.0, 0.5  # 1,600 kW if it were whole
    bill = bill_series(TOU3, account(), JULY, measured(series.start_s, energy, shares))
    assert bill.uses[0].demand_kw["peak"] == 100
    assert bill.uses[0].energy["peak"] == 13800 + 375


def test_nothing_measured_is_not_zero_use():
    bill = bill_series(TOU3, account(), JULY, measured([], []))
    assert bill.coverage == 0.0
    assert NoteKind.ZERO_USE not in kinds(bill)
    assert bill.total == 223_600  # the whole basic charge of 1,000 kW


def test_a_month_of_zeros_is_zero_use():
    bill = bill_series(TOU3, account(), JULY, steady(JULY, 0.0))
    assert NoteKind.ZERO_USE in kinds(bill)
    assert bill.total == 111_800


def test_energy_without_known_demand_says_that_over_contract_cannot_be_judged():
    segments = split_period(TOU3, account(), JULY)
    bill = bill_uses(account(), JULY, segments, [Use({"peak": Decimal(100)})])
    assert NoteKind.NO_DEMAND in kinds(bill)
    assert bill.sum_of(LineKind.OVER_CONTRACT) == 0


def test_more_than_twice_the_contract_is_reckoned_and_pointed_out():
    """2,500 kW on 1,000: 100 x 223.60 x 2 + 1,400 x 223.60 x 3 = 44,720 + 939,120."""
    bill = bill_series(TOU3, account(), JULY, steady(JULY, 2500.0))
    assert bill.sum_of(LineKind.OVER_CONTRACT) == Decimal("983840.00")
    assert NoteKind.OVER_TWICE in kinds(bill)


def test_what_is_unsure_is_said():
    small = bill_series(TOU3, account(regular=80), JULY, steady(JULY, 10.0))
    assert {NoteKind.NO_POWER_FACTOR, NoteKind.BELOW_LEAST} <= kinds(small)
    may = BillingPeriod(date(2026, 5, 1), date(2026, 5, 31))
    assert NoteKind.SPLIT in kinds(bill_series(TOU3, account(), may, steady(may, 10.0)))
    water = tariff("taiwan-water")
    bill = bill_series(water, Account(), JULY, measured([], [], step_s=3600))
    assert NoteKind.UNCONFIRMED in kinds(bill)


@pytest.mark.parametrize(
    ("period", "message"),
    [
        (("2025-09-01", "2025-10-31"), "covers 30 of 61 days, 2025-09-01 to 2025-09-30"),
        (("2023-03-15", "2023-04-14"), "covers 14 of 31 days, 2023-04-01 to 2023-04-14"),
    ],
)
def test_days_without_an_edition_are_named(period: tuple[str, str], message: str):
    first, last = (date.fromisoformat(text) for text in period)
    with pytest.raises(NotFound, match=message):
        split_period(TOU3, account(), BillingPeriod(first, last))


def test_what_no_contract_covers_is_refused():
    with pytest.raises(Invalid, match="needs a contract, and none is known for 2025-12-31"):
        split_period(TOU3, account(), BillingPeriod(date(2025, 12, 31), date(2026, 1, 30)))
    with pytest.raises(
        Invalid, match=r"names non_summer; the tariff taipower-hv-tou3 has: regular, half_peak"
    ):
        split_period(TOU3, account(regular=100, non_summer=10), JULY)
    with pytest.raises(Invalid, match="negative: regular"):
        account(regular=-1)


@pytest.mark.parametrize(
    ("starts", "energy", "message"),
    [
        ([0, 900, 900], [1.0, 1.0, 1.0], "1970-01-01T00:15:00.* is given twice"),
        ([0, 901], [1.0, 1.0], "must begin on the clock's grid of 900 s"),
        ([0, 900], [1.0, -2.0], "1 intervals have negative energy, the first at 1970-01-01T00:15"),
        ([0, 900], [1.0], "equally many"),
    ],
)
def test_intervals_that_cannot_be_right_are_refused(
    starts: Sequence[int], energy: Sequence[float], message: str
):
    with pytest.raises(Invalid, match=message):
        measured(starts, energy)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [("2026-07-02", "2026-07-01", "ends"), ("2024-01-01", "2025-12-31", "at most 400 days")],
)
def test_an_impossible_period_is_refused(first: str, last: str, message: str):
    with pytest.raises(Invalid, match=message):
        split_period(TOU3, account(), BillingPeriod(date.fromisoformat(first), date.fromisoformat(last)))


def test_unknown_connections_and_items_are_refused():
    lv = tariff("taipower-lighting-tou2")
    august = BillingPeriod(date(2026, 8, 1), date(2026, 8, 31))
    contract = account(regular=10).contracts
    with pytest.raises(Invalid, match="no connection 'two_phase'; it has: three_phase, single_phase"):
        bill_series(lv, Account(contract, connection="two_phase"), august, steady(august, 1.0))
    with pytest.raises(Invalid, match="no item lamp; it has: none"):
        bill_series(lv, Account(contract, items={"lamp": Decimal(1)}), august, steady(august, 1.0))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 8), 23),  # New York goes forward
        (date(2025, 11, 2), 25),  # and back
        (date(2028, 2, 29), 24),
    ],
)
def test_a_day_has_the_hours_its_clock_has(day: date, hours: int):
    coned = tariff("coned-sc9-rate2-lt")
    period = BillingPeriod(day, day)
    segment = split_period(coned, Account(), period)[0]
    use = use_of(segment, Account(), steady(period, 60.0, coned.editions[0].zone))
    assert sum(use.energy.values()) == 60 * hours
    assert use.coverage == 1.0
    assert use.missing == ()


@pytest.mark.parametrize(
    ("day", "has_day_band"),
    [
        (date(2026, 5, 25), False),  # Memorial Day, the last Monday of May
        (date(2026, 5, 18), True),
        (date(2026, 9, 7), False),  # Labor Day
        (date(2025, 11, 27), False),  # Thanksgiving
        (date(2025, 11, 28), True),
    ],
)
def test_holidays_by_weekday(day: date, has_day_band: bool):
    spans = tariff("coned-sc9-rate2-lt").editions[0].spans(day)
    assert any(band == "day" for _, band in spans) is has_day_band


def test_told_days_move_the_energy_price_not_the_demand():
    variable = tariff("taipower-hv-tou3-variable")
    day = BillingPeriod(date(2026, 7, 8), date(2026, 7, 8))
    told = Account(account().contracts, told_days=frozenset({date(2026, 7, 8)}))
    bill = bill_series(variable, told, day, steady(day, 100.0))
    energy = {line.key: line.quantity for line in bill.lines if line.kind is LineKind.ENERGY}
    assert energy == {"told_peak": 600, "half_peak": 900, "off_peak": 900}
    assert bill.uses[0].demand_kw.keys() == {"peak", "half_peak", "off_peak"}
    untold = bill_series(variable, account(), day, steady(day, 100.0))
    assert "told_peak" not in {line.key for line in untold.lines}


def test_the_power_factor_of_a_month():
    assert average_power_factor(Decimal(300), Decimal(400)) == 60
    assert average_power_factor(Decimal(0), Decimal(1)) is None


loads = st.lists(st.floats(0, 2000), min_size=96, max_size=96)


def _day(load_kwh: Sequence[float], day: date = date(2026, 7, 8)) -> tuple[BillingPeriod, Measured]:
    period = BillingPeriod(day, day)
    start = round(midnight(day, TOU3.editions[-1].zone).timestamp())
    return period, measured([start + QUARTER * n for n in range(96)], load_kwh)


def _energy_money(bill: Bill) -> Decimal:
    return bill.sum_of(LineKind.ENERGY)


@given(loads, loads)
@settings(max_examples=25)
def test_the_energy_charge_of_a_sum_is_the_sum_of_the_charges(one: list[float], other: list[float]):
    period, _ = _day(one)
    bills = [
        bill_series(TOU3, account(), period, _day(load)[1])
        for load in (one, other, [a + b for a, b in zip(one, other, strict=True)])
    ]
    # each of three bands rounds its energy to a whole kWh, twice: 3 x 1.5 kWh at most 9.39
    assert abs(_energy_money(bills[0]) + _energy_money(bills[1]) - _energy_money(bills[2])) <= Decimal("42.3")


@given(loads)
@settings(max_examples=25)
def test_no_line_of_energy_or_demand_is_negative(load: list[float]):
    period, series = _day(load)
    bill = bill_series(TOU3, account(), period, series, Decimal(95))
    assert all(line.amount >= 0 for line in bill.lines if line.kind is not LineKind.POWER_FACTOR)
    assert bill.total >= 0


@given(loads, st.permutations(range(96)))
@settings(max_examples=25)
def test_the_order_of_arrival_changes_nothing(load: list[float], order: list[int]):
    period, series = _day(load)
    shuffled = measured(series.start_s[order], series.energy[order])
    assert bill_series(TOU3, account(), period, series) == bill_series(TOU3, account(), period, shuffled)


@given(st.integers(1, 30), st.floats(1, 900))
@settings(max_examples=25)
def test_a_period_cut_anywhere_costs_the_same_energy(cut: int, kw: float):
    """May 2026 holds the edge of a season; wherever it is cut, the parts cost what the whole costs."""
    whole = BillingPeriod(date(2026, 5, 1), date(2026, 5, 31))
    edge = whole.first + timedelta(days=cut)
    series = steady(whole, kw)
    parts = [BillingPeriod(whole.first, edge - timedelta(days=1)), BillingPeriod(edge, whole.last)]
    bills = [bill_series(TOU3, account(), part, series) for part in parts]
    total = bill_series(TOU3, account(), whole, series)
    # a cut band rounds to whole kWh once more: 4 bands, half a kWh each, three times
    assert abs(sum(_energy_money(b) for b in bills) - _energy_money(total)) <= Decimal("56.4")


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=50)
def test_over_contract_counts_the_largest_excess_once(peak: int, half: int, saturday: int, off: int):
    """With one contract the kW of all lines are the largest excess of any band."""
    demand = dict(
        zip(("peak", "half_peak", "saturday_half_peak", "off_peak"), (peak, half, saturday, off), strict=True)
    )
    use = Use({"peak": Decimal(1)}, {band: Decimal(kw) for band, kw in demand.items()})
    held = account(regular=100)
    bill = bill_uses(held, JULY, split_period(TOU3, held, JULY), [use])
    counted = sum(line.quantity for line in bill.lines if line.kind is LineKind.OVER_CONTRACT)
    assert counted == max(0, *(kw - 100 for kw in demand.values()))
