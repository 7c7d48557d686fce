"""A call of a demand-response programme: its baseline's days, what was achieved, what is paid."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.errors import ConfigError, Invalid
from energy_center.services.tariff_catalogue import programme, tariff
from energy_center.tariffs.demand_response import Call, Outcome, Settled, parse_programme, settle
from energy_center.tariffs.measure import Measured, measured

TAIPEI = ZoneInfo("Asia/Taipei")
BIDDING = programme("taipower-demand-bidding")
CALENDAR = tariff(BIDDING.calendar).editions[-1]
FIRST = datetime(2026, 6, 1, tzinfo=TAIPEI)


def call(text: str = "2026-07-15T16:00", hours: str = "2", price: str = "8.50") -> Call:
    return Call(datetime.fromisoformat(text).replace(tzinfo=TAIPEI), Decimal(hours), Decimal(price))


def june_and_july(during_kw: float = 480.0, on: str = "2026-07-15T16:00", hours: int = 2) -> Measured:
    """600 kW always, but for the hours of one call."""
    starts = np.array([FIRST.timestamp() + 900 * n for n in range(61 * 96)], dtype=np.int64)
    kw = np.full(len(starts), 600.0)
    begin = call(on).start.timestamp()
    kw[(starts >= begin) & (starts < begin + hours * 3600)] = during_kw
    return measured(starts, kw / 4)


def settled(series: Measured, *calls: Call) -> list[Settled]:
    return settle(BIDDING, CALENDAR, calls or [call()], series)


def test_the_example_of_the_programmes_file():
    """(600 - 480) kW x 2 h x 8.50 = 2,040.00."""
    (found,) = settled(june_and_july())
    assert (found.baseline_kw, found.demand_kw, found.achieved_kw) == (600, 480, 120)
    assert found.payment == Decimal("2040.00")
    assert found.outcome is Outcome.PAID


def test_the_baselines_days_are_weekdays_that_are_neither_off_peak_nor_called():
    """Before Wednesday 24 June 2026: Friday the 19th is Dragon Boat, 22 June was called itself."""
    (_, found) = settled(june_and_july(), call("2026-06-22T16:00"), call("2026-06-24T16:00"))
    assert found.days == tuple(date(2026, 6, day) for day in (23, 18, 17, 16, 15))


def test_less_than_the_least_counts_as_nothing():
    (found,) = settled(june_and_july(during_kw=551.0))
    assert (found.achieved_kw, found.payment, found.outcome) == (49, 0, Outcome.TOO_LITTLE)


def test_more_than_before_is_not_charged():
    (found,) = settled(june_and_july(during_kw=700.0))
    assert (found.achieved_kw, found.payment) == (0, 0)


@pytest.mark.parametrize("at", ["2026-07-15T17:00", "2026-07-14T17:00"])
def test_what_was_not_measured_is_not_settled(at: str):
    series = june_and_july()
    energy = series.energy.copy()
    energy[series.start_s == int(call(at).start.timestamp())] = np.nan
    (found,) = settled(measured(series.start_s, energy))
    assert (found.outcome, found.payment) == (Outcome.UNKNOWN, 0)


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([call("2026-03-02T16:00")], "2026-03-02 is outside the programme's season"),
        ([call(hours="3")], "a call lasts 2, 4 h, found 3"),
        ([call(price="10.01")], "at most 10 per kWh, found 10.01"),
        ([call(), call("2026-07-15T09:00")], "one call a day, found two on 2026-07-15"),
        (
            [call(f"2026-07-{day:02d}T16:00", "4") for day in range(1, 9)],
            "at most 28 h a month, found 32 in 2026-07",
        ),
    ],
)
def test_a_call_that_the_programme_does_not_allow_is_refused(calls: list[Call], message: str):
    with pytest.raises(Invalid, match=message):
        settled(june_and_july(), *calls)


def test_a_mistake_in_a_programmes_file_is_named():
    with pytest.raises(ConfigError) as refused:
        parse_programme("id: x\nleast: 3\n", "p.yaml")
    assert "p.yaml: least: Extra inputs are not permitted" in refused.value.mistakes
    with pytest.raises(ConfigError, match=r"p.yaml: not YAML"):
        parse_programme("a: [", "p.yaml")


def test_a_day_is_found_in_the_past_only():
    (found,) = settled(june_and_july())
    assert max(found.days) < date(2026, 7, 15)
    assert found.call.start - datetime.combine(min(found.days), datetime.min.time(), TAIPEI) < timedelta(
        days=8
    )
