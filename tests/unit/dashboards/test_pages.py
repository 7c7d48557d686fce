"""Pages in each of their states: good, empty, stale, failed, and what each role may do."""

import sys
from html import unescape
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample import NOW, alarm, building, device, drawn, equipment, figure, overview, request

from dashboards.components import states
from dashboards.components.alarm_row import alarm_card, alarm_table_row
from dashboards.components.deviation import positions
from dashboards.components.trend import trend
from dashboards.pages.equipment_list import table
from dashboards.pages.overview import side
from dashboards.pages.overview.building import building as draw_building
from dashboards.pages.overview.cells import overview_cells
from energy_center.domain.alarms import AlarmState, Priority
from energy_center.domain.people import UserRole
from energy_center.services.figures import FigureState
from energy_center.services.read_overview import BuildingNow
from energy_center.services.read_progress import JobProgress


def building_html(now: BuildingNow, language: str = "en") -> str:
    ask = request(language=language)
    return drawn(draw_building(now, overview_cells(overview(now), language, ask.zone), None, language))


def tag_of(html: str, point: str) -> str:
    """The opening tag of the element that shows a point."""
    return next(tag for tag in html.split("<") if f'data-point="{point}"' in tag)


def test_a_building_shows_its_figures_with_units_and_points() -> None:
    html = building_html(building(310.04))
    assert 'data-point="ltb-main/active_power"' in html
    assert '<span class="v">310.0</span><span class="u">kW</span>' in html
    assert '<span class="u before">NT$</span><span class="v">77,699</span>' in html


def test_a_building_without_readings_shows_dashes_and_no_zero() -> None:
    html = building_html(building(None))
    assert '<span class="v">–</span>' in html
    assert '<span class="v">0' not in html


def test_stale_figures_say_so_and_carry_their_time() -> None:
    tag = tag_of(building_html(building(310.0, FigureState.STALE)), "ltb-main/active_power")
    assert 'data-state="stale"' in tag
    assert "data-at=" in tag


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_forecast_over_the_contract_is_an_alarm_in_words(language: str) -> None:
    html = building_html(building(1400.0, forecast=1620.0), language)
    assert ("120 kW over contract" if language == "en" else "超約 120 kW") in html
    assert 'class="cell deviation"' in html
    assert 'data-flag="alarm"' in html


def test_a_high_float_is_marked_by_shape_and_word() -> None:
    html = building_html(building())
    assert 'data-flag="alarm"' in tag_of(html, "ltb-sump-b3/high_float")
    assert '<span class="v">High</span>' in html


def test_the_deviation_bar_leaves_room_beyond_the_limit() -> None:
    where = positions(750.0, 800.0, 780.0, 820.0, 1500.0)
    assert (where["--now"], where["--limit"]) == ("40.0%", "80.0%")  # of 1.25 x 1500 kW


def test_an_unknown_forecast_is_off_the_scale() -> None:
    assert positions(None, None, None, None, 1500.0)["--forecast"] == "-10%"


def test_top_alarms_show_the_most_urgent_and_the_count() -> None:
    html = drawn(side.top_alarms([alarm(n) for n in range(1, 9)], 5, request()))
    assert html.count('class="plain alarm-card') == 5
    assert "8 open, 8 unacknowledged" in html


def test_no_alarms_says_when_that_was_checked() -> None:
    assert "Last checked 12:07:30" in drawn(side.top_alarms([], 5, request()))


def test_devices_away_are_named() -> None:
    devices = [device("a"), device("b", online=False, stale=10)]
    html = "".join(
        drawn(part) for part in side.data_state(devices, side.device_cells(devices, "en"), request())
    )
    assert "1 / 2" in html
    assert "10 / 20" in html
    assert "Device b" in html
    assert "Device a" not in html


@pytest.mark.parametrize(
    ("done", "failed", "shown"),
    [(4, None, "40%"), (10, None, ""), (4, "The disk is full.", "The disk is full.")],
)
def test_the_backfill_shows_while_it_runs_and_when_it_failed(
    done: int, failed: str | None, shown: str
) -> None:
    job = JobProgress("backfill", done, 10, None, failed, {}, NOW)
    html = drawn(side.progress([job], request()))
    assert (shown in html) if shown else (html == "<div></div>")


def test_a_priority_is_colour_shape_digit_and_word() -> None:
    html = drawn(alarm_card(alarm(priority=Priority.HIGH), request()))
    assert 'class="priority p2"' in html
    assert (
        '<span class="shape" aria-hidden="true"><span>2</span></span><span class="word">Major</span>' in html
    )


@pytest.mark.parametrize(
    ("role", "may"), [(UserRole.VIEWER, False), (UserRole.OPERATOR, True), (UserRole.ADMIN, True)]
)
def test_only_those_who_may_can_acknowledge(role: UserRole, may: bool) -> None:
    html = drawn(alarm_table_row(alarm(), request(role)))
    assert ("/api/v1/alarms/1/acknowledge" in html) is may
    assert ("/api/v1/work-orders" in html) is may


def test_an_acknowledged_alarm_says_by_whom_and_stays_in_the_list() -> None:
    row = alarm(state=AlarmState.ACKNOWLEDGED, acknowledged_by="lin", acknowledged_at=NOW, work_order_id=4)
    html = drawn(alarm_table_row(row, request()))
    assert "lin · 12:07:30" in html
    assert "/acknowledge" not in html
    assert 'href="/work-orders/4"' in html


def test_the_equipment_list_tells_offline_stale_and_alarms_apart() -> None:
    rows = [
        equipment("good", figure(60.0)),
        equipment("stale", figure(60.0, state=FigureState.STALE)),
        equipment("away", figure(None), online=False),
        equipment("bad", figure(60.0), alarms=2),
    ]
    html = unescape(drawn(table(rows, {"ltb": "LTB"}, request())))
    by_id = {part.split('"')[0]: part for part in html.split('data-equipment="')[1:]}
    assert "Online" in by_id["good"]
    assert "Stale 1" in by_id["stale"]
    assert "Offline" in by_id["away"]
    assert "Alarms 2" in by_id["bad"]


def test_an_empty_equipment_list_says_what_to_do() -> None:
    assert "Clear the filter" in drawn(table([], {}, request()))


def test_a_trend_without_data_is_said_in_words() -> None:
    assert drawn(trend([], NOW, NOW, request())) == drawn(states.empty("No data in the last 24 hours"))


def test_a_failure_shows_a_reference_that_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    html = drawn(states.failed(RuntimeError("boom"), "en"))
    reference = str(vars(caplog.records[0])["reference"])
    assert reference in html
    assert "boom" not in html


def test_a_denied_page_names_the_role_that_is_needed() -> None:
    assert "管理" in drawn(states.denied("admin", "zh-TW"))
