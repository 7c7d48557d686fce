"""`energy-center faults`: breaks devices, the database, the broker and the collector, and counts readings.

Faults run in waves on one stand. Writes build/faults.json and docs/faults.md; of chosen faults only the
first. `--kills N` kills the collector N times at random, after the chosen faults.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.fault_kills import run_kills
from energy_center.cli.fault_report import FaultRow, as_page
from energy_center.cli.fault_stand import FaultStand
from energy_center.cli.fault_system import SYSTEM_FAULTS
from energy_center.cli.fault_table import BROKER_FAULTS, DEVICE_WAVES
from energy_center.cli.fault_waves import run_wave, waves
from energy_center.cli.processes import run_stoppably
from energy_center.settings import PROJECT_ROOT

SUMMARY = "break devices and the database on purpose and count what was lost"
NAMES = sorted(
    [f.name for wave in DEVICE_WAVES for f in wave]
    + [f.name for f in BROKER_FAULTS]
    + [f.name for f in SYSTEM_FAULTS]
)
LONG_S, SHORT_S = 14.0, 5.0
FIRST_S = 5.0  # all devices have been read once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which faults, and how long."""
    parser.add_argument("--short", action="store_true", help=f"{SHORT_S:.0f} s a fault, not {LONG_S:.0f} s")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="FAULT", help="one; repeatable")
    parser.add_argument("--list", action="store_true", help="name the faults and end")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="then kill the collector N times")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--build", type=Path, default=PROJECT_ROOT / "build", help="folder of faults.json")
    parser.add_argument("--docs", type=Path, default=PROJECT_ROOT / "docs", help="folder of faults.md")


def run(args: argparse.Namespace) -> int:
    """0 when every fault ended as it must, else 1."""
    if args.list:
        out.line("\n".join(NAMES))
        return 0
    began = time.monotonic()
    rows = run_stoppably(_run_faults(args.only or NAMES, SHORT_S if args.short else LONG_S, args.kills))
    args.build.mkdir(parents=True, exist_ok=True)
    (args.build / "faults.json").write_text(json.dumps([asdict(r) for r in rows], indent=2) + "\n")
    if not args.only:
        args.docs.mkdir(parents=True, exist_ok=True)
        how = "`energy-center faults --short`" if args.short else "`make faults`"
        page = as_page(rows, how=how, took_s=time.monotonic() - began)
        (args.docs / "faults.md").write_text(page, encoding="utf-8")
    _show(rows, args.format)
    return 0 if all(r.ok for r in rows) else 1


def _show(rows: list[FaultRow], form: str) -> None:
    if form == "json":
        out.as_json([asdict(r) for r in rows])
        return
    out.table(
        ("fault", "served", "stored", "lost", "doubled", "verdict", "note"),
        [(r.name, r.served, r.stored, r.lost, r.doubled, "ok" if r.ok else "NOT OK", r.note) for r in rows],
    )


async def _run_faults(names: list[str], seconds: float, kills: int) -> list[FaultRow]:
    rows: list[FaultRow] = []
    async with FaultStand() as stand:
        await stand.start_collector()
        await asyncio.sleep(FIRST_S)
        for wave in waves(set(names), SYSTEM_FAULTS):
            rows += await run_wave(stand, wave, seconds)
        if kills:
            rows.append((await run_kills(stand, kills)).row)
    return rows
