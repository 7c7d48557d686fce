"""`energy-center demo`: a live pair of city halls on one machine, from one command, stopped by Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.arguments import port
from energy_center.cli.demo_check import check_demo
from energy_center.cli.demo_stack import DEMO_USERS, DemoPlan, DemoStack
from energy_center.errors import EnvironmentProblem
from energy_center.settings import Settings, default_state_dir

SUMMARY = "everything on one machine: database, simulated buildings, collectors, server"
EXAMPLE_FAULT = "sump_pump_failed@ltb-sump-b3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the demo."""
    parser.add_argument("--port", type=port, default=None, help="web port; 0 takes a free one (default 8050)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weather and people (default 1)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[@EQUIPMENT][+SECONDS]")
    parser.add_argument("--no-history", action="store_true", help="leave out the 13 months of simulated past")
    parser.add_argument(
        "--state-dir", type=Path, default=None, help="where database, spool and logs are kept"
    )
    parser.add_argument(
        "--check", type=float, metavar="SECONDS", help="run without a person, print one JSON object, stop"
    )
    parser.add_argument(
        "--screenshots", type=Path, metavar="FOLDER", help="take the pictures of the pages, then stop"
    )


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C, SIGTERM, or the end of the check."""
    return asyncio.run(_run(_plan(args), args))


def _plan(args: argparse.Namespace) -> DemoPlan:
    settings = Settings()
    web_port = settings.port if args.port is None else args.port
    headless = args.check is not None or args.screenshots is not None
    return DemoPlan(
        state_dir=(args.state_dir or settings.state_dir or default_state_dir("demo")).resolve(),
        port=0 if headless and args.port is None else web_port,
        seed=args.seed,
        faults=tuple(args.fault),
        history=not args.no_history,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
    )


async def _run(plan: DemoPlan, args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    stack = DemoStack(plan)
    begun = datetime.now(UTC)
    try:
        starting = asyncio.ensure_future(stack.start())
        if await _first_of(starting, stop):
            return 130
        starting.result()
        if args.check is not None:
            return await check_demo(stack, args.check, stop)
        if args.screenshots is not None:
            return await _take_screenshots(stack, args.screenshots)
        took = (datetime.now(UTC) - begun).total_seconds()
        _say_where(stack, took)
        return await _until_stopped(stack, stop)
    finally:
        await stack.stop()


async def _first_of(task: asyncio.Future[None], stop: asyncio.Event) -> bool:
    """Wait for the task or for the stop; True when the stop came first (the task is then cancelled)."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        return False
    task.cancel()
    await asyncio.wait((task,))
    return True


async def _until_stopped(stack: DemoStack, stop: asyncio.Event) -> int:
    """Stay until Ctrl-C; a child that ends by itself is started again and said so once."""
    while not stop.is_set():
        await stack.restart_ended()
        try:
            async with asyncio.timeout(1.0):
                await stop.wait()
        except TimeoutError:
            continue
    out.line("\nstopping …")
    return 0


def _say_where(stack: DemoStack, took_s: float) -> None:
    out.line(f"\n  Energy Center 智慧能源管理中心   {stack.address}     (live after {took_s:.0f} s)\n")
    out.line("  log-ins of this demo (name / password):")
    for name, password, role, _ in DEMO_USERS:
        out.line(f"    {name:<12}{password:<14}{role}")
    out.line(f"\n  data and logs: {stack.plan.state_dir}")
    if stack.plan.history:
        out.line(
            "  13 months of simulated history fill in behind the live values; the overview shows how far."
        )
    out.line(f"  try a fault:   .venv/bin/energy-center simulate --start {EXAMPLE_FAULT}")
    out.line("  Ctrl-C stops everything.\n")


async def _take_screenshots(stack: DemoStack, folder: Path) -> int:
    """Run the repository's screenshot script against this demo."""
    script = Path(__file__).resolve().parents[2] / "tests" / "browser" / "screenshots.py"
    if not script.exists():
        raise EnvironmentProblem(f"{script} is missing: screenshots are taken from a clone of the repository")
    await stack.start_fault(EXAMPLE_FAULT)
    await stack.until_history(31)
    name, password, *_ = DEMO_USERS[-1]
    argv = [sys.executable, str(script), "--base-url", stack.address, "--user", name, "--password", password]
    process = await asyncio.create_subprocess_exec(*argv, "--out", str(folder.resolve()), env=os.environ)
    return await process.wait()
