"""What a fault run says: one row a fault, as JSON, as a table and as a page of the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from energy_center.cli.fault_ledger import Counts, Ledger

_SHOWN = 4


class Described(Protocol):
    """What every fault says of itself."""

    @property
    def name(self) -> str:
        """As in `--only`."""

    @property
    def happens(self) -> str:
        """What is done."""

    @property
    def must_hold(self) -> str:
        """The outcome that is expected."""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault: readings that were given to the collector, and of them lost or doubled in the database."""

    name: str
    happens: str
    must_hold: str
    served: int
    stored: int
    lost: int
    doubled: int
    ok: bool
    seconds: float
    note: str = ""


def row_of(fault: Described, counts: Ledger, seconds: float, note: str = "") -> FaultRow:
    """The row of counts that must be equal but for what cannot be known."""
    lost, doubled = counts.lost, counts.doubled
    maybe = (counts.unsure & (counts.stored - counts.sent)).total()
    notes = [note] if note else []
    if maybe:
        notes.append(f"{maybe} more near the time limit")
    if lost or doubled:
        notes.append(f"not equal: {examples(lost, doubled)}")
    return FaultRow(
        name=fault.name,
        happens=fault.happens,
        must_hold=fault.must_hold,
        served=counts.sent.total() + maybe,
        stored=counts.stored.total(),
        lost=lost.total(),
        doubled=doubled.total(),
        ok=counts.is_even and counts.sent.total() > 0,
        seconds=round(seconds, 1),
        note="; ".join(notes),
    )


def examples(lost: Counts, doubled: Counts) -> str:
    """The first points whose counts differ, lost as -n, doubled as +n."""
    unequal = [*((k, -n) for k, n in lost.items()), *doubled.items()]
    shown = [f"{'/'.join(k)} {n:+d}" for k, n in sorted(unequal)[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(unequal) - _SHOWN} more" if len(unequal) > _SHOWN else "")


def as_page(rows: Sequence[FaultRow], *, how: str, took_s: float) -> str:
    """The page `docs/faults.md`."""
    held = sum(r.ok for r in rows)
    announced = sum(r.lost for r in rows if r.ok)
    lines = [
        "# What faults cost",
        "",
        f"Made by {how} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC in {took_s / 60:.0f} min: the "
        "demo's devices on real sockets, a fault proxy before each, a real PostgreSQL, the collector as a "
        "process.",
        "",
        "Served is what the proxies let through: values in complete and valid replies within the time limit, "
        "and for MQTT every reading whose message the broker has confirmed to its publisher. Lost and "
        "doubled are counted per point in the database against it. Faults of different devices strike at "
        "once. After each fault, its device must have been read again. Where a limit is meant to drop, lost "
        "must equal what the collector announces.",
        "",
        f"**{held} of {len(rows)} faults ended as they must.** Of {sum(r.served for r in rows)} readings "
        f"{sum(r.doubled for r in rows)} were doubled and {sum(r.lost for r in rows)} lost, "
        f"{announced} of these announced by a full spool or disk.",
        "",
        "| fault | what happened | expected outcome | served | stored | lost | doubled | verdict |",
        "|---|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {r.name} | {'. '.join(filter(None, (r.happens, r.note)))} | {r.must_hold} | {r.served} | "
        f"{r.stored} | {r.lost} | {r.doubled} | {'ok' if r.ok else 'NOT OK'} |"
        for r in rows
    ]
    return "\n".join([*lines, ""])
