import pytest

from collectors.tally import (
    BOUNDS_S,
    EXCERPT_BYTES,
    SAMPLES_A_TOPIC,
    TOPICS_SAMPLED,
    DeviceTally,
    MalformedLog,
    RoundTrips,
    kind_of,
    quantile_s,
    shown,
)
from energy_center.domain.supervision import ErrorKind
from energy_center.errors import (
    BadFrame,
    DeviceAway,
    DeviceBusy,
    DeviceRefused,
    EnergyCenterError,
    NotSupported,
)


@pytest.mark.parametrize(
    ("cause", "is_open", "kind", "code"),
    [
        (DeviceAway(unit=3), True, ErrorKind.TIMEOUT, ""),
        (DeviceAway("The gateway says so", code=11), True, ErrorKind.TIMEOUT, "11"),
        (DeviceAway("lost", why="reset"), False, ErrorKind.CONNECTION, ""),
        (BadFrame("checksum"), True, ErrorKind.BAD_FRAME, ""),
        (BadFrame("another unit", unit=1, from_unit=2), True, ErrorKind.WRONG_UNIT, ""),
        (DeviceRefused(code=4), True, ErrorKind.REFUSED, "4"),
        (NotSupported(code=2), True, ErrorKind.REFUSED, "2"),
        (DeviceBusy(code=6), True, ErrorKind.BUSY, "6"),
    ],
)
def test_failure_is_told_by_kind_and_code(
    cause: EnergyCenterError, is_open: bool, kind: ErrorKind, code: str
) -> None:
    assert kind_of(cause, is_open=is_open) == (kind, code)


def test_p95_of_round_trips_lies_in_the_bucket_of_the_slow_ones() -> None:
    trips = RoundTrips()
    for took_s in [0.003] * 90 + [0.15] * 10:  # 95 of 100 took at most 0.15 s: bucket (0.1, 0.2]
        trips.note(took_s)
    found = quantile_s(trips.buckets, 0.95)
    assert found == pytest.approx(0.15)  # half-way through the ten of that bucket


def test_round_trip_beyond_the_last_bound_counts_as_it() -> None:
    trips = RoundTrips()
    trips.note(60.0)
    assert quantile_s(trips.buckets, 0.5) == BOUNDS_S[-1]


def test_no_answer_has_no_quantile() -> None:
    assert quantile_s(RoundTrips().buckets, 0.95) is None


def test_mean_follows_an_eighth_of_each_new_round_trip() -> None:
    trips = RoundTrips()
    trips.note(0.1)
    trips.note(0.9)
    assert trips.mean_s == pytest.approx(0.2)  # 0.1 + (0.9 - 0.1) / 8


def test_device_keeps_its_counts_and_last_words() -> None:
    tally = DeviceTally()
    tally.answered(100.0, 12, 0.01)
    tally.told(101.0, 2)
    tally.failed(ErrorKind.REFUSED, "2", "illegal data address")
    tally.failed(ErrorKind.REFUSED, "2", "illegal data address")
    assert (tally.samples, tally.readings, tally.last_at) == (2, 14, 101.0)
    assert [(e.kind, e.code, e.count) for e in tally.counted] == [(ErrorKind.REFUSED, "2", 2)]
    assert tally.last_error is not None
    assert tally.last_error.said == "illegal data address"


@pytest.mark.parametrize(
    ("payload", "excerpt"),
    [
        ('{"password": "hunter2", "t": 21}', '{"password": •••, "t": 21}'),
        ("user=a&api_key=12345&v=3", "user=a&api_key=•••&v=3"),
        ('{"Authorization": "Bearer abc"', '{"Authorization": •••'),
        ("token: abc.def", "token: •••"),
        ("a\x00b\nc", "a·b·c"),
    ],
)
def test_excerpt_shows_no_secret_and_no_control_character(payload: str, excerpt: str) -> None:
    assert shown(payload) == excerpt


def test_excerpt_is_bounded_in_bytes_and_never_torn() -> None:
    assert shown("電" * 100) == "電" * (EXCERPT_BYTES // 3)


def test_newest_three_malformed_messages_of_a_topic_are_kept_and_all_are_counted() -> None:
    log = MalformedLog()
    for number in range(5):
        log.note("a/b", ("lobby",), f"{number}", "not JSON")
    assert log.count == 5
    assert [s.excerpt for s in log.samples] == ["4", "3", "2"]
    assert len(log.samples) == SAMPLES_A_TOPIC


def test_topics_that_are_sampled_are_bounded() -> None:
    log = MalformedLog()
    for number in range(TOPICS_SAMPLED + 10):
        log.note(f"a/{number}", (), "x", "not JSON")
    assert log.count == TOPICS_SAMPLED + 10
    assert len(log.samples) == TOPICS_SAMPLED
