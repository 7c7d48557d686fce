"""`energy-center collect`: becomes the collector process."""

import argparse
import os
import sys

SUMMARY = "run the collectors of a site"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Site, endpoints and state directory; each has an environment variable too."""
    parser.add_argument("--site", help="site file; default ENERGY_CENTER_SITE_FILE")
    parser.add_argument("--endpoints", help="JSON with other hosts and ports for connections")
    parser.add_argument("--state-dir", help="where the spool is kept")


def run(args: argparse.Namespace) -> int:
    """Replace this process, so that signals reach the collectors directly."""
    given = (("--site", args.site), ("--endpoints", args.endpoints), ("--state-dir", args.state_dir))
    words = [word for name, value in given if value is not None for word in (name, value)]
    os.execv(sys.executable, [sys.executable, "-m", "collectors", *words])  # noqa: S606  our own program
