"""How long the rules take over a year of history, and against open-fdd's own on the same year.

One core. The history is two healthy weeks of the simulated city halls at one reading in five minutes, laid
end to end for a year, and the halls as often as 2,000 points need; read equipment by equipment, as a backtest
does. CPU time of `rules.backtest.replay`, from readings to the list of alarms, and memory in a process of its
own. open-fdd (from PyPI, with PyYAML, in an environment of its own under build/) judges an air handler's year
by its own `run_cookbook_rule`, from the frame to the result with its evidence; its bare masks, confirmed but
with nothing told about them, are in the last row. Medians of five runs.
"""

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.cli.detection_run import Past, Scenario, bindings, numbered, simulate
from energy_center.config.load_site import load_site
from energy_center.domain.quantities import Kind
from energy_center.rules.backtest import replay
from energy_center.rules.bind import Binding
from energy_center.rules.window import US, Samples, to_micros
from tests.bench.fdd_frame import OPEN_FDD_RULES, PAIRS, air_handler_year

GROUP = "Rules over a year"
POINTS, STEP_S, RUNS = 2_000, 300, 5
START = datetime(2026, 1, 5, tzinfo=UTC)
SEEN, YEAR = timedelta(days=15), timedelta(days=364)
ROOT = Path(__file__).parents[2]
SITE_FILE = ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATOR_SITE = ROOT / "simulators" / "sites" / "taichung.yaml"
OPEN_FDD = ROOT / "build" / "open-fdd"
Row = dict[str, object]


def rows() -> Iterator[Row]:
    """The year, and the ratio to open-fdd."""
    yield from _year()
    yield from _ratio()


def _year() -> Iterator[Row]:
    site, zone = numbered(load_site(SITE_FILE).site), ZoneInfo("Asia/Taipei")
    bound = [binding for group in bindings(site, STEP_S) for binding in group]
    scenario = Scenario(SIMULATOR_SITE, 1, START, START + SEEN, STEP_S)
    past = _weeks(simulate(site, bound, scenario, []))
    points = len({p.point_id for b in bound for p in b.all_points})
    times = -(-POINTS // points)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        took_s, peak_mib, before_mib, judged = pool.apply(_judge_year, (bound, past, zone, times))
    rules = len({b.rule.rule_id for b in bound})
    yield {
        "name": f"{rules} rules, {points * times:,} points, a year at 5 min, one core",
        "value": round(took_s, 1),
        "unit": "s",
        "against": f"{len(bound) * times:,} rules at equipment, {judged / took_s / 1e6:.1f} M steps/s",
        "goal": "<= 300",
    }
    yield {
        "name": "the same: memory beyond the history itself, at its highest",
        "value": round(peak_mib - before_mib, 1),
        "unit": "MiB",
        "against": f"{before_mib:,.0f} MiB before",
        "goal": "<= 200",
    }


def _weeks(past: Past) -> Past:
    """Two weeks after the first day, which warms up; the year is laid out of them equipment by equipment."""
    first, last = to_micros(START + timedelta(days=1)), to_micros(START + SEEN)
    return replace(past, samples={p: _between(s, first, last) for p, s in past.samples.items()})


def _between(samples: Samples, first: int, last: int) -> Samples:
    inside = (samples.at > first) & (samples.at <= last)
    return replace(
        samples, at=samples.at[inside], values=samples.values[inside], quality=samples.quality[inside]
    )


def _for_a_year(samples: Samples, kind: Kind) -> Samples:
    weeks = YEAR // timedelta(days=14)
    shift = np.repeat(np.arange(weeks, dtype=np.int64) * round(14 * 86_400 * US), len(samples.at))
    values = np.tile(samples.values, weeks)
    if kind is Kind.COUNTER and len(samples.at):
        values += np.repeat(np.arange(weeks), len(samples.at)) * (samples.values[-1] - samples.values[0])
    return Samples(
        np.tile(samples.at, weeks) + shift, values, np.tile(samples.quality, weeks), samples.interval_s
    )


def _judge_year(
    bound: list[Binding], past: Past, zone: ZoneInfo, times: int
) -> tuple[float, float, float, int]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before, took_s, judged = _peak_mib(), 0.0, 0
    start = START + timedelta(days=1)
    for _ in range(times):
        for binding in bound:
            year = {p.point_id: _for_a_year(past.samples[p.point_id], p.kind) for p in binding.all_points}
            began = time.process_time()
            found = replay(binding, year, past.devices, start, start + YEAR, zone)
            took_s += time.process_time() - began
            judged += found.judged_steps
    return took_s, _peak_mib(), before, judged


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ratio() -> Iterator[Row]:
    frame, bound, samples, zone, (start, end) = air_handler_year()
    python = _open_fdd()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "frame.npz"
        np.savez(data, **frame)
        program = Path(__file__).with_name("open_fdd_rules.py")
        argv = [str(python), str(program), str(data), str(RUNS), *OPEN_FDD_RULES]
        theirs = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    steps = len(frame["at"])
    ours = {b.rule.rule_id: _median_ms(lambda b=b: replay(b, samples, {}, start, end, zone)) for b in bound}
    for ours_id, theirs_id in PAIRS.items():
        yield {
            "name": f"{ours_id}, {steps:,} steps",
            "value": ours[ours_id],
            "unit": "ms",
            "against": f"open-fdd {theirs['version']} {theirs_id}: {theirs[theirs_id]:.3g} ms",
            "ratio": theirs[theirs_id] / ours[ours_id],
        }
    total, other = sum(ours[r] for r in PAIRS), sum(theirs[r] for r in PAIRS.values())
    masks = sum(theirs[f"{r}: detection alone"] for r in PAIRS.values())
    yield {
        "name": f"all {len(PAIRS)} together",
        "value": total,
        "unit": "ms",
        "against": f"open-fdd {theirs['version']}: {other:.3g} ms",
        "ratio": other / total,
        "goal": ">= 5x",
    }
    yield {
        "name": "the same, of open-fdd only the masks of its rules",
        "value": total,
        "unit": "ms",
        "against": f"open-fdd {theirs['version']}: {masks:.3g} ms",
        "ratio": masks / total,
    }


def _open_fdd() -> Path:
    python = OPEN_FDD / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(OPEN_FDD)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "open-fdd==4.4.9", "PyYAML", "pandas==3.1.1"],
            check=True,
        )
    return python


def _median_ms(call: Callable[[], object]) -> float:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)
