"""`energy-center soak`: the long runs. Each part keeps its result in build/soak.json and docs/soak.md."""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.fault_kills import run_kills
from energy_center.cli.fault_stand import FaultStand
from energy_center.cli.processes import run_stoppably
from energy_center.cli.soak_drain import run_drain
from energy_center.cli.soak_memory import run_memory
from energy_center.cli.soak_report import Figure, SoakPart, keep
from energy_center.settings import PROJECT_ROOT

SUMMARY = "run for long: random kills, the drain after an outage, memory"
KILLS = 200
OUTAGE_MIN, MEMORY_MIN = 10.0, 30.0
PARTS = ("kills", "drain", "memory")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which parts, and how long."""
    parser.add_argument("--part", action="append", choices=PARTS, help="one; repeatable; default all")
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N", help=f"default {KILLS}")
    parser.add_argument(
        "--minutes", type=float, help=f"of outage ({OUTAGE_MIN:.0f}) or of watching memory ({MEMORY_MIN:.0f})"
    )
    parser.add_argument("--build", type=Path, default=PROJECT_ROOT / "build", help="folder of soak.json")
    parser.add_argument("--docs", type=Path, default=PROJECT_ROOT / "docs", help="folder of soak.md")


def run(args: argparse.Namespace) -> int:
    """0 when every figure is as it must be, else 1."""
    is_ok = True
    for name in args.part or PARTS:
        out.error(f"{name} …")
        part = run_stoppably(_part(name, args))
        keep(part, args.build, args.docs)
        out.table(
            (part.name, "measured", "unit", "goal", "verdict"),
            [(f.name, f"{f.number:,.10g}", f.unit, f.goal, "ok" if f.ok else "NOT OK") for f in part.figures],
        )
        is_ok = is_ok and part.ok
    return 0 if is_ok else 1


async def _part(name: str, args: argparse.Namespace) -> SoakPart:
    if name == "drain":
        return await run_drain(args.minutes or OUTAGE_MIN)
    if name == "memory":
        return await run_memory(args.minutes or MEMORY_MIN)
    return await _kills(args.kills)


async def _kills(kills: int) -> SoakPart:
    began = time.monotonic()
    async with FaultStand() as stand:
        await stand.start_collector()
        result = await run_kills(stand, kills)
    row = result.row
    return SoakPart(
        "kills",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        (time.monotonic() - began) / 60,
        f"{row.happens}, on the demo's devices: {row.must_hold}. {row.note.capitalize()}.",
        (
            Figure("readings owed", row.served, ""),
            Figure("missing", row.lost, "", "0", row.lost == 0),
            Figure("doubled", row.doubled, "", "0", row.doubled == 0),
            Figure(
                "in flight at a kill, so not owed",
                result.in_flight,
                "values",
                f"<= {result.in_window:,} that came within 100 ms before",
                result.in_flight <= result.in_window,
            ),
        ),
    )
