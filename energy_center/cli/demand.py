"""`energy-center demand --csv FILE`: block demand as the utility bills it, its maximum, running demand."""

import argparse
import csv
import sys
from datetime import datetime

import numpy as np

from energy_center.analysis.demand import Peak, Windows
from energy_center.cli import out
from energy_center.cli.csv_options import add_csv_arguments, export_document, tell_assumptions, tell_unusable
from energy_center.cli.intervals import add_register_arguments, local, read_study, tell_events
from energy_center.services.study_export import DemandStudy, Study, study_demand

SUMMARY = "find the highest demand in a meter's export"
_WHOLE = 0.99
_TOP = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_csv_arguments(parser)
    add_register_arguments(parser)
    parser.add_argument(
        "--block", type=float, default=15.0, metavar="MINUTES", help="length of a demand block"
    )
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the demand; 0 when every line could be used, else 1."""
    found = read_study(args)
    demand = study_demand(found, args.block * 60)
    if args.format == "json":
        out.as_json(_document(found, demand))
    elif args.format == "csv":
        _write_csv(found, demand.blocks)
    else:
        _tell(found, demand)
    return 1 if found.export.bad_count else 0


def _months(found: Study, blocks: Windows) -> dict[str, Peak | None]:
    """The highest whole block of each local month, None where no block is whole."""
    names = np.array([f"{datetime.fromtimestamp(float(at), found.zone):%Y-%m}" for at in blocks.start_s])
    peaks: dict[str, Peak | None] = {}
    for name in np.unique(names):
        part = names == name
        month = Windows(blocks.start_s[part], blocks.window_s, blocks.demand_kw[part], blocks.coverage[part])
        peaks[str(name)] = next(iter(month.highest(_WHOLE)), None)
    return peaks


def _peak(found: Study, peak: Peak | None, window_s: float) -> dict[str, object] | None:
    if peak is None:
        return None
    return {
        "demand_kw": round(peak.demand_kw, 6),
        "start": local(peak.start_s, found.zone),
        "end": local(peak.start_s + window_s, found.zone),
    }


def _document(found: Study, demand: DemandStudy) -> dict[str, object]:
    blocks, running = demand.blocks, demand.running
    return {
        **export_document(found.export, found.assumptions),
        "block_min": blocks.window_s / 60,
        "maximum": _peak(found, next(iter(blocks.highest(_WHOLE)), None), blocks.window_s),
        "highest": [_peak(found, peak, blocks.window_s) for peak in blocks.highest(_WHOLE, _TOP)],
        "months": {
            name: _peak(found, peak, blocks.window_s) for name, peak in _months(found, blocks).items()
        },
        "running_maximum": None
        if running is None
        else _peak(found, next(iter(running.highest(_WHOLE)), None), running.window_s),
        "blocks": len(blocks.start_s),
        "partial_blocks": int(np.sum(blocks.coverage < _WHOLE)),
    }


def _write_csv(found: Study, blocks: Windows) -> None:
    tell_assumptions(found.assumptions)
    tell_unusable(found.export)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["start", "kW", "coverage"])
    for at, kw, share in zip(blocks.start_s, blocks.demand_kw, blocks.coverage, strict=True):
        writer.writerow([local(float(at), found.zone), "" if np.isnan(kw) else f"{kw:.6g}", f"{share:.4f}"])


def _tell(found: Study, demand: DemandStudy) -> None:
    blocks = demand.blocks
    tell_assumptions(found.assumptions)
    tell_unusable(found.export)
    tell_events(found)
    minutes = f"{blocks.window_s / 60:g}-min"
    out.table(
        ("month", f"highest {minutes} block", "kW"),
        [
            (
                name,
                peak and local(peak.start_s, found.zone),
                f"{peak.demand_kw:,.2f}" if peak else "no whole block",
            )
            for name, peak in _months(found, blocks).items()
        ],
    )
    for what, windows in (
        (f"maximum {minutes} block", blocks),
        (f"maximum running {minutes}", demand.running),
    ):
        peak = next(iter(windows.highest(_WHOLE)), None) if windows is not None else None
        if peak is not None:
            out.line(f"{what}: {peak.demand_kw:,.2f} kW from {local(peak.start_s, found.zone)}")
    partial = int(np.sum(blocks.coverage < _WHOLE))
    out.line(
        f"{len(blocks.start_s):,} blocks, {partial:,} of them not wholly covered and left out of the maximum"
    )
