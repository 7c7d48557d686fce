"""Runs faults in waves on one stand: strike, wait, repair, wait until the devices are read again, count."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from energy_center.cli import out
from energy_center.cli.fault_breaks import Broken
from energy_center.cli.fault_ledger import Ledger
from energy_center.cli.fault_report import FaultRow, row_of
from energy_center.cli.fault_stand import FaultStand
from energy_center.cli.fault_system import SystemFault
from energy_center.cli.fault_table import BROKER_FAULTS, DEVICE_WAVES, Fault
from energy_center.config.bindings import PointKey

_ALONE = (
    "no-fault",
    "device-muted",
    "broker-silent",
    "broker-restart",
    "broker-queue-full",
    "collector-killed",
    "collector-restarted",
    "clock-forward",
    "clock-back",
    "spool-byte-limit",
)


@dataclass(frozen=True, slots=True)
class Wave:
    """Faults at once: of devices, and one at most of the system."""

    faults: tuple[Fault, ...] = ()
    system: SystemFault | None = None


def waves(wanted: set[str], system: Sequence[SystemFault]) -> Iterator[Wave]:
    """The wanted faults in as few waves as bear each other; broker faults go along with the others."""
    broker = [f for f in BROKER_FAULTS if f.name in wanted]
    for faults in DEVICE_WAVES:
        chosen = [f for f in faults if f.name in wanted]
        if not chosen:
            continue
        if broker and not any(f.is_message for f in chosen):
            chosen.append(broker.pop(0))
        yield Wave(tuple(chosen))
    for fault in system:
        if fault.name not in wanted:
            continue
        along = (broker.pop(0),) if broker and fault.name not in _ALONE else ()
        yield Wave(along, fault)
    yield from (Wave((fault,)) for fault in broker)


async def run_wave(stand: FaultStand, wave: Wave, seconds: float) -> list[FaultRow]:
    """One wave; the rows of its faults."""
    names = [*(f.name for f in wave.faults), *([wave.system.name] if wave.system else [])]
    out.error(", ".join(names) + " …")
    began = time.monotonic()
    for fault in wave.faults:
        await _begin(stand, fault)
    broken = Broken()
    if wave.system is not None:
        broken = await wave.system.make(stand, seconds)
    else:
        await asyncio.sleep(seconds)
    for fault in wave.faults:
        await stand.control("proxy", do="end", **_place(fault))
    polled = {f.at for f in wave.faults if not f.is_message and f.at != "broker"}
    silent = await stand.until_read_again({at: await stand.given_by(at) for at in polled})
    counts = await stand.settle()
    took = time.monotonic() - began
    rows = [_device_row(stand, f, counts, took, silent) for f in wave.faults]
    if wave.system is not None:
        rows.append(await _system_row(stand, wave, counts, took, broken))
    return rows


async def _begin(stand: FaultStand, fault: Fault) -> None:
    more: dict[str, object] = {"fault": fault.does}
    if fault.does == "illegal-address":
        more["register"] = stand.first_register(fault.at)
    await stand.control("proxy", do="begin", **_place(fault), **more)


def _place(fault: Fault) -> dict[str, object]:
    return {"equipment" if fault.is_message else "connection": fault.at}


def _points(stand: FaultStand, fault: Fault) -> set[PointKey]:
    if fault.is_message:
        return {b.key for b in stand.plant.bindings if b.key[0] == fault.at}
    return stand.points_of(fault.at)


def _device_row(stand: FaultStand, fault: Fault, counts: Ledger, took: float, silent: set[str]) -> FaultRow:
    row = row_of(fault, counts.of(_points(stand, fault)), took)
    if fault.at not in silent:
        return row
    return replace(row, ok=False, note=f"{row.note} not read again".strip())


async def _system_row(stand: FaultStand, wave: Wave, counts: Ledger, took: float, broken: Broken) -> FaultRow:
    fault = wave.system
    if fault is None:
        raise TypeError("a wave without a fault of the system")
    elsewhere = {key for f in wave.faults for key in _points(stand, f)}
    mine = counts.of({b.key for b in stand.plant.bindings} - elsewhere)
    row = row_of(fault, mine, took, broken.note)
    if broken.committed is not None:
        return await _after_kill(stand, mine, row, broken)
    if broken.announced is not None:
        unsure = mine.unsure.total()
        is_ok = not row.doubled and row.lost <= broken.announced <= row.lost + unsure
        near = (
            f", {broken.announced - row.lost} of them near the time limit"
            if broken.announced > row.lost
            else ""
        )
        return replace(row, ok=is_ok, note=f"announced as dropped: {broken.announced}{near}; {row.note}")
    return row


async def _after_kill(stand: FaultStand, counts: Ledger, row: FaultRow, broken: Broken) -> FaultRow:
    """Polled values that were on their way to the disk are not owed; what was on disk or published is."""
    missing = len((broken.committed or set()) - await stand.instants())
    published = stand.published(counts.lost).total()
    in_flight = counts.lost.total() - published
    note = (
        f"{broken.note}; {in_flight} polled values were on their way; {broken.in_window} came within 100 ms"
    )
    return replace(
        row,
        served=row.served - in_flight,
        lost=missing + published,
        ok=missing == 0 and published == 0 and row.doubled == 0,
        note=note,
    )
