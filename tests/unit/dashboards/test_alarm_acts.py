"""What people may do about alarms, and what the alarm page draws of its evidence."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample import NOW, alarm, drawn, request

from dashboards.components.alarm_acts import actions
from dashboards.components.trend import trend
from dashboards.components.trend_marks import Limit
from dashboards.pages.alarm.evidence import limits_of, moments_of, period_of
from dashboards.pages.alarms import MOST_ROWS, Show, alarm_list
from energy_center.domain.alarms import AlarmState
from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Text
from energy_center.services.alarms import AlarmDetail
from energy_center.services.read_history import Trend

START = NOW - timedelta(hours=1)
LEVEL = Trend(
    PointId(1), "ltb-sump-b3", Text("坑", "Sump"), "sump_level", Role.SUMP_LEVEL, Kind.GAUGE, "m", "raw", 5.0,
    (START, NOW), (0.8, 1.2), (None, None), (None, None), 1.0, (),
)  # fmt: skip
EVIDENCE = {
    "window_from": START.isoformat(),
    "point_ids": [1],
    "parameters": {"high_level_m": 1.5, "hold_s": 120, "most_kw": 30.0},
}


def test_an_acknowledgement_in_the_list_takes_a_comment() -> None:
    html = "".join(drawn(a) for a in actions(alarm(), request(), in_list=True))
    form = html[html.index("<form") : html.index("</form>")]
    assert "/api/v1/alarms/1/acknowledge" in form
    assert 'name="comment"' in form


def test_shelving_offers_15_minutes_to_8_hours_and_needs_a_reason() -> None:
    html = "".join(drawn(a) for a in actions(alarm(), request(), in_list=True))
    form = html[html.index('class="act shelving"') :]
    assert [f'value="{n}"' in form for n in (15, 30, 60, 120, 240, 480)] == [True] * 6
    assert "required" in form
    assert "/api/v1/alarms/1/shelve" in form


def test_a_shelved_alarm_offers_the_way_back() -> None:
    row = alarm(shelved_until=NOW + timedelta(minutes=10))
    html = "".join(drawn(a) for a in actions(row, request(), in_list=True))
    assert "/unshelve" in html
    assert 'class="shelve"' not in html


def test_a_viewer_may_do_nothing() -> None:
    assert actions(alarm(), request(UserRole.VIEWER), in_list=True) == []


def test_a_closed_alarm_cannot_be_shelved() -> None:
    html = "".join(drawn(a) for a in actions(alarm(state=AlarmState.NORMAL), request(), in_list=True))
    assert "shelve" not in html


@pytest.mark.parametrize(("show", "shown"), [(Show.OPEN, {1, 3}), (Show.SHELVED, {2}), (Show.ALL, {1, 2, 3})])
def test_shelved_alarms_have_a_tab_of_their_own(show: Show, shown: set[int]) -> None:
    rows = [alarm(1), alarm(2, shelved_until=NOW + timedelta(hours=1)), alarm(3, shelved_until=NOW)]
    html = drawn(alarm_list(rows, show, request()))
    assert {n for n in (1, 2, 3) if f"data-alarm=&quot;{n}&quot;" in html} == shown
    assert 'data-alarm-count="2"' in html


def test_a_flood_says_that_not_all_are_listed() -> None:
    html = drawn(alarm_list([alarm(n) for n in range(MOST_ROWS)], Show.OPEN, request()))
    assert "only the 200 most urgent" in html


def detail(**changes: object) -> AlarmDetail:
    return AlarmDetail(alarm(**changes), {}, "", EVIDENCE, {}, ())  # type: ignore[arg-type]


def test_the_chart_goes_on_until_now_or_half_an_hour_after_the_end() -> None:
    assert period_of(detail(), NOW) == (START, NOW)
    returned = NOW - timedelta(minutes=45)
    assert period_of(detail(returned_at=returned), NOW) == (START, NOW - timedelta(minutes=15))


def test_only_limits_in_a_drawn_unit_are_lines() -> None:
    assert limits_of(EVIDENCE, [LEVEL], request()) == [Limit(1.5, "m", "High level")]


def test_onset_raising_and_return_are_marked() -> None:
    assert len(moments_of(alarm(), request())) == 2
    assert len(moments_of(alarm(returned_at=NOW), request())) == 3


def test_a_limit_beyond_the_curve_is_still_in_view() -> None:
    row = alarm()
    drawn_chart = trend(
        [LEVEL], START, NOW, request(),
        moments=moments_of(row, request()), limits=[Limit(1.5, "m", "High level")],
    )  # fmt: skip
    layout = drawn_chart.children[0].figure["layout"]
    low, high = layout["yaxis"]["range"]
    assert low < 0.8
    assert high > 1.5
    assert len(layout["shapes"]) == len(layout["annotations"]) == 3
