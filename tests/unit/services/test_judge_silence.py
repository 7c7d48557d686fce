from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site, Text
from energy_center.services.supervision import (
    DeviceHealth,
    DeviceStatus,
    Silence,
    collector_health,
    judge_silence,
)
from tests.services.supervised import collector_report

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
NAME = Text("表", "meter")
POINT = Point("meter", "active_power", Role.ACTIVE_POWER, interval_s=300.0)
SITE = Site(
    "s",
    NAME,
    "UTC",
    (),
    (Equipment("meter", "Meter", NAME, "hall", connection_id="bus", device_id="meter", points=(POINT,)),),
)


def device(status: DeviceStatus) -> DeviceHealth:
    return DeviceHealth(
        "meter", NAME, "bus", None, status, None, None, None, "", 1, 0, 0, None, None, 0.0, 0.0, 0, 0, 0
    )


@pytest.mark.parametrize(
    ("status", "started_s", "has_readings", "expected"),
    [
        (DeviceStatus.ONLINE, 10, False, Silence((), ())),
        (DeviceStatus.RESTING, 10, False, Silence((), ())),
        (DeviceStatus.AWAY, 10, True, Silence(("meter",), ())),
        # read every 5 min: may be silent for twice that after the start
        (DeviceStatus.NEVER, 599, False, Silence((), ("meter",))),
        (DeviceStatus.NEVER, 601, False, Silence(("meter",), ())),
        (DeviceStatus.UNKNOWN, 10, True, Silence((), ())),
        (DeviceStatus.UNKNOWN, 10, False, Silence(("meter",), ())),
    ],
)
def test_slow_device_is_not_silent_before_its_time(
    status: DeviceStatus, started_s: float, has_readings: bool, expected: Silence
) -> None:
    report = collector_report(NOW, started_at=NOW - timedelta(seconds=started_s))
    without = set() if has_readings else {"meter"}
    found = judge_silence([device(status)], without, SITE, [collector_health(report, NOW)], NOW)
    assert found == expected
