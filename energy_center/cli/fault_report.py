"""What a fault run says: one row a fault, as JSON, as a table and as a page of the documentation."""

from dataclasses import dataclass
from datetime import UTC, datetime

from energy_center.cli.fault_stand import Counts, Ledger

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault: readings that were given, and of them lost or doubled in the database."""

    name: str
    expected: int
    stored: int
    lost: int
    doubled: int
    ok: bool
    must_hold: str
    seconds: float
    note: str = ""


def row_of(name: str, must_hold: str, counts: Ledger, seconds: float, note: str = "") -> FaultRow:
    """The row of counts that must be equal but for what cannot be known."""
    lost, doubled = counts.lost, counts.doubled
    maybe = (counts.unsure & (counts.stored - counts.sent)).total()
    notes = [note] if note else []
    if maybe:
        notes.append(f"{maybe} more near the time limit")
    if lost or doubled:
        notes.append(f"not equal: {examples(lost, doubled)}")
    is_ok = not lost and not doubled and counts.sent.total() > 0
    expected = counts.sent.total() + maybe
    stored = counts.stored.total()
    return FaultRow(
        name,
        expected,
        stored,
        lost.total(),
        doubled.total(),
        is_ok,
        must_hold,
        round(seconds, 1),
        "; ".join(notes),
    )


def examples(lost: Counts, doubled: Counts) -> str:
    """The first points whose counts differ, lost as -n, doubled as +n."""
    unequal = [*((k, -n) for k, n in lost.items()), *doubled.items()]
    shown = [f"{'/'.join(k)} {n:+d}" for k, n in sorted(unequal)[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(unequal) - _SHOWN} more" if len(unequal) > _SHOWN else "")


def as_page(rows: list[FaultRow], *, short: bool) -> str:
    """The page `docs/faults.md`."""
    held = sum(r.ok for r in rows)
    lines = [
        "# What faults cost",
        "",
        f"Made by `energy-center faults{' --short' if short else ''}` on "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: "
        "the demo's devices on real sockets, a fault proxy before each, a real PostgreSQL, the collector "
        "as a process.",
        "",
        "Expected is what the proxies let through: values in complete and valid replies within the time "
        "limit, and for MQTT every reading whose message the broker has confirmed to its publisher. Lost and "
        "doubled are counted per point in the database against it. Faults of different devices strike at "
        "once. After each fault, its device must have been read again.",
        "",
        f"{held} of {len(rows)} faults ended as they must; "
        f"lost {sum(r.lost for r in rows)}, doubled {sum(r.doubled for r in rows)} "
        f"of {sum(r.expected for r in rows)} readings.",
        "",
        "| fault | must hold | expected | stored | lost | doubled | ok | note |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    lines += [
        f"| {r.name} | {r.must_hold} | {r.expected} | {r.stored} | {r.lost} | {r.doubled} | "
        f"{'yes' if r.ok else 'NO'} | {r.note} |"
        for r in rows
    ]
    return "\n".join([*lines, ""])
