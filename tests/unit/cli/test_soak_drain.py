"""What the drain says about the age of readings."""

import math

from energy_center.cli.soak_drain import NEVER_LATER_S, _Course


def test_oldest_age_counts_from_when_live_readings_come_again() -> None:
    course = _Course([(0.5, 600.0, 9), (1.0, 1.5, 9), (1.5, 0.7, 5)], live_from_s=1.0)
    assert course.worst_age_s == 1.5


def test_drain_that_nobody_watched_is_no_good_drain() -> None:
    assert math.isinf(_Course().worst_age_s)
    assert _Course([(1.0, 0.5, 9)], live_from_s=2.0).worst_age_s > NEVER_LATER_S
