"""`energy-center backfill`: the demo's past, from the simulator, in the background."""

import argparse
import asyncio
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from energy_center import log
from energy_center.cli import out
from energy_center.services.backfill import backfill, be_polite
from energy_center.services.current_site import current_site
from energy_center.settings import Settings, default_state_dir
from energy_center.store.installation import installed_database

SUMMARY = "fill the demo's past with simulated history"


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{text}' needs its zone, such as 2026-11-24T08:00:00+08:00")
    return at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--simulated-site", type=Path, required=True, help="the simulator's list of equipment"
    )
    parser.add_argument("--seed", type=int, required=True, help="the seed of the running simulators")
    parser.add_argument("--fault", action="append", default=[], help="name@equipment:FROM..TO in the past")
    parser.add_argument("--start", type=_instant, help="where the past ends; now, when not given")


def run(args: argparse.Namespace) -> int:
    """Fill the past; 0 when it is there, 1 when it was stopped before."""
    settings = Settings()
    log.set_up(settings.log_level, settings.log_form)
    be_polite()
    simulator = [sys.executable, "-m", "simulators", "history"]
    simulator += ["--site", str(args.simulated_site), "--seed", str(args.seed)]
    simulator += [word for fault in args.fault for word in ("--fault", fault)]
    try:
        brought = asyncio.run(_fill(settings, simulator, args.start or datetime.now(UTC)))
    except asyncio.CancelledError:  # asked to end; the next start goes on from the last finished month
        return 1
    out.line(f"{brought:,} readings")
    return 0


async def _fill(settings: Settings, simulator: list[str], start: datetime) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with installed_database(settings) as db:
        return await backfill(
            db,
            await current_site(db),
            simulator,
            start,
            free_bytes=_free_bytes(settings),
            keep_days=settings.raw_retention_days,
        )


def _free_bytes(settings: Settings) -> int | None:
    """Free bytes where the embedded database keeps its data; None for a database elsewhere."""
    state_dir = settings.state_dir
    if state_dir is None and settings.database_url is None:
        state_dir = default_state_dir()
    return shutil.disk_usage(state_dir).free if state_dir is not None and state_dir.exists() else None
