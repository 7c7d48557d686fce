"""`energy-center probe`: hands its words to the probe of the collectors, which knows the protocols."""

import argparse
import os
import sys

SUMMARY = "read one device or register by hand, or discover what BACnet devices hold"
_VALUES = ("site", "endpoints", "modbus", "unit", "table", "address", "count", "format")
_BACNET = ("bacnet", "bbmd", "device", "low", "high", "most", "wait", "timeout")
_FLAGS = ("identify", "discover", "as_profile", "as_site")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A point of the site file, or a device that no file describes yet: its registers, or all its objects."""
    parser.add_argument("equipment", nargs="?", help="equipment of the site file")
    parser.add_argument("point", nargs="?", help="one of its points; default all")
    parser.add_argument("--site", help="site file; default ENERGY_CENTER_SITE_FILE")
    parser.add_argument("--endpoints", help="JSON with other hosts and ports for connections")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    modbus = parser.add_argument_group("Modbus", "registers under every type and word order they could have")
    modbus.add_argument("--modbus", metavar="HOST:PORT", help="a device without a site file")
    modbus.add_argument("--unit", help="unit id, default 1")
    modbus.add_argument("--table", choices=("holding", "input", "coil", "discrete"))
    modbus.add_argument("--address", help="wire address, from 0")
    modbus.add_argument("--count", help="registers or bits, default 2")
    modbus.add_argument("--identify", action="store_true", help="ask who it is (function 43/14)")
    bacnet = parser.add_argument_group(
        "BACnet", "who is there, and each object's name, unit, value and states"
    )
    bacnet.add_argument("--bacnet", metavar="HOST[:PORT]", help="device, router or broadcast address")
    bacnet.add_argument("--bbmd", metavar="HOST:PORT", help="ask through this BBMD, as a foreign device")
    bacnet.add_argument("--discover", action="store_true", help="find devices; of a single one, its objects")
    bacnet.add_argument("--device", help="this device instance alone, with its objects")
    bacnet.add_argument("--low", help="lowest device instance that shall answer")
    bacnet.add_argument("--high", help="highest one")
    bacnet.add_argument("--most", help="objects to describe, default 5000")
    bacnet.add_argument("--wait", help="seconds that devices have to say they exist, default 3")
    bacnet.add_argument("--timeout", help="seconds that a request may take, default 4")
    bacnet.add_argument("--as-profile", action="store_true", help="a device profile in YAML, to be completed")
    bacnet.add_argument("--as-site", action="store_true", help="connections of a site file in YAML")


def run(args: argparse.Namespace) -> int:
    """Replace this process by the probe."""
    options = [
        word
        for name in (*_VALUES, *_BACNET)
        if getattr(args, name) is not None
        for word in (f"--{name}", getattr(args, name))
    ]
    options += [f"--{name.replace('_', '-')}" for name in _FLAGS if getattr(args, name)]
    places = [word for word in (args.equipment, args.point) if word is not None]
    words = [sys.executable, "-m", "collectors.probe", *places, *options]
    os.execv(sys.executable, words)  # noqa: S606  our own program
