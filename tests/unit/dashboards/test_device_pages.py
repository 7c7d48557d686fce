"""The pages of devices: worst first, in words, and never a zero where nothing is known."""

import sys
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from dash.development.base_component import Component

sys.path.insert(0, str(Path(__file__).parent))

from sample import NOW, drawn, request

from dashboards.pages.devices import buses, collectors, rows
from energy_center.domain.site import Text
from energy_center.domain.supervision import ErrorKind, LastError
from energy_center.services.supervision import DeviceHealth, DeviceStatus, collector_health
from tests.services.supervised import bus_report, collector_report, spool_report


def shown(component: Component) -> str:
    """A table as the browser puts it in."""
    return unescape(drawn(component))


def health(device_id: str, status: DeviceStatus = DeviceStatus.ONLINE, **changes: object) -> DeviceHealth:
    given: dict[str, object] = {
        "device_id": device_id, "name": Text("電表", f"Meter {device_id}"), "connection_id": "bus",
        "building_id": "ltb", "status": status, "is_online": True, "since": NOW, "seen_at": NOW,
        "detail": "", "points": 3, "points_stale": 0, "points_never": 0, "round_trip_s": 0.0123,
        "round_trip_p95_s": 0.02, "readings_per_s": 1.5, "requests_per_s": 0.5, "requests": 40,
        "failures": 0, "overruns": 0,
    }  # fmt: skip
    return DeviceHealth(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "status", "wrong"), [("en", "Away", "Device refuses"), ("zh-TW", "離線", "裝置拒絕")]
)
def test_device_that_is_away_says_why_in_words(language: str, status: str, wrong: str) -> None:
    last = LastError(NOW, ErrorKind.REFUSED, "raw words of a driver")
    page = shown(rows.table([health("m1", DeviceStatus.AWAY, last_error=last)], request(language=language)))
    assert status in page
    assert wrong in page
    assert 'data-flag="off"' in page


def test_device_that_answers_shows_its_round_trip_and_no_old_trouble() -> None:
    last = LastError(NOW, ErrorKind.TIMEOUT, "long ago")
    page = shown(rows.table([health("m1", last_error=last)], request(language="en")))
    assert '<span class="v">12.3</span><span class="u">ms</span>' in page
    assert "No answer in time" not in page


def test_device_that_nobody_reads_shows_dashes_and_says_so() -> None:
    silent = health(
        "m1", DeviceStatus.UNKNOWN, seen_at=None, round_trip_s=None, readings_per_s=0.0, requests=0
    )
    page = shown(rows.table([silent], request(language="en")))
    assert "No collector tells of it" in page
    assert page.count('<span class="v">–</span>') == 3


def test_collector_shows_what_waits_and_what_is_lost() -> None:
    spool = spool_report(
        dropped=12, last_dropped_at=NOW, backlog_bytes=5_400_000, oldest_unsent_at=NOW - timedelta(minutes=30)
    )
    one = collector_health(collector_report(NOW, spool=spool, reload_mistakes=("site.yaml:7: wrong",)), NOW)
    page = drawn(collectors.cards([one], [health("m1"), health("m2")], request(language="en")))
    for words in ("Readings are lost", "Lags behind", "30 min", "5.4 MB", ">12<", "site.yaml:7: wrong"):
        assert words in page
    assert '<span class="v">3</span><span class="u">a second</span>' in page  # two devices of 1.5


def test_without_a_collector_the_page_says_how_to_start_one() -> None:
    assert "energy-center collect" in drawn(collectors.cards([], [], request(language="en")))


def test_bus_that_is_down_stands_first_then_the_one_with_silent_devices() -> None:
    told = [
        bus_report(NOW, "busy", busy_share=0.8),
        bus_report(NOW, "silent"),
        bus_report(NOW, "down", connected_since=None),
    ]
    one = collector_health(collector_report(NOW, buses=tuple(told)), NOW)
    away = health("m1", DeviceStatus.AWAY, connection_id="silent")
    page = shown(buses.table([one], [away], request(language="en")))
    places = [page.index(f'data-bus="{name}"') for name in ("down", "silent", "busy")]
    assert places == sorted(places)
    assert "0 / 1" in page
