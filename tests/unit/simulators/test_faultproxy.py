"""What the fault proxy counts, and what its faults do to a frame."""

import math
import random
import struct
import time
from pathlib import Path

import pytest

import simulators
from simulators.catalogue import Wire, load_catalogue
from simulators.faultproxy.covered import ModbusCover, told_in, told_invoke, values_in
from simulators.faultproxy.modbus_faults import ALWAYS, HEADER, REPLY_FAULTS, Asked, Reply, answer_instead
from simulators.faultproxy.tally import Tally, certainty

CATALOGUE = load_catalogue(Path(simulators.__file__).parent / "sites" / "taichung.yaml")
# SDM630: input registers from 0, float32 (Eastron SDM630 Modbus protocol, 1.2.1)
LINE = next(line for line in CATALOGUE.equipment if line.model == "sdm630")
COVER = ModbusCover(CATALOGUE, LINE.connection)
FLOATS = struct.pack(">ff", 230.0, 231.0)


def reply(payload: bytes = FLOATS) -> Reply:
    asked = Asked(7, LINE.unit or 0, 4, 0, len(payload) // 2, 0.0)
    pdu = bytes((4, len(payload))) + payload
    frame = HEADER.pack(7, 0, len(pdu) + 1, asked.unit) + pdu
    placed = COVER.placed(asked.unit, 4, 0, asked.count)
    return Reply(frame, asked, placed, b"", random.Random(1))  # noqa: S311  noise, guards nothing


def keys(payload: bytes) -> list[str]:
    return [signal for _, signal in COVER.keys(LINE.unit or 0, 4, 0, len(payload) // 2, payload)]


def test_a_reply_counts_for_the_points_that_it_covers_whole() -> None:
    assert keys(FLOATS) == ["voltage_l1n", "voltage_l2n"]
    assert keys(FLOATS[:6]) == ["voltage_l1n"]


def test_nan_is_not_counted() -> None:
    assert keys(struct.pack(">ff", math.nan, 231.0)) == ["voltage_l2n"]


@pytest.mark.parametrize("name", sorted(REPLY_FAULTS))
def test_a_reply_fault_changes_what_is_sent_or_when(name: str) -> None:
    outcome = REPLY_FAULTS[name](reply())
    sent = b"".join(chunk for _, chunk in outcome.chunks)
    is_late = any(wait for wait, _ in outcome.chunks)
    if name in ("all-ones", "counter-reset", "repeated-before"):
        return  # nothing to change in two floats without a reply before
    assert sent != reply().frame or is_late or outcome.hang_up
    assert outcome.intact or name not in ALWAYS


@pytest.mark.parametrize(("name", "code"), [("device-busy", 6), ("illegal-function", 1)])
def test_exception_storms_answer_with_their_code(name: str, code: int) -> None:
    outcome = answer_instead(name, reply().asked, 0.0, 1, -1)
    assert outcome is not None
    assert outcome.chunks[0][1][-2:] == bytes((0x84, code))


def test_only_requests_over_the_refused_register_are_refused() -> None:
    assert answer_instead("illegal-address", reply().asked, 0.0, 1, 3) is not None
    assert answer_instead("illegal-address", reply().asked, 0.0, 1, 4) is None


def test_present_values_are_found_in_a_read_property_ack() -> None:
    # analog-input 5, present-value, Real 1.0 (form of ASHRAE 135-2020, F.3.5)
    apdu = bytes.fromhex("30010c0c000000051955" + "3e443f8000003f")
    datagram = bytes.fromhex("810a") + (len(apdu) + 6).to_bytes(2, "big") + b"\x01\x00" + apdu
    (value,) = values_in(datagram)
    assert (value.place, value.tag) == (("analog-input", 5), 4)
    assert struct.unpack_from(">f", datagram, value.at) == (1.0,)
    assert values_in(datagram[:-8]) == []


@pytest.mark.parametrize(("age_s", "in_time"), [(0.1, True), (0.95, None), (1.5, False)])
def test_a_reply_near_its_time_limit_is_neither_in_time_nor_late(age_s: float, in_time: bool | None) -> None:
    assert certainty(age_s, 1.0) is in_time


def test_what_is_given_while_nobody_listens_is_unsure() -> None:
    tally, before = Tally(), time.monotonic()
    tally.add([("a", "x")])
    tally.listening = False
    tally.add([("a", "x")])
    assert tally.answer() == {"served": {"a/x": 1}, "unsure": {"a/x": 1}}
    assert tally.since(before) == 2


def test_every_connection_of_the_demo_can_be_counted() -> None:
    for connection in CATALOGUE.wired(Wire.MODBUS):
        cover = ModbusCover(CATALOGUE, connection.id)
        units = {line.unit or 0 for line in CATALOGUE.on(connection.id)}
        assert any(cover.placed(unit, f, 0, 65_535) for unit in units for f in (1, 2, 3, 4)), connection.id


def test_notification_tells_its_point_and_only_when_it_is_one() -> None:
    # 135-2020, F.1.3: process 18, device 4, analog-input 10, 0 s; present-value 65.0, status-flags
    told = bytes.fromhex(
        "810a0032 0104 00020f01 0912 1c02000004 2c0000000a 3900 4e 0955 2e44428200002f 096f 2e8204002f 4f"
    )
    told = told[:2] + len(told).to_bytes(2, "big") + told[4:]
    assert told_invoke(told) == 15
    (value,) = told_in(told)
    assert (value.place, value.tag) == (("analog-input", 10), 4)
    assert struct.unpack_from(">f", told, value.at)[0] == 65.0
    assert told_invoke(bytes.fromhex("810a000a 0104 00050f0e")) is None
