import json
import math

import pytest

from collectors.payload import sample_of
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame
from tests.unit.collectors.builders import message_point

NOW = 1_795_500_000.0  # 2026-11-24T06:00:00Z


def payload(**content: object) -> bytes:
    return json.dumps(content).encode()


def test_numbers_are_found_by_path() -> None:
    points = [message_point("air.temperature"), message_point("list.1"), message_point("absent")]
    sample = sample_of(payload(air={"temperature": "23.5"}, list=[1, 2], ts=NOW), points, NOW)
    assert sample.values.tolist()[:2] == [23.5, 2.0]
    assert math.isnan(sample.values[2])


@pytest.mark.parametrize(
    ("stamp", "at", "quality"),
    [
        ("2026-11-24T14:00:01.250000+08:00", NOW + 1.25, Quality.GOOD),
        ("2026-11-24T05:59:58Z", NOW - 2, Quality.GOOD),
        (NOW - 299, NOW - 299, Quality.GOOD),
        ((NOW - 10) * 1000, NOW - 10, Quality.GOOD),
        (NOW - 301, NOW, Quality.CLOCK_SUSPECT),
        (NOW + 301, NOW, Quality.CLOCK_SUSPECT),
        ("2026-11-24T06:00:00", NOW, Quality.CLOCK_SUSPECT),  # no offset
        ("yesterday", NOW, Quality.CLOCK_SUSPECT),
        (10**400, NOW, Quality.CLOCK_SUSPECT),
        (None, NOW, Quality.CLOCK_SUSPECT),
    ],
)
def test_own_stamp_is_trusted_within_five_minutes(stamp: object, at: float, quality: Quality) -> None:
    sample = sample_of(payload(t=21, ts=stamp), [message_point("t")], NOW)
    assert sample.at == pytest.approx(at, abs=1e-6)
    assert sample.quality.tolist() == [quality]


def test_message_that_the_broker_had_kept_keeps_its_time() -> None:
    sample = sample_of(payload(t=21, ts=NOW - 3600), [message_point("t")], NOW, oldest_trusted=NOW - 7200)
    assert (sample.at, sample.quality.tolist()) == (NOW - 3600, [0])


def test_without_a_stamp_receipt_counts_and_is_good() -> None:
    sample = sample_of(payload(t=21), [message_point("t", time=None)], NOW)
    assert (sample.at, sample.quality.tolist()) == (NOW, [0])


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"t": "warm"}',
        b'{"t": null}',
        b'{"t": 1e999}',
        b'{"t": ' + b"9" * 400 + b"}",
        b"[" * 9_000 + b"]" * 9_000,
    ],
)
def test_malformed_payload_is_a_bad_frame(bad: bytes) -> None:
    with pytest.raises(BadFrame):
        sample_of(bad, [message_point("t")], NOW)
