"""Which points a message carries: by the simulators' own register, object and message maps.

A number that is not finite is no reading and is not counted.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from simulators.catalogue import Catalogue, Line
from simulators.devices.messages import MESSAGES
from simulators.devices.modbus import ModbusServer, Placed
from simulators.devices.objects import OBJECT_LISTS
from simulators.devices.registers import Code, Table
from simulators.devices.source import Source
from simulators.served import Key

TABLES = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
_FLOATS = {Code.F32: ">f", Code.F64: ">d"}
_PRESENT_VALUE = 85  # ASHRAE 135-2020, 21: BACnetPropertyIdentifier
_READ_PROPERTY, _READ_MULTIPLE = 12, 14
_CONFIRMED_COV = 1
_CONFIRMED_REQUEST, _COMPLEX_ACK = 0, 3
_TYPES = {
    0: "analog-input",
    1: "analog-output",
    2: "analog-value",
    3: "binary-input",
    4: "binary-output",
    5: "binary-value",
    13: "multi-state-input",
}
_REAL = 4


class _Nothing:
    """A world without values: the maps are wanted, not what they hold."""

    def value(self, equipment_id: str, signal: str) -> float:  # noqa: ARG002  the interface of Values
        return math.nan

    def is_silent(self, equipment_id: str) -> bool:  # noqa: ARG002  the interface of Values
        return False


class ModbusCover:
    """The points of one Modbus connection."""

    def __init__(self, catalogue: Catalogue, connection_id: str) -> None:
        lines = catalogue.on(connection_id)
        self._units = ModbusServer(connection_id, lines, Source(_Nothing())).units

    def placed(self, unit: int, function: int, start: int, count: int) -> list[Placed]:
        """The points that lie whole within a block."""
        table = TABLES.get(function)
        if unit not in self._units or table is None:
            return []
        rows = self._units[unit].tables.get(table, ())
        return [p for p in rows if start <= p.at and p.end <= start + count]

    def keys(self, unit: int, function: int, start: int, count: int, payload: bytes) -> list[Key]:
        """Those of them whose registers in the payload hold a number."""
        found = self.placed(unit, function, start, count)
        return [p.key for p in found if _is_number(p, payload, start)]


def _is_number(placed: Placed, payload: bytes, start: int) -> bool:
    form = _FLOATS.get(placed.register.code)
    if form is None:
        return True
    return math.isfinite(struct.unpack_from(form, payload, 2 * (placed.at - start))[0])


def topics(lines: Iterable[Line]) -> Mapping[str, list[Key]]:
    """The points of every MQTT topic."""
    return {
        f"{line.topic}/state": [(line.id, f.signal) for f in MESSAGES[line.map_name]]
        for line in lines
        if line.topic and line.map_name in MESSAGES
    }


@dataclass(frozen=True, slots=True)
class Value:
    """A present value in a BACnet reply: its object, and where its content stands."""

    place: tuple[str, int]
    tag: int
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class _Tag:
    """ASHRAE 135-2020, 20.2.1: `form` is 'open', 'close', 'context' or 'application'."""

    number: int
    form: str
    at: int
    size: int


def apdu_at(datagram: bytes) -> int | None:
    """Where the application layer begins in a BACnet/IP datagram; None when there is none (annex J, 6.2)."""
    if len(datagram) < 6 or datagram[0] != 0x81:
        return None
    at = 10 if datagram[1] == 0x04 else 4
    control, at = datagram[at + 1], at + 2
    if control & 0x80:
        return None
    if control & 0x20:
        at += 3 + datagram[at + 2]
    if control & 0x08:
        at += 3 + datagram[at + 2]
    at += 1 if control & 0x20 else 0
    return at if at < len(datagram) else None


def values_in(datagram: bytes) -> list[Value]:
    """The present values of an unsegmented reply; empty for anything else or anything damaged."""
    at = apdu_at(datagram)
    if at is None or datagram[at] >> 4 != _COMPLEX_ACK or datagram[at] & 0x08:
        return []
    service = datagram[at + 2]
    if service not in (_READ_PROPERTY, _READ_MULTIPLE):
        return []
    property_tag, value_tag = (1, 3) if service == _READ_PROPERTY else (2, 4)
    try:
        return list(_present_values(datagram, at + 3, property_tag, value_tag))
    except IndexError:
        return []


def told_invoke(datagram: bytes) -> int | None:
    """The invoke id of a confirmed notification of a changed value; None for any other datagram."""
    at = apdu_at(datagram)
    if at is None or len(datagram) < at + 4 or datagram[at] >> 4 != _CONFIRMED_REQUEST:
        return None
    return datagram[at + 2] if datagram[at + 3] == _CONFIRMED_COV else None


def told_in(datagram: bytes) -> list[Value]:
    """The present value of a confirmed notification (135-2020, 13.1); empty when it is damaged."""
    try:
        return list(_told_values(datagram, (apdu_at(datagram) or 0) + 4))
    except IndexError:
        return []


def _told_values(datagram: bytes, at: int) -> Iterator[Value]:
    place, wanted, depth = ("", 0), False, 0
    for tag in _tags(datagram, at):
        if tag.form in ("open", "close"):
            depth += 1 if tag.form == "open" else -1
        elif depth == 0 and tag.number == 2:
            place = _place(datagram[tag.at : tag.at + tag.size])
        elif depth == 1 and tag.number == 0:
            wanted = int.from_bytes(datagram[tag.at : tag.at + tag.size], "big") == _PRESENT_VALUE
        elif depth == 2 and tag.form == "application" and wanted:
            yield Value(place, tag.number, tag.at, tag.size)


def _place(identifier: bytes) -> tuple[str, int]:
    number = int.from_bytes(identifier, "big")
    return (_TYPES.get(number >> 22, ""), number & 0x3FFFFF)


def _present_values(datagram: bytes, at: int, property_tag: int, value_tag: int) -> Iterator[Value]:
    place, wanted, inside = ("", 0), False, False
    for tag in _tags(datagram, at):
        content = datagram[tag.at : tag.at + tag.size]
        if inside:
            if tag.form == "application" and wanted:
                yield Value(place, tag.number, tag.at, tag.size)
            inside = tag.form != "close"
        elif tag.form == "open" and tag.number == value_tag:
            inside = True
        elif tag.form == "context" and tag.number == 0 and tag.size == 4:
            place = _place(content)
        elif tag.form == "context" and tag.number == property_tag:
            wanted = int.from_bytes(content, "big") == _PRESENT_VALUE


def _tags(datagram: bytes, at: int) -> Iterator[_Tag]:
    while at < len(datagram):
        first, at = datagram[at], at + 1
        number, low = first >> 4, first & 0x07
        if number == 0x0F:
            number, at = datagram[at], at + 1
        is_context = bool(first & 0x08)
        if is_context and low in (6, 7):
            yield _Tag(number, "open" if low == 6 else "close", at, 0)
            continue
        if low == 5:
            low, at = datagram[at], at + 1
            if low == 254:
                low, at = int.from_bytes(datagram[at : at + 2], "big"), at + 2
        size = 0 if not is_context and number == 1 else low
        yield _Tag(number, "context" if is_context else "application", at, size)
        at += size


class BacnetCover:
    """The points of one BACnet connection."""

    def __init__(self, catalogue: Catalogue, connection_id: str) -> None:
        self._keys = {
            (listed.type, line.base + listed.instance): (line.id, listed.signal)
            for line in catalogue.on(connection_id)
            for listed in OBJECT_LISTS.get(line.map_name, ())
        }

    def keys(self, datagram: bytes) -> list[Key]:
        """The points whose present value in the reply is a number."""
        return self._named(datagram, values_in(datagram))

    def told(self, datagram: bytes) -> list[Key]:
        """The point whose present value in the notification is a number."""
        return self._named(datagram, told_in(datagram))

    def _named(self, datagram: bytes, values: Iterable[Value]) -> list[Key]:
        found = []
        for value in values:
            key = self._keys.get(value.place)
            if key is not None and _is_finite(datagram, value):
                found.append(key)
        return found


def _is_finite(datagram: bytes, value: Value) -> bool:
    if value.tag != _REAL:
        return True
    return math.isfinite(struct.unpack_from(">f", datagram, value.at)[0])
