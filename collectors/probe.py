"""`python -m collectors.probe`: reads one equipment, point or register by hand, to commission a device.

A point is read exactly as the collectors read it; a bare register is shown under every plausible meaning; a
BACnet device tells what it holds (`probe_bacnet`).
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np

from collectors.decode import decode_words
from collectors.driver import BusContext, Message, PolledDriver, PushedDriver, Sample
from collectors.drivers.modbus import ModbusClient, payload_of, read_request
from collectors.probe_bacnet import add_arguments, discover
from collectors.registry import make_driver
from energy_center.config.bindings import (
    ModbusSource,
    Plant,
    PointBinding,
    Protocol,
    RegisterType,
    Table,
    WordOrder,
)
from energy_center.config.load_site import load_site, move_connections
from energy_center.domain.quantities import QUANTITIES, Role
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway, EnergyCenterError, NotFound
from energy_center.settings import Settings

PATIENCE_S = 70.0  # for a message that is published once a minute


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m collectors.probe", description=__doc__)
    parser.add_argument("equipment", nargs="?", help="equipment of the site file")
    parser.add_argument("point", nargs="?", help="one of its points; default all")
    parser.add_argument("--site", type=Path)
    parser.add_argument("--endpoints", type=Path)
    parser.add_argument("--modbus", metavar="HOST:PORT", help="a device without a site file")
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--table", choices=[t.value for t in Table], default=Table.HOLDING.value)
    parser.add_argument("--address", type=int, default=0, help="wire address, from 0")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_arguments(parser)
    return parser.parse_args(argv)


async def read_registers(args: argparse.Namespace) -> list[dict[str, object]]:
    """Registers of a device, and what they would mean as each type and word order."""
    host, _, port = args.modbus.rpartition(":")
    client = ModbusClient()
    await client.connect(host, int(port), 3.0)
    try:
        table = Table(args.table)
        pdu, _ = await client.request(args.unit, read_request(table, args.address, args.count), 3.0)
        payload = payload_of(pdu, table, args.count)
    finally:
        client.abort()
    if table.is_bits:
        bits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")[: args.count]
        return [{"address": args.address + i, "type": "bool", "reads": int(b)} for i, b in enumerate(bits)]
    words = np.frombuffer(payload, ">u2").tolist()
    return [row for i in range(len(words)) for row in meanings(args.address + i, words[i:])]


def meanings(address: int, words: list[int]) -> list[dict[str, object]]:
    """What the words from an address mean as each type that fits into them."""
    rows: list[dict[str, object]] = []
    for kind in RegisterType:
        if kind is RegisterType.BOOL or kind.registers > len(words):
            continue
        for order in WordOrder if kind.registers > 1 else (WordOrder.BIG,):
            source = ModbusSource(0, Table.HOLDING, address, kind, order)
            binding = PointBinding(("", ""), Role.FREQUENCY, "", "", 1.0, Linear(), source)
            value, _ = decode_words(binding, words[: kind.registers])
            raw = " ".join(f"{w:04X}" for w in words[: kind.registers])
            rows.append(
                {"address": address, "type": kind.value, "words": order.value, "raw": raw, "reads": value}
            )
    return rows


async def read_points(plant: Plant, args: argparse.Namespace) -> list[dict[str, object]]:
    """One equipment's points as the collectors read them."""
    wanted = tuple(b for b in plant.bindings if b.key[0] == args.equipment and args.point in (None, b.key[1]))
    if not wanted:
        raise NotFound(f"The site has no points '{args.equipment}/{args.point or '*'}'")
    connection = next(c for c in plant.connections if c.connection_id == wanted[0].connection_id)
    devices = tuple(d for d in plant.devices if d.device_id == wanted[0].device_id)
    driver = make_driver(BusContext(connection, devices, wanted, "energy-center-probe"))
    if connection.protocol is Protocol.MQTT:
        # the registry pairs the kinds of connection with the kinds of driver
        return await _one_message(cast("PushedDriver", driver))
    polled = cast("PolledDriver[Any]", driver)
    await polled.open()
    try:
        rows: list[dict[str, object]] = []
        for block in polled.plan(devices, wanted):
            rows += _rows(block.bindings, await polled.read(block))
        return rows
    finally:
        await polled.close()


async def _one_message(driver: PushedDriver) -> list[dict[str, object]]:
    came: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def take(message: Message) -> None:
        if not came.done():
            came.set_result(message)

    listening = asyncio.ensure_future(driver.run(take, lambda: None))
    try:
        waited: set[asyncio.Future[Any]] = {came, listening}
        await asyncio.wait(waited, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if not came.done():
            raise DeviceAway("No message came")
        return _rows(came.result().bindings, came.result().sample)
    finally:
        listening.cancel()
        await asyncio.wait({listening}, timeout=5.0)


def _rows(bindings: tuple[PointBinding, ...], sample: Sample) -> list[dict[str, object]]:
    return [
        {
            "point": "/".join(b.key),
            "value": None if np.isnan(value) else round(float(value), 6),
            "unit": QUANTITIES[b.role].unit,
            "quality": str(Quality(int(flags)).name or "GOOD"),
        }
        for b, value, flags in zip(bindings, sample.values, sample.quality, strict=True)
    ]


async def _probe(args: argparse.Namespace) -> list[dict[str, object]]:
    if args.modbus:
        return await read_registers(args)
    site = args.site or Settings().site_file
    if site is None or args.equipment is None:
        raise NotFound(
            "Say what to read: an equipment with --site FILE, --modbus HOST:PORT, or --bacnet HOST --discover"
        )
    plant = load_site(site)
    return await read_points(move_connections(plant, args.endpoints) if args.endpoints else plant, args)


def main(argv: list[str] | None = None) -> int:
    """Print what was read; 1 when the device does not answer."""
    args = _arguments(argv)
    try:
        if args.discover or args.bacnet or args.bbmd:
            sys.stdout.write(asyncio.run(discover(args)))
            return 0
        rows = asyncio.run(_probe(args))
    except EnergyCenterError as problem:
        sys.stderr.write(f"probe: {problem}\n")
        return 1
    if args.format == "json":
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return 0
    for row in rows:
        sys.stdout.write("  ".join(f"{v!s:<12}" for v in row.values()).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
