"""Silence of a device, worked out from its readings."""

import numpy as np

from energy_center.rules.device_samples import device_samples_from_readings
from energy_center.rules.window import US, Samples, align


def _samples(seconds: list[int], interval_s: float) -> Samples:
    at = np.array(seconds, dtype=np.int64) * US
    return Samples(at, np.ones(len(at)), np.zeros(len(at), np.int16), interval_s)


def test_a_device_is_silent_three_intervals_after_its_last_reading() -> None:
    online = device_samples_from_readings([_samples([0, 300, 600, 3000], 300.0)])
    times = np.array([0, 600, 1499, 1501, 2999, 3000, 3899, 3901], dtype=np.int64) * US
    assert align(online, times).tolist() == [1, 1, 1, 0, 0, 1, 1, 0]


def test_one_live_point_is_enough() -> None:
    online = device_samples_from_readings([_samples([0], 60.0), _samples([0, 200, 400, 600], 60.0)])
    assert align(online, np.array([500], dtype=np.int64) * US).tolist() == [1]


def test_without_readings_it_cannot_be_said() -> None:
    online = device_samples_from_readings([Samples.none()])
    assert np.isnan(align(online, np.array([0], dtype=np.int64))).all()
