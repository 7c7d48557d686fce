"""`python -m collectors.probe`: reads one equipment, point or register by hand, to commission a device.

A point is read exactly as the collectors read it; a bare register is shown under every plausible meaning
(`probe_modbus`); a BACnet device tells what it holds (`probe_bacnet`).
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np

from collectors.driver import BusContext, Message, PolledDriver, PushedDriver, Sample
from collectors.probe_bacnet import add_arguments as add_bacnet_arguments
from collectors.probe_bacnet import discover
from collectors.probe_modbus import add_arguments as add_modbus_arguments
from collectors.probe_modbus import read_modbus
from collectors.registry import make_driver
from energy_center.config.bindings import Plant, PointBinding, Protocol
from energy_center.config.load_site import load_site, move_connections
from energy_center.domain.quantities import QUANTITIES
from energy_center.domain.readings import Quality
from energy_center.errors import DeviceAway, EnergyCenterError, NotFound
from energy_center.settings import Settings

PATIENCE_S = 70.0  # for a message that is published once a minute


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m collectors.probe", description=__doc__)
    parser.add_argument("equipment", nargs="?", help="equipment of the site file")
    parser.add_argument("point", nargs="?", help="one of its points; default all")
    parser.add_argument("--site", type=Path)
    parser.add_argument("--endpoints", type=Path)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_modbus_arguments(parser)
    add_bacnet_arguments(parser)
    return parser.parse_args(argv)


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
        return await read_modbus(args)
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
