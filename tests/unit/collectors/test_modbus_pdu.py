from collectors.drivers.modbus import BlockLatency
from collectors.drivers.modbus_pdu import crc_of
from collectors.drivers.modbus_rtu import frame_length


def test_crc_is_that_of_a_published_frame() -> None:
    # Eastron SDM630 Modbus protocol V1.x: the request for phase 1 voltage, 01 04 00 00 00 02, ends 71 CB
    assert crc_of(bytes.fromhex("010400000002")) == bytes.fromhex("71CB")


def test_frame_says_how_long_it_is() -> None:
    assert frame_length(bytes.fromhex("0104")) is None
    assert frame_length(bytes.fromhex("010404")) == 9
    assert frame_length(bytes.fromhex("018302")) == 5
    assert frame_length(bytes.fromhex("01060000")) == 8
    assert frame_length(bytes.fromhex("012B0000")) is None


def test_time_limit_follows_the_latency_within_its_bounds() -> None:
    latency = BlockLatency()
    assert latency.limit_s(3.0) == 3.0  # nothing is known yet
    latency.answered(0.01)
    assert latency.limit_s(3.0) == 0.2
    assert latency.limit_s(0.1) == 0.1
    latency = BlockLatency()
    latency.answered(0.5)
    assert latency.limit_s(3.0) == 2.0
    latency.answered(0.9)
    assert latency.limit_s(3.0) == 2.2  # a mean of 0.5 + (0.9 - 0.5) / 8
    latency.missed()
    assert latency.limit_s(3.0) == 3.0
