"""The probe of a Modbus device without a site file: registers under every meaning, and who it says it is."""

import argparse
from collections.abc import Sequence

import numpy as np

from collectors.decode import decode_words
from collectors.drivers.modbus import ModbusClient, payload_of, read_request
from collectors.probe_address import address_in
from energy_center.config.bindings import ModbusSource, PointBinding, RegisterType, Table, WordOrder
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import BadFrame, NotSupported

WITHIN_S = 3.0
SHORTEST_TEXT = 6  # letters; fewer are more often a number that looks like some
# Modbus Application Protocol 1.1b3, 6.21: read device identification, its basic and regular objects
IDENTIFICATION, MEI, BASIC, REGULAR = 0x2B, 0x0E, 0x01, 0x02
OBJECTS = ("vendor", "product code", "revision", "vendor URL", "product", "model", "user application")
MOST_REPLIES = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a device without a site file."""
    parser.add_argument("--modbus", metavar="HOST:PORT", help="a device without a site file")
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--table", choices=[t.value for t in Table], default=Table.HOLDING.value)
    parser.add_argument("--address", type=int, default=0, help="wire address, from 0")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--identify", action="store_true", help="ask who it is (function 43/14)")


async def read_modbus(args: argparse.Namespace) -> list[dict[str, object]]:
    """Registers of a device, or with `--identify` its own words about itself."""
    host, port = address_in("--modbus", args.modbus)
    client = ModbusClient()
    await client.connect(host, port, WITHIN_S)
    try:
        if args.identify:
            return await _identify(client, args.unit)
        table = Table(args.table)
        pdu, _ = await client.request(args.unit, read_request(table, args.address, args.count), WITHIN_S)
        payload = payload_of(pdu, table, args.count)
    finally:
        client.abort()
    if table.is_bits:
        bits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")[: args.count]
        return [{"address": args.address + i, "type": "bool", "reads": int(b)} for i, b in enumerate(bits)]
    words = np.frombuffer(payload, ">u2").tolist()
    rows = [row for i in range(len(words)) for row in meanings(args.address + i, words[i:])]
    return rows + texts(args.address, words)


def meanings(address: int, words: Sequence[int]) -> list[dict[str, object]]:
    """What the words from an address mean as each type of number that fits into them."""
    rows: list[dict[str, object]] = []
    for kind in RegisterType:
        if kind is RegisterType.BOOL or kind.registers > len(words):
            continue
        for order in WordOrder if kind.registers > 1 else (WordOrder.BIG,):
            source = ModbusSource(0, Table.HOLDING, address, kind, order)
            binding = PointBinding(("", ""), Role.FREQUENCY, "", "", 1.0, Linear(), source)
            value, _ = decode_words(binding, words[: kind.registers])
            rows.append(_row(address, kind.value, order, words[: kind.registers], value))
    return rows


def texts(address: int, words: Sequence[int]) -> list[dict[str, object]]:
    """What the words say as letters, such as a serial number, in both orders of the octets."""
    rows: list[dict[str, object]] = []
    big = b"".join(word.to_bytes(2, "big") for word in words)
    swapped = b"".join(word.to_bytes(2, "little") for word in words)
    for order, octets in ((WordOrder.BIG, big), (WordOrder.BIG_SWAPPED, swapped)):
        letters = octets.rstrip(b"\0 ").lstrip(b" ")
        if len(letters) >= SHORTEST_TEXT and letters.isascii() and (text := letters.decode()).isprintable():
            rows.append(_row(address, "text", order, words, text))
    return rows


def _row(address: int, kind: str, order: WordOrder, words: Sequence[int], reads: object) -> dict[str, object]:
    raw = " ".join(f"{w:04X}" for w in words)
    return {"address": address, "type": kind, "words": order.value, "raw": raw, "reads": reads}


async def _identify(client: ModbusClient, unit: int) -> list[dict[str, object]]:
    """The objects of the regular identification, or of the basic one where there is no other."""
    try:
        found = await _objects(client, unit, REGULAR)
    except NotSupported:
        found = await _objects(client, unit, BASIC)
    return [
        {
            "object": OBJECTS[number] if number < len(OBJECTS) else number,
            "reads": octets.decode("ascii", "replace"),
        }
        for number, octets in sorted(found.items())
    ]


async def _objects(client: ModbusClient, unit: int, level: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    following = 0
    for _ in range(MOST_REPLIES):
        pdu, _at = await client.request(unit, bytes([IDENTIFICATION, MEI, level, following]), WITHIN_S)
        if pdu[0] == IDENTIFICATION | 0x80:
            raise NotSupported("The device does not tell who it is", code=pdu[1] if len(pdu) > 1 else None)
        more, following = _take(pdu, found)
        if not more:
            return found
    raise BadFrame("The device does not end telling who it is")


def _take(pdu: bytes, found: dict[int, bytes]) -> tuple[bool, int]:
    head = 7
    if len(pdu) < head or pdu[:2] != bytes([IDENTIFICATION, MEI]):
        raise BadFrame("The reply does not fit the request", function=pdu[0], octets=len(pdu))
    at = head
    for _ in range(pdu[6]):
        octets = pdu[at + 2 : at + 2 + pdu[at + 1]] if at + 1 < len(pdu) else None
        if octets is None or len(octets) != pdu[at + 1]:
            raise BadFrame("The reply ends within an object", octets=len(pdu))
        found[pdu[at]] = octets
        at += 2 + len(octets)
    return pdu[4] == 0xFF, pdu[5]  # noqa: PLR2004  the standard's "more follows"
