"""`energy-center faults`: breaks the database, the collector, devices and the broker, and counts readings.

Each run has a stand of its own. Expected is what the simulated devices sent; lost and doubled are counted per
point against it. Writes build/faults.json and docs/faults.md.
"""

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from energy_center.cli import out
from energy_center.cli.fault_stand import Counts, FaultStand
from energy_center.errors import EnvironmentProblem
from energy_center.settings import PROJECT_ROOT

SUMMARY = "break devices and the database on purpose and count what was lost"


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault: readings that devices sent, and of them lost or doubled in the database."""

    name: str
    expected: int
    stored: int
    lost: int
    doubled: int
    ok: bool
    must_hold: str
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of each phase: before the fault, during it, after it."""

    before_s: float
    during_s: float
    after_s: float


LONG = Pace(20.0, 30.0, 30.0)
SHORT = Pace(8.0, 10.0, 10.0)

Scenario = Callable[[FaultStand, Pace], Awaitable[FaultRow]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which faults, and how long."""
    parser.add_argument("--short", action="store_true", help="10 s a fault instead of 30 s")
    parser.add_argument("--only", action="append", choices=sorted(SCENARIOS), help="one fault; repeatable")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--build", type=Path, default=PROJECT_ROOT / "build", help="folder of faults.json")
    parser.add_argument("--docs", type=Path, default=PROJECT_ROOT / "docs", help="folder of faults.md")


def run(args: argparse.Namespace) -> int:
    """0 when every fault ended as it must, else 1."""
    names = args.only or sorted(SCENARIOS)
    rows = asyncio.run(run_scenarios(names, SHORT if args.short else LONG))
    args.build.mkdir(parents=True, exist_ok=True)
    (args.build / "faults.json").write_text(json.dumps([asdict(r) for r in rows], indent=2) + "\n")
    if not args.only:
        args.docs.mkdir(parents=True, exist_ok=True)
        (args.docs / "faults.md").write_text(_as_page(rows, short=args.short), encoding="utf-8")
    if args.format == "json":
        out.as_json([asdict(r) for r in rows])
    else:
        out.table(
            ("fault", "sent", "stored", "lost", "doubled", "ok", "note"),
            [
                (r.name, r.expected, r.stored, r.lost, r.doubled, "yes" if r.ok else "NO", r.note)
                for r in rows
            ],
        )
    return 0 if all(r.ok for r in rows) else 1


async def run_scenarios(names: list[str], pace: Pace) -> list[FaultRow]:
    """Each fault on a stand of its own, one after the other."""
    rows = []
    for name in names:
        out.error(f"{name} …")
        async with FaultStand() as stand:
            await stand.start_collector()
            rows.append(await SCENARIOS[name](stand, pace))
    return rows


def _row(name: str, must_hold: str, sent: Counts, stored: Counts, began: float, note: str = "") -> FaultRow:
    lost = sum((sent - stored).values())
    doubled = sum((stored - sent).values())
    ok = lost == 0 and doubled == 0 and sent.total() > 0
    seconds = round(time.monotonic() - began, 1)
    if not ok:
        note = f"{note} not equal: {_examples(sent, stored)}".strip()
    return FaultRow(name, sent.total(), stored.total(), lost, doubled, ok, must_hold, seconds, note)


def _examples(sent: Counts, stored: Counts) -> str:
    """The first points whose counts differ, as `equipment/point sent:stored`."""
    unequal = sorted(k for k in sent | stored if sent[k] != stored[k])
    shown = [f"{'/'.join(k)} {sent[k]}:{stored[k]}" for k in unequal[:6]]
    return ", ".join(shown) + (f" and {len(unequal) - 6} more" if len(unequal) > 6 else "")  # noqa: PLR2004


async def no_fault(stand: FaultStand, pace: Pace) -> FaultRow:
    """Nothing is broken: the count itself must be right."""
    began = time.monotonic()
    await asyncio.sleep(pace.before_s + pace.during_s)
    sent, stored = await stand.settle()
    return _row("no-fault", "every reading sent is stored once", sent, stored, began)


async def database_killed(stand: FaultStand, pace: Pace) -> FaultRow:
    """SIGKILL the database server, start it again later."""
    began = time.monotonic()
    await asyncio.sleep(pace.before_s)
    await stand.postgres.kill()
    await asyncio.sleep(pace.during_s)
    await stand.postgres.start()
    await asyncio.sleep(pace.after_s)
    sent, stored = await stand.settle()
    promise = f"the database killed for {pace.during_s:.0f} s loses and doubles nothing"
    return _row("database-killed", promise, sent, stored, began)


async def collector_killed(stand: FaultStand, pace: Pace) -> FaultRow:
    """SIGKILL the collector, start it again on its spool."""
    began = time.monotonic()
    await asyncio.sleep(pace.before_s)
    await stand.kill_collector()
    committed = await stand.committed()
    await asyncio.sleep(pace.during_s / 3)
    await stand.restart_collector()
    await asyncio.sleep(pace.after_s)
    sent, stored = await stand.settle()
    missing = len(committed - await stand.instants())
    doubled = sum((stored - sent).values())
    in_flight = sum((sent - stored).values())
    published = sum((stand.published(sent) - stand.published(stored)).values())
    seconds = round(time.monotonic() - began, 1)
    return FaultRow(
        "collector-killed",
        sent.total() - in_flight,
        stored.total(),
        missing + published,
        doubled,
        missing == 0 and published == 0 and doubled == 0,
        "all that was on disk, or published at QoS 1, is stored once",
        seconds,
        f"{len(committed)} on disk at the kill; {in_flight} polled values were on their way to the disk",
    )


async def device_muted(stand: FaultStand, pace: Pace) -> FaultRow:
    """One Modbus line falls silent and comes back."""
    began = time.monotonic()
    await asyncio.sleep(pace.before_s)
    await stand.mute("ltb-hv-room")
    await asyncio.sleep(pace.during_s)
    before = await stand.sent()
    await stand.unmute("ltb-hv-room")
    await asyncio.sleep(pace.after_s + 10.0)  # a silent line is asked again every 9 s and a little
    after = await stand.sent()
    key = ("ltb-main", "active_power")
    sent, stored = await stand.settle()
    row = _row("device-muted", "a silent line loses nothing it sent and comes back", sent, stored, began)
    if after[key] > before[key]:
        return row
    return FaultRow(**{**asdict(row), "ok": False, "note": "the line was not read again"})


async def broker_silent(stand: FaultStand, pace: Pace) -> FaultRow:
    """The broker's process stands still for a while, as on a stalled machine."""
    began = time.monotonic()
    await asyncio.sleep(pace.before_s)
    broker = _broker_of(stand.simulators.pid)
    os.kill(broker, signal.SIGSTOP)
    try:
        await asyncio.sleep(min(pace.during_s, 20.0))
    finally:
        os.kill(broker, signal.SIGCONT)
    await asyncio.sleep(pace.after_s)
    sent, stored = await stand.settle()
    return _row("broker-silent", "messages published meanwhile are stored once", sent, stored, began)


def _broker_of(pid: int) -> int:
    children = psutil.Process(pid).children(recursive=True)
    for child in children:
        if any("iotcore" in word or "mosquitto" in word for word in child.cmdline()):
            return int(child.pid)
    raise EnvironmentProblem("the simulators have no broker process")


SCENARIOS: dict[str, Scenario] = {
    "no-fault": no_fault,
    "database-killed": database_killed,
    "collector-killed": collector_killed,
    "device-muted": device_muted,
    "broker-silent": broker_silent,
}


def _as_page(rows: list[FaultRow], *, short: bool) -> str:
    lines = [
        "# What faults cost",
        "",
        f"Made by `energy-center faults{' --short' if short else ''}` on "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: the demo's devices on real sockets, a real PostgreSQL, "
        "the collector as a process. Sent is what the devices count as sent; lost and doubled are counted "
        "per point in the database against it.",
        "",
        "| fault | must hold | sent | stored | lost | doubled | ok | note |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    lines += [
        f"| {r.name} | {r.must_hold} | {r.expected} | {r.stored} | {r.lost} | {r.doubled} | "
        f"{'yes' if r.ok else 'NO'} | {r.note} |"
        for r in rows
    ]
    return "\n".join([*lines, ""])
