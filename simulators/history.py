"""The past of the simulated world as blocks of readings, newest month first.

Stream format: per block one JSON line (from, step_s, n, keys, bytes), then that many bytes of little-endian
float64, shape (len(keys), n) in C order, NaN where the device was silent; at last the line {"end": true}.
"""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from simulators.chunk import Chunk, Key, State
from simulators.compute import compute_chunk
from simulators.faults import Fault, affected, parse_fault, write_truth
from simulators.model import Model, load_model
from simulators.signals import Floats
from simulators.world import month_spans, origin_for


@dataclass(frozen=True, eq=False)
class Month:
    """Readings of one month; ``readings`` has shape (len(keys), n)."""

    start: dt.datetime
    step_s: int
    keys: tuple[Key, ...]
    readings: Floats


def history(
    model: Model,
    seed: int,
    start: dt.datetime,
    end: dt.datetime,
    step_s: int,
    keys: Sequence[Key] | None = None,
    *,
    faults: Sequence[Fault] = (),
    origin: float | None = None,
) -> Iterator[Month]:
    """Yield the months of start <= t < end, newest first, sampled at whole multiples of the step.

    Raises:
        KeyError: a key is not a signal of the model.
    """
    first = np.ceil(start.timestamp() / step_s) * step_s
    months: list[Month] = []
    state = State()
    begin = origin_for(end) if origin is None else origin
    for span in month_spans(begin, end.timestamp()):
        chunk = compute_chunk(model, seed, _whole_quarters(span), state, faults)
        state = chunk.state_at(chunk.grid.end)
        times = np.arange(max(first, np.ceil(span[0] / step_s) * step_s), span[1], step_s)
        if len(times):
            chosen = tuple(chunk.rows) if keys is None else tuple(keys)
            months.append(_sample(chunk, times, step_s, chosen, faults))
    while months:
        yield months.pop()


def _whole_quarters(span: tuple[float, float]) -> tuple[float, float]:
    """Return the span ended at a quarter-hour, so that history has the same knots as the live world."""
    return span[0], float(np.ceil(span[1] / 900.0) * 900.0)


def _sample(
    chunk: Chunk, times: Floats, step_s: int, keys: tuple[Key, ...], faults: Sequence[Fault]
) -> Month:
    place = chunk.grid.place(times)
    readings = np.empty((len(keys), len(times)))
    for row, key in enumerate(keys):
        readings[row] = chunk.read(key, place)
    for fault in faults:
        if fault.name == "meter_offline":
            names = {e.id for e in affected(chunk.model, fault.equipment_id)}
            silent = (times >= fault.start) & (times < fault.end)
            for row, key in enumerate(keys):
                if key[0] in names:
                    readings[row, silent] = np.nan
    return Month(dt.datetime.fromtimestamp(float(times[0]), dt.UTC), step_s, keys, readings)


def write_month(month: Month, stream: BinaryIO) -> None:
    """Write one block of the stream."""
    body = np.ascontiguousarray(month.readings, dtype="<f8").tobytes()
    header = {
        "from": month.start.isoformat(),
        "step_s": month.step_s,
        "n": month.readings.shape[1],
        "keys": [list(key) for key in month.keys],
        "bytes": len(body),
    }
    stream.write(json.dumps(header).encode() + b"\n" + body)
    stream.flush()


def _read_keys(path: Path) -> list[Key]:
    """Read a list of points: JSON [[equipment, signal], ...] or lines ``equipment/signal``."""
    text = path.read_text(encoding="utf-8").strip()
    if text.startswith("["):
        return [(str(pair[0]), str(pair[1])) for pair in json.loads(text)]
    return [(line.partition("/")[0], line.partition("/")[2]) for line in text.splitlines() if line.strip()]


def _instant(text: str) -> dt.datetime:
    time = dt.datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: a time needs its zone, such as 2026-01-01T00:00:00+08:00")
    return time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--from", dest="start", type=_instant, required=True)
    parser.add_argument("--to", dest="end", type=_instant, required=True)
    parser.add_argument("--step", type=int, default=900, help="seconds")
    parser.add_argument("--points", type=Path, help="file of points; all without it")
    parser.add_argument(
        "--out", type=Path, help="directory for one file per month; the stream goes to stdout without it"
    )
    parser.add_argument("--fault", action="append", default=[], help="name@equipment:FROM..TO")
    parser.add_argument("--truth", type=Path, help="file for the faults' true starts and ends")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the history stream; exit 2 when an option is wrong."""
    parser = argparse.ArgumentParser(prog="python -m simulators history")
    add_arguments(parser)
    args = parser.parse_args(argv)
    model = load_model(args.site)
    try:
        faults = [parse_fault(model, text) for text in args.fault]
    except ValueError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if args.truth:
        write_truth(args.truth, faults)
    keys = _read_keys(args.points) if args.points else None
    for month in history(model, args.seed, args.start, args.end, args.step, keys, faults=faults):
        if args.out is None:
            write_month(month, sys.stdout.buffer)
            continue
        args.out.mkdir(parents=True, exist_ok=True)
        name = f"{month.start:%Y%m%dT%H%M%SZ}.ech"
        with (args.out / name).open("wb") as stream:
            write_month(month, stream)
    if args.out is None:
        sys.stdout.buffer.write(b'{"end": true}\n')
        sys.stdout.buffer.flush()
    return 0
