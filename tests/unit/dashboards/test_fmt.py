"""Numbers, units and times as people expect them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards import fmt
from energy_center.domain.quantities import Role

TAIPEI = ZoneInfo("Asia/Taipei")
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "unit", "shown"),
    [
        (None, "kW", "–"),
        (float("nan"), "kW", "–"),
        (0.0, "kW", "0.0"),
        (999.94, "kW", "999.9"),
        (1234.56, "kW", "1,235"),
        (-58.04, "kW", "-58.0"),
        (-0.02, "kW", "0.0"),
        (17906.4, "kW.h", "17,906"),
        (7.24, "Cel", "7.2"),
        (0.964, "1", "0.96"),
        (640.4, "[ppm]", "640"),
        (77699.2, "NTD", "77,699"),
    ],
)
def test_numbers_have_the_decimals_of_their_unit(amount: float | None, unit: str, shown: str) -> None:
    assert fmt.number(amount, unit) == shown


def test_a_state_is_a_word_and_an_unknown_state_its_number() -> None:
    assert fmt.point_value(1.0, Role.PUMP_STATUS, "1", "zh-TW") == "運轉"
    assert fmt.point_value(4.0, Role.INVERTER_STATE, "1", "en") == "Producing"
    assert fmt.point_value(19.0, Role.INVERTER_STATE, "1", "en") == "19"
    assert fmt.point_value(None, Role.PUMP_STATUS, "1", "en") == fmt.MISSING


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (72 * 3600, "3 d"),
        (-5, "0 s"),
    ],
)
def test_ages_use_the_largest_unit_that_fits(seconds: float, shown: str) -> None:
    assert fmt.span(seconds, "en") == shown


def test_times_are_the_sites() -> None:
    assert fmt.clock(NOON, TAIPEI) == "12:00"
    assert fmt.moment(NOON, TAIPEI, "zh-TW") == "2026/11/24 12:00"
    assert fmt.moment(NOON, TAIPEI, "en") == "2026-11-24 12:00"


def test_todays_date_is_left_out_by_the_sites_calendar() -> None:
    late = datetime(2026, 11, 24, 15, 59, tzinfo=UTC)
    assert fmt.moment(late, TAIPEI, "en", late + timedelta(seconds=30)) == "23:59:00"
    assert fmt.moment(late, TAIPEI, "en", late + timedelta(minutes=2)) == "2026-11-24 23:59"


def test_epoch_is_in_milliseconds() -> None:
    assert fmt.epoch_ms(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1500
    assert fmt.epoch_ms(None) is None
