"""`energy-center probe`: hands its words to the probe of the collectors, which knows the protocols."""

import argparse
import os
import sys

SUMMARY = "read one device or register by hand"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A point of the site file, or a register of a device that no file describes yet."""
    parser.add_argument("equipment", nargs="?", help="equipment of the site file")
    parser.add_argument("point", nargs="?", help="one of its points; default all")
    parser.add_argument("--site", help="site file; default ENERGY_CENTER_SITE_FILE")
    parser.add_argument("--endpoints", help="JSON with other hosts and ports for connections")
    parser.add_argument("--modbus", metavar="HOST:PORT", help="a device without a site file")
    parser.add_argument("--unit", help="Modbus unit id, default 1")
    parser.add_argument("--table", choices=("holding", "input", "coil", "discrete"))
    parser.add_argument("--address", help="wire address, from 0")
    parser.add_argument("--count", help="registers or bits, default 2")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Replace this process by the probe."""
    names = ("site", "endpoints", "modbus", "unit", "table", "address", "count", "format")
    options = [
        word
        for name in names
        if getattr(args, name) is not None
        for word in (f"--{name}", getattr(args, name))
    ]
    places = [word for word in (args.equipment, args.point) if word is not None]
    words = [sys.executable, "-m", "collectors.probe", *places, *options]
    os.execv(sys.executable, words)  # noqa: S606  our own program
