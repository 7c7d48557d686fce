"""`energy-center worker`: rules, roll-ups, messages and other periodic work until told to stop."""

import argparse
import asyncio

from energy_center import log
from energy_center.jobs.worker import run_worker
from energy_center.settings import Settings

SUMMARY = "run rules, roll-ups, notifications and other periodic work"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options; each overrides its environment variable."""
    parser.add_argument(
        "--rules-interval", type=float, metavar="S", help="seconds between runs of the rules (default 60)"
    )


def run(args: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT."""
    settings = Settings()
    if args.rules_interval is not None:
        settings = settings.model_copy(update={"rules_interval_s": args.rules_interval})
    log.set_up(settings.log_level, settings.log_form)
    asyncio.run(run_worker(settings))
    return 0
