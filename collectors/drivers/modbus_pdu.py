"""What Modbus requests and replies say, whatever wire they go over. Pure.

Source: MODBUS Application Protocol V1.1b3; MODBUS over Serial Line V1.02, 6.2.2 (CRC).
"""

import struct

from energy_center.config.bindings import Table
from energy_center.errors import (
    BadFrame,
    DeviceAway,
    DeviceBusy,
    DeviceRefused,
    EnergyCenterError,
    NotSupported,
)

FUNCTIONS: dict[Table, int] = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
EXCEPTIONS: dict[int, str] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}
_RAISED: dict[int, type[EnergyCenterError]] = {
    1: NotSupported,
    2: NotSupported,
    3: NotSupported,
    5: DeviceBusy,
    6: DeviceBusy,
    10: DeviceAway,  # the gateway answers for a unit that does not
    11: DeviceAway,
}
FAILED = 0x80  # set in the function code of an exception reply


def read_request(table: Table, address: int, count: int) -> bytes:
    """PDU that reads `count` registers or bits from a wire address."""
    return struct.pack(">BHH", FUNCTIONS[table], address, count)


def octets_of(table: Table, count: int) -> int:
    """How many octets of data `count` registers or bits are."""
    return (count + 7) // 8 if table.is_bits else 2 * count


def payload_of(pdu: bytes, table: Table, count: int) -> bytes:
    """The data octets of a reply to `read_request`.

    Raises:
        NotSupported: the device has no such function, address or count.
        DeviceBusy: it has the request, and asks to be asked again later.
        DeviceRefused: any other exception reply, with its code.
        DeviceAway: a gateway says that the unit does not answer; its fact `code` tells it from silence.
        BadFrame: another function, or another length than asked for.
    """
    function = FUNCTIONS[table]
    octets = octets_of(table, count)
    if pdu[0] == function and pdu[1] == octets == len(pdu) - 2:
        return pdu[2:]
    if pdu[0] == function | FAILED and len(pdu) >= 2:  # noqa: PLR2004  function and code
        code = pdu[1]
        kind = _RAISED.get(code, DeviceRefused)
        raise kind(f"The device answers: {EXCEPTIONS.get(code, 'unknown exception')}", code=code)
    raise BadFrame("The reply does not fit the request", function=pdu[0], octets=len(pdu) - 2)


def _crc_table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        crc = octet
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc_of(octets: bytes) -> bytes:
    """The two octets that end an RTU frame, low octet first."""
    crc = 0xFFFF
    for octet in octets:
        crc = (crc >> 8) ^ _CRC[(crc ^ octet) & 0xFF]
    return crc.to_bytes(2, "little")
