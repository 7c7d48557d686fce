"""`energy-center intervals --csv FILE`: the energy of every interval, and what happened to the register."""

import argparse
import csv
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.grid import Step
from energy_center.analysis.intervals import Energies
from energy_center.analysis.registers import Exchange
from energy_center.cli import out
from energy_center.cli.csv_options import (
    add_csv_arguments,
    csv_options,
    export_document,
    tell_assumptions,
    tell_unusable,
)
from energy_center.errors import Invalid
from energy_center.services.meter_csv.read_export import read_export
from energy_center.services.study_export import Study, study

SUMMARY = "cut a meter's export into intervals and name what happened to its register"
_WHOLE = 0.99  # below it an interval is marked
_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_csv_arguments(parser)
    add_register_arguments(parser)
    parser.add_argument("--by", choices=[s.value for s in Step], help="default: day in text, else 15min")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")


def add_register_arguments(parser: argparse.ArgumentParser) -> None:
    """What is known of the register; shared with `demand`."""
    parser.add_argument(
        "--max-kw", type=float, help="the fastest it can count, kWh an hour; learnt without it"
    )
    parser.add_argument("--rollover", type=float, metavar="NUMBER", help="where it begins again at 0")
    parser.add_argument(
        "--exchange",
        action="append",
        default=[],
        metavar="TIME=LAST:FIRST",
        help="meter exchanged: both registers",
    )


def read_study(args: argparse.Namespace) -> Study:
    """The file of the command line, made ready."""
    export = read_export(args.csv, csv_options(args))
    zone = ZoneInfo(export.zone)
    return study(export, args.max_kw, args.rollover, [_exchange(text, zone) for text in args.exchange])


def _exchange(text: str, zone: ZoneInfo) -> Exchange:
    when, _, registers = text.partition("=")
    last, colon, first = registers.partition(":")
    try:
        at = datetime.fromisoformat(when)
        numbers = [float(part) if part else None for part in (last, first)]
    except ValueError:
        colon = ""
    if not colon:
        raise Invalid(f"--exchange {text}: expected TIME=LAST:FIRST, such as 2026-03-02T10:00=98123.4:0")
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    return Exchange(at.timestamp(), numbers[0], numbers[1])


def run(args: argparse.Namespace) -> int:
    """Print the intervals; 0 when every line could be used, else 1."""
    found = read_study(args)
    step = Step(args.by or ("day" if args.format == "text" else "15min"))
    energies = found.cut(step)
    if args.format == "json":
        out.as_json(_document(found, energies, step))
    elif args.format == "csv":
        _write_csv(found, energies)
    else:
        _tell(found, energies, step)
    return 1 if found.export.bad_count else 0


def local(at_s: float, zone: ZoneInfo) -> str:
    """An instant on the meter's wall, with its offset."""
    return datetime.fromtimestamp(at_s, zone).isoformat(sep=" ", timespec="minutes")


def _rows(found: Study, energies: Energies) -> list[tuple[str, str, float | None, float]]:
    edges = [local(float(at), found.zone) for at in energies.edges_s]
    return [
        (
            edges[i],
            edges[i + 1],
            None if np.isnan(energies.amount[i]) else float(energies.amount[i]),
            float(share),
        )
        for i, share in enumerate(energies.coverage)
    ]


def _document(found: Study, energies: Energies, step: Step) -> dict[str, object]:
    return {
        **export_document(found.export, found.assumptions),
        "events": [
            {"at": local(e.at_s, found.zone), "kind": e.kind.value, "before": e.before, "after": e.after}
            for e in found.events
        ],
        "gaps": [{"after": local(a, found.zone), "until": local(b, found.zone)} for a, b in found.gaps],
        "by": step.value,
        "method": energies.method.value,
        "total": energies.total,
        "coverage": energies.total_coverage,
        "intervals": [
            {"start": start, "end": end, "amount": amount, "coverage": round(share, 6)}
            for start, end, amount, share in _rows(found, energies)
        ],
    }


def _write_csv(found: Study, energies: Energies) -> None:
    tell_assumptions(found.assumptions)
    tell_unusable(found.export)
    unit = energy_unit(found)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["start", "end", unit, "coverage"])
    for start, end, amount, share in _rows(found, energies):
        writer.writerow([start, end, "" if amount is None else f"{amount:.6g}", f"{share:.4f}"])


def energy_unit(found: Study) -> str:
    """What the energies are in, as printed."""
    unit = found.export.unit
    return {"kW": "kWh", "kvar": "kvarh"}.get(unit, unit.replace(".", ""))


def _tell(found: Study, energies: Energies, step: Step) -> None:
    unit = energy_unit(found)
    tell_assumptions(found.assumptions)
    tell_unusable(found.export)
    tell_events(found)
    out.table(
        (step.value, unit, "coverage", ""),
        [
            (
                start,
                None if amount is None else f"{amount:,.3f}",
                f"{share:.1%}",
                "" if share >= _WHOLE else ("partial" if amount is not None else "missing"),
            )
            for start, _, amount, share in _rows(found, energies)
        ],
    )
    total = "unknown" if energies.total is None else f"{energies.total:,.3f} {unit}"
    out.line(f"total {total}, from {energies.method.value}, coverage {energies.total_coverage:.2%}")


def tell_events(found: Study) -> None:
    """Every reset, rollover, exchange, glitch and gap by its time."""
    for event in found.events:
        change = f"{event.before:,.10g} -> {event.after:,.10g}"
        out.line(f"{local(event.at_s, found.zone)}  {event.kind.value}: {change}")
    for before, after in found.gaps[:_SHOWN]:
        out.line(f"{local(before, found.zone)}  gap until {local(after, found.zone)}")
    if len(found.gaps) > _SHOWN:
        out.line(f"{len(found.gaps) - _SHOWN:,} more gaps (--format json lists all)")
