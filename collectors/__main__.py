"""`python -m collectors --site FILE`: the collector process. Settings come from the environment."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import numpy as np
import uvloop

from collectors.site_source import find_source
from collectors.spool import SpoolLimits
from collectors.supervisor import CollectorOptions, Supervisor
from energy_center import log
from energy_center.errors import EnergyCenterError
from energy_center.settings import Settings, default_state_dir


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m collectors", description="Read a site's devices.")
    parser.add_argument(
        "--site", type=Path, help="site file; default ENERGY_CENTER_SITE_FILE, else what was applied"
    )
    parser.add_argument("--endpoints", type=Path, help="JSON with other hosts and ports for connections")
    parser.add_argument("--state-dir", type=Path, help="where the spool is kept")
    return parser.parse_args(argv)


async def _options(args: argparse.Namespace, settings: Settings) -> CollectorOptions:
    parent = os.environ.get("ENERGY_CENTER_PARENT_PID", "")
    state_dir = args.state_dir or settings.state_dir or default_state_dir()
    dsn = settings.database_url.get_secret_value() if settings.database_url else None
    file, endpoints = args.site or settings.site_file, args.endpoints or settings.endpoints_file
    return CollectorOptions(
        state_dir=state_dir,
        dsn=dsn,
        parent_pid=int(parent) if parent.isdigit() else None,
        spool=SpoolLimits.within(settings.spool_max_bytes),
        source=await find_source(file, endpoints, state_dir, dsn),
    )


async def _run(args: argparse.Namespace, settings: Settings) -> None:
    options = await _options(args, settings)
    supervisor = Supervisor(options.source.load(), options)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, supervisor.stop)
    loop.add_signal_handler(signal.SIGHUP, supervisor.reload)
    await supervisor.run()


def tune() -> None:
    """Set numpy and the garbage collector for this kind of process."""
    np.seterr(invalid="ignore")  # a device may send signalling NaNs: they are no readings, and no news
    # messages live until their commit: looking through them at every 700th object took a third of the time
    gc.set_threshold(50_000, 20, 100)


def main(argv: list[str] | None = None) -> int:
    """Collect until SIGTERM or SIGINT; SIGHUP reads the site again. 2: it or this machine is not right."""
    args = _arguments(argv)
    try:
        settings = Settings()
        log.set_up(settings.log_level, settings.log_form)
        tune()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(args, settings))
    except EnergyCenterError as problem:
        sys.stderr.write(f"collectors: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
