"""ReadPropertyMultiple on the wire: requests, and replies with numbers, states, flags and errors. Pure.

Anything else is stepped over as `OPAQUE`. The library's general codec takes 40 times as long (2026-11-24).
Source: ASHRAE 135-2020, 6.2 (NPDU), 15.7 and 20.1 (APDUs), 20.2 (tags), annex J.2 (BVLC).
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bacpypes3.basetypes import ErrorClass, ErrorCode, ErrorType, PropertyIdentifier
from bacpypes3.primitivedata import ObjectIdentifier, ObjectType

READ_MULTIPLE = 14  # confirmed service choice, 21 (BACnetConfirmedServiceChoice)
_LONGEST_1476 = 0x05  # max-apdu-length-accepted of 20.1.2.5; no segments

# tags of a ReadAccessResult, 21: [0] object, [1] results, [2] property, [4] value, [5] error
_OBJECT, _RESULTS, _NO_MORE_RESULTS, _PROPERTY = 0x0C, 0x1E, 0x1F, 0x28
_VALUE, _VALUE_ENDS, _ERROR, _ERROR_ENDS = 0x4E, 0x4F, 0x5E, 0x5F
_INDEX = (0x39, 0x3A)  # [3] of one or two octets
_LONGER = 5  # the length stands in the octets after the tag

OPAQUE = object()  # a value that is no number: a date, a list, something constructed

Found = dict[tuple[str, int, str], Any]


class _Damaged(Exception):
    """Not as an acknowledgement is built."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: from which network and station (None and empty for the sender itself), and its APDU."""

    network: int | None
    station: bytes
    apdu: bytes


def network_header(network: int | None, station: bytes) -> bytes:
    """The NPDU's control information of a request that expects a reply."""
    if network is None:
        return b"\x01\x04"
    return struct.pack(">BBHB", 1, 0x24, network, len(station)) + station + b"\xff"


def datagram(header: bytes, invoke: int, parameters: bytes) -> bytes:
    """A request for several properties as it is sent."""
    body = header + bytes((0x00, _LONGEST_1476, invoke, READ_MULTIPLE)) + parameters
    return struct.pack(">BBH", 0x81, 0x0A, 4 + len(body)) + body


def parameters_of(wanted: Iterable[tuple[str, int, Sequence[str]]]) -> bytes:
    """A list of object types, instances and properties as ReadAccessSpecifications."""
    out = bytearray()
    for kind, instance, properties in wanted:
        out += b"\x0c" + struct.pack(">I", _type_number(kind) << 22 | instance) + b"\x1e"
        for name in properties:
            number = _property_number(name)
            out += bytes((0x09, number)) if number <= 0xFF else struct.pack(">BH", 0x0A, number)  # noqa: PLR2004
        out += b"\x1f"
    return bytes(out)


def reply_in(received: bytes) -> Reply | None:
    """What a datagram carries for an application; None for anything else or anything damaged."""
    try:
        if received[0] != 0x81 or received[1] != 0x0A or received[4] != 0x01:  # noqa: PLR2004
            return None
        if struct.unpack_from(">H", received, 2)[0] != len(received):
            return None
        control, at = received[5], 6
        network, station = None, b""
        if control & 0x80:
            return None
        if control & 0x20:
            at += 3 + received[at + 2]
        if control & 0x08:
            network, size = struct.unpack_from(">HB", received, at)
            station, at = received[at + 3 : at + 3 + size], at + 3 + size
        at += 1 if control & 0x20 else 0
        return Reply(network, station, received[at:]) if len(received) >= at + 3 else None
    except (IndexError, struct.error):
        return None


def values_of(parameters: bytes) -> Found | None:
    """Values and errors of an acknowledgement, by object type, instance and property; None when damaged."""
    try:
        return _values(parameters)
    except (_Damaged, IndexError, struct.error, ValueError):
        return None


def _values(octets: bytes) -> Found:
    found: Found = {}
    at, end = 0, len(octets)
    while at < end:
        if octets[at] != _OBJECT or octets[at + 5] != _RESULTS:
            raise _Damaged
        number = int.from_bytes(octets[at + 1 : at + 5], "big")
        kind, instance = _type_name(number >> 22), number & 0x3FFFFF
        at += 6
        while octets[at] != _NO_MORE_RESULTS:
            at = _result(octets, at, kind, instance, found)
        at += 1
    return found


def _result(octets: bytes, at: int, kind: str, instance: int, found: Found) -> int:
    """Read one property's value or error, and tell where the next tag stands."""
    size = octets[at] - _PROPERTY
    if size not in (1, 2, 3, 4):
        raise _Damaged
    name = _property_name(int.from_bytes(octets[at + 1 : at + 1 + size], "big"))
    at += 1 + size
    if octets[at] in _INDEX:  # which was not asked for
        at += 1 + (octets[at] & 0x07)
    if octets[at] == _VALUE:
        value, after = _value(octets, at + 1)
        if octets[after] != _VALUE_ENDS:  # a list or something constructed
            value, after = OPAQUE, _end_of(octets, at + 1)
    elif octets[at] == _ERROR:
        value, after = _error(octets, at + 1)
    else:
        raise _Damaged
    found[kind, instance, name] = value
    return after + 1


def _value(octets: bytes, at: int) -> tuple[Any, int]:
    """One application-tagged value, and where the next tag stands (20.2.1)."""
    if octets[at] & 0x08 or octets[at] == _VALUE_ENDS:
        return OPAQUE, at
    tag, size, at = _head(octets, at)
    if tag == 4 and size == 4:  # noqa: PLR2004  real, the usual case
        return struct.unpack_from(">f", octets, at)[0], at + 4
    if tag == 1:
        return size, at
    content = octets[at : at + size]
    if len(content) != size:
        raise _Damaged
    return _READ.get(tag, _opaque)(content), at + size


def _head(octets: bytes, at: int) -> tuple[int, int, int]:
    """Tag number, length (of a boolean: its value), and where the content begins."""
    first = octets[at]
    size, at = first & 0x07, at + 1
    if size != _LONGER:
        return first >> 4, size, at
    size, at = octets[at], at + 1
    if size == 254:  # noqa: PLR2004  two octets of length follow
        return first >> 4, int.from_bytes(octets[at : at + 2], "big"), at + 2
    if size == 255:  # noqa: PLR2004
        raise _Damaged
    return first >> 4, size, at


def _end_of(octets: bytes, at: int) -> int:
    """Where the value that begins here is closed, whatever it holds."""
    depth = 0
    while True:
        low, is_context = octets[at] & 0x07, octets[at] & 0x08
        if is_context and low == 7:  # noqa: PLR2004  closing tag
            if depth == 0:
                return at
            depth, at = depth - 1, at + 1
        elif is_context and low == 6:  # noqa: PLR2004  opening tag
            depth, at = depth + 1, at + 1
        else:
            tag, size, at = _head(octets, at)
            at += 0 if tag == 1 and not is_context else size


def _real(content: bytes) -> float:
    return float(struct.unpack(">f", content)[0])


def _double(content: bytes) -> float:
    return float(struct.unpack(">d", content)[0])


def _unsigned(content: bytes) -> int:
    if not content:
        raise _Damaged
    return int.from_bytes(content, "big")


def _signed(content: bytes) -> int:
    if not content:
        raise _Damaged
    return int.from_bytes(content, "big", signed=True)


@cache
def _bits(content: bytes) -> list[int]:
    if not content or content[0] > 7:  # noqa: PLR2004  unused bits of the last octet
        raise _Damaged
    bits = [octet >> shift & 1 for octet in content[1:] for shift in range(7, -1, -1)]
    return bits[: len(bits) - content[0]]


def _text(content: bytes) -> str | object:
    if not content:
        raise _Damaged
    return content[1:].decode("utf-8") if content[0] == 0 else OPAQUE


def _nothing(content: bytes) -> None:
    if content:
        raise _Damaged


def _opaque(_: bytes) -> object:
    return OPAQUE


_READ: dict[int, Callable[[bytes], Any]] = {
    0: _nothing,
    2: _unsigned,
    3: _signed,
    4: _real,
    5: _double,
    7: _text,
    8: _bits,
    9: _unsigned,
}


def _error(octets: bytes, at: int) -> tuple[ErrorType, int]:
    numbers = []
    for _ in range(2):
        if octets[at] >> 4 != 9:  # noqa: PLR2004  enumerated
            raise _Damaged
        number, at = _value(octets, at)
        numbers.append(number)
    if octets[at] != _ERROR_ENDS:
        raise _Damaged
    return ErrorType(errorClass=ErrorClass(numbers[0]), errorCode=ErrorCode(numbers[1])), at


@cache
def _type_number(kind: str) -> int:
    return int(ObjectIdentifier(f"{kind},0")[0])


@cache
def _type_name(number: int) -> str:
    return str(ObjectType(number))


@cache
def _property_number(name: str) -> int:
    return int(PropertyIdentifier(name))


@cache
def _property_name(number: int) -> str:
    return str(PropertyIdentifier(number))
