"""Our reading of ReadPropertyMultiple against the library's own encoding of it."""

import math
import struct
from typing import Any

import pytest
from bacpypes3.apdu import ReadPropertyMultipleACK, ReadPropertyMultipleRequest
from bacpypes3.basetypes import (
    BinaryPV,
    ErrorType,
    EventState,
    PropertyReference,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    ReadAccessSpecification,
    StatusFlags,
)
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.primitivedata import (
    Boolean,
    CharacterString,
    Date,
    Double,
    Integer,
    Null,
    ObjectIdentifier,
    OctetString,
    Real,
    Unsigned,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.drivers.bacnet_values import number_of, quality_of
from collectors.drivers.bacnet_wire import (
    OPAQUE,
    datagram,
    network_header,
    parameters_of,
    reply_in,
    values_of,
)
from energy_center.domain.readings import Quality

KINDS = ("analog-input", "binary-value", "multi-state-output", "schedule", "accumulator", "loop")
NAMES = ("present-value", "status-flags", "event-state", "reliability", "elapsed-active-time", "profile-name")

# what is encoded, and what it must be read as
values = st.one_of(
    st.floats(width=32).map(lambda x: (Real(x), x)),
    st.floats().map(lambda x: (Double(x), x)),
    st.integers(0, 2**32 - 1).map(lambda n: (Unsigned(n), n)),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: (Integer(n), n)),
    st.booleans().map(lambda b: (Boolean(b), int(b))),
    st.integers(0, 1).map(lambda n: (BinaryPV(n), n)),
    st.integers(0, 5).map(lambda n: (EventState(n), n)),
    st.lists(st.integers(0, 1), min_size=4, max_size=4).map(lambda b: (StatusFlags(b), b)),
    st.text(max_size=300).map(lambda t: (CharacterString(t), t)),
    st.binary(max_size=40).map(lambda b: (OctetString(b), OPAQUE)),
    st.just((Null(()), None)),
    st.just((Date((126, 11, 24, 2)), OPAQUE)),
    st.just((ErrorType(errorClass="property", errorCode="unknownProperty"), ErrorType)),
)
results = st.dictionaries(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 4_194_302)),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
    max_size=5,
)


def _encoded(told: dict[Any, dict[str, tuple[Any, Any]]]) -> bytes:
    rows = []
    for (kind, instance), properties in told.items():
        elements = []
        for name, (value, _) in properties.items():
            choice = (
                ReadAccessResultElementChoice(propertyAccessError=value)
                if isinstance(value, ErrorType)
                else ReadAccessResultElementChoice(propertyValue=AnyValue(value))
            )
            elements.append(ReadAccessResultElement(propertyIdentifier=name, readResult=choice))
        identifier = ObjectIdentifier(f"{kind},{instance}")
        rows.append(ReadAccessResult(objectIdentifier=identifier, listOfResults=elements))
    ack = ReadPropertyMultipleACK(listOfReadAccessResults=rows)
    ack.apduInvokeID = 1
    return bytes(ack.encode().pduData)


def _same(read: Any, wanted: Any) -> bool:
    if wanted is ErrorType:
        return isinstance(read, ErrorType) and str(read.errorCode) == "unknown-property"
    if isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(read)
    return read is wanted or read == wanted


@given(results)
@settings(max_examples=20, deadline=None)
def test_reads_what_the_library_encodes(told: dict[Any, dict[str, tuple[Any, Any]]]) -> None:
    read = values_of(_encoded(told))
    assert read is not None
    wanted = {(*place, name): v for place, some in told.items() for name, (_, v) in some.items()}
    assert read.keys() == wanted.keys()
    assert all(_same(read[key], value) for key, value in wanted.items())


@given(values)
@settings(max_examples=20, deadline=None)
def test_value_means_the_number_that_the_library_reads(value: tuple[Any, Any]) -> None:
    told = {("schedule", 1): {"present-value": value}}
    read = values_of(_encoded(told))
    assert read is not None
    ours, theirs = number_of(read["schedule", 1, "present-value"]), number_of(value[0])
    assert ours == theirs or (math.isnan(ours) and math.isnan(theirs))


def test_constructed_values_and_lists_are_stepped_over() -> None:
    told = {("analog-input", 1): {"present-value": (Real(1.5), 1.5)}}
    after = _encoded(told)
    # priority-array (87) of two slots, and event-time-stamps (130): a time stamp [2] of a date and a time
    before = bytes.fromhex("0c00800001 1e 2957 4e 00 4442480000 4f 2982 4e 2e a47e0b1802 b40a000000 2f 4f 1f")
    assert values_of(before + after) == {
        ("analog-value", 1, "priority-array"): OPAQUE,
        ("analog-value", 1, "event-time-stamps"): OPAQUE,
        ("analog-input", 1, "present-value"): 1.5,
    }


@given(st.binary(max_size=60))
def test_noise_is_damaged_or_empty_and_never_fatal(noise: bytes) -> None:
    values_of(noise)
    reply_in(noise)
    reply_in(b"\x81\x0a" + struct.pack(">H", len(noise) + 4) + noise)


@given(results, st.data())
@settings(max_examples=20, deadline=None)
def test_reply_that_was_cut_is_damaged(told: dict[Any, Any], data: st.DataObject) -> None:
    octets = _encoded(told)
    ends = {len(_encoded(dict(list(told.items())[:n]))) for n in range(len(told) + 1)}
    cut = data.draw(st.integers(0, len(octets)))
    if cut not in ends:  # there, whole objects are missing
        assert values_of(octets[:cut]) is None


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4_194_302)), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_request_is_as_the_library_encodes_it(places: list[tuple[str, int]]) -> None:
    request = ReadPropertyMultipleRequest(
        listOfReadAccessSpecs=[
            ReadAccessSpecification(
                objectIdentifier=ObjectIdentifier(f"{kind},{instance}"),
                listOfPropertyReferences=[
                    PropertyReference(propertyIdentifier=p) for p in ("present-value", "status-flags")
                ],
            )
            for kind, instance in places
        ]
    )
    request.apduInvokeID = 1
    theirs = bytes(request.encode().pduData)
    assert parameters_of([(k, n, ("present-value", "status-flags")) for k, n in places]) == theirs


@pytest.mark.parametrize(
    ("network", "station", "wanted"),
    [
        # 6.2.2: version 1; control 04: a reply is expected; 20 more: network, length, address, hops
        (None, b"", "810a 000c 01 04 00 05 07 0e ffff"),
        (2001, b"\x05", "810a 0011 01 24 07d1 01 05 ff 00 05 07 0e ffff"),
    ],
)
def test_frame_of_a_request(network: int | None, station: bytes, wanted: str) -> None:
    assert datagram(network_header(network, station), 7, b"\xff\xff") == bytes.fromhex(wanted)


def test_reply_tells_the_station_behind_a_router() -> None:
    reply = reply_in(bytes.fromhex("810a 000d 01 08 07d1 01 05 30 07 0e"))
    assert reply is not None
    assert (reply.network, reply.station, reply.apdu) == (2001, b"\x05", b"\x30\x07\x0e")


@pytest.mark.parametrize(
    "length", [3, 4, 5, 252, 253, 300]
)  # where a length moves into one, then three octets
def test_length_of_a_text_is_found_in_each_of_its_forms(length: int) -> None:
    text = "x" * length
    told = {("analog-input", 1): {"profile-name": (CharacterString(text), text)}}
    assert values_of(_encoded(told)) == {("analog-input", 1, "profile-name"): text}


@pytest.mark.parametrize(
    ("flags", "quality"),
    [
        ([0, 0, 0, 0], Quality.GOOD),
        ([1, 0, 0, 0], Quality.GOOD),  # an alarm says nothing against the value
        ([0, 1, 0, 0], Quality.SENSOR_FAULT),
        ([0, 0, 1, 0], Quality.SUBSTITUTED),
        ([0, 0, 0, 1], Quality.SUBSTITUTED),
        ([0, 1, 1, 1], Quality.SENSOR_FAULT | Quality.SUBSTITUTED),
    ],
)
def test_flags_tell_how_good_a_value_is(flags: list[int], quality: Quality) -> None:
    assert quality_of(flags) == quality
