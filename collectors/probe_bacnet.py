"""Discovery by hand: BACnet devices of a network, or all objects of one, as a table, JSON or YAML."""

import argparse
import json
import sys

from collectors.drivers.bacnet_discover import LAST_INSTANCE, Search, find_devices
from collectors.drivers.bacnet_inventory import Inventory
from collectors.found_bacnet import (
    PORT,
    FoundDevice,
    as_profile,
    as_site,
    as_table,
    device_row,
    object_row,
)
from collectors.probe_address import address_in
from energy_center.errors import NotFound

MOST_OBJECTS = 5_000
MOST_DEVICES = 200  # whose names are read one after another


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to look for and how to show it."""
    group = parser.add_argument_group("BACnet discovery")
    group.add_argument("--bacnet", metavar="HOST[:PORT]", help="device, router or broadcast address")
    group.add_argument("--bbmd", metavar="HOST:PORT", help="ask through this BBMD, as a foreign device")
    group.add_argument("--discover", action="store_true", help="find devices; of a single one, its objects")
    group.add_argument("--device", type=int, help="this device instance alone, with its objects")
    group.add_argument("--low", type=int, default=0, help="lowest device instance that shall answer")
    group.add_argument("--high", type=int, default=LAST_INSTANCE, help="highest one")
    group.add_argument("--most", type=int, default=MOST_OBJECTS, help="objects to describe, default 5000")
    group.add_argument("--wait", type=float, default=3.0, help="seconds that devices have to say they exist")
    group.add_argument("--timeout", type=float, default=4.0, help="seconds that a request may take")
    group.add_argument("--as-profile", action="store_true", help="a device profile in YAML, to be completed")
    group.add_argument("--as-site", action="store_true", help="connections of a site file in YAML")


def search_of(args: argparse.Namespace) -> Search:
    """Whom to ask; raises NotFound for what makes no sense."""
    if not args.discover:
        raise NotFound("Say --discover to look for devices and their objects")
    if args.bacnet is None and args.bbmd is None:
        raise NotFound("Say where to look: --bacnet HOST[:PORT] or --bbmd HOST:PORT")
    host, port = None, PORT
    if args.bacnet is not None:
        host, port = address_in("--bacnet", args.bacnet, PORT)
    if args.bbmd is not None:
        address_in("--bbmd", args.bbmd, PORT)
    low, high = (args.device, args.device) if args.device is not None else (args.low, args.high)
    if not 0 <= low <= high <= LAST_INSTANCE:
        raise NotFound(f"Device instances go from 0 to {LAST_INSTANCE}, found {low} to {high}")
    return Search(host, port, args.bbmd, low, high, args.wait, args.timeout)


def say(text: str) -> None:
    """Progress, apart from what was found."""
    sys.stderr.write(f"probe: {text}\n")


async def discover(args: argparse.Namespace) -> str:
    """Look, and put into words what was found."""
    search = search_of(args)
    devices = await find_devices(search, say)
    if not devices:
        raise NotFound("No device has answered", host=search.host, bbmd=search.bbmd)
    say(f"{len(devices)} device(s) answered")
    if len(devices) == 1 and not args.as_site:
        inventory = Inventory(devices[0], args.timeout, args.bbmd, say)
        devices = [await inventory.all(args.most)]
    else:
        if args.as_profile:
            numbers = ", ".join(str(d.instance) for d in devices[:20])
            raise NotFound(f"A profile is of one device; say --device and one of {numbers}")
        devices = [await Inventory(d, args.timeout, args.bbmd, say).about() for d in devices[:MOST_DEVICES]]
    return shown(devices, args)


def shown(devices: list[FoundDevice], args: argparse.Namespace) -> str:
    """As asked for."""
    if args.as_profile:
        return as_profile(devices[0])
    if args.as_site:
        return as_site(devices)
    if args.format == "json":
        rows = [{**device_row(d), "objects": [object_row(o) for o in d.objects]} for d in devices]
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    lines = []
    for device in devices:
        row = device_row(device)
        said = " ".join(str(row[k]) for k in ("vendor", "model", "firmware", "name", "location") if row[k])
        lines.append(f"device {device.instance} at {device.place}  {said}".rstrip())
        if device.objects:
            lines += as_table(device.objects)
        if device.incomplete:
            lines.append(f"incomplete: {device.incomplete}")
    if len(devices) > 1:
        lines.append("say --device and one of these instances for its objects")
    return "\n".join(lines) + "\n"
