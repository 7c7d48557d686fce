"""Answers as the simulator's history command does, with values that a test can work out by hand.

Registers (names ending in `_import` or `_export`) count 10 an hour since 1970; all else is 5, and NaN in the
last hour before the end for points named `rain_rate`. `--months-then-fail N` ends early, as a crash would.
"""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--from", dest="start", type=datetime.fromisoformat)
parser.add_argument("--to", dest="end", type=datetime.fromisoformat)
parser.add_argument("--step", type=int)
parser.add_argument("--points")
parser.add_argument("--log")
parser.add_argument("--months-then-fail", type=int, default=99)
args = parser.parse_args()

keys = json.loads(Path(args.points).read_text("utf-8"))
start_s, end_s = args.start.timestamp(), args.end.timestamp()
edges, month = [end_s], args.end.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
while month.timestamp() > start_s:
    edges.append(month.timestamp())
    month = (month - timedelta(days=1)).replace(day=1)
edges.append(start_s)
for sent, (later, earlier) in enumerate(pairwise(edges)):
    if sent >= args.months_then_fail:
        sys.exit(1)
    times = np.arange(np.ceil(earlier / args.step) * args.step, later, args.step)
    if not len(times):
        continue
    rows = []
    for _, name in keys:
        row = times / 360.0 if name.endswith(("_import", "_export")) else np.full(len(times), 5.0)
        rows.append(np.where(times >= end_s - 3600, np.nan, row) if name == "rain_rate" else row)
    body = np.array(rows, dtype="<f8").tobytes()
    began = datetime.fromtimestamp(float(times[0]), UTC).isoformat()
    header = {"from": began, "step_s": args.step, "n": len(times), "keys": keys, "bytes": len(body)}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + body)
    if args.log:
        with Path(args.log).open("a", encoding="utf-8") as log:
            log.write(f"{began}\n")
sys.stdout.buffer.write(b'{"end": true}\n')
