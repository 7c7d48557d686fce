"""One scored run: simulated history with injected faults, the rules over it, and how well they did."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_center.cli.detection_kinds import KINDS
from energy_center.cli.detection_plan import Injection
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Site
from energy_center.errors import EnvironmentProblem
from energy_center.rules.backtest import Finding, replay
from energy_center.rules.bind import Binding, bind
from energy_center.rules.device_samples import device_samples_from_readings
from energy_center.rules.find_rules import rules
from energy_center.rules.score import TrueFault
from energy_center.rules.window import US, Micros, Samples, grid, to_micros

Key = tuple[str, str]
QUICK_S = 10.0  # rules on a shorter step get readings of FINE_S
FINE_S = 10


@dataclass(frozen=True, slots=True)
class Scenario:
    """A simulated stretch of time."""

    simulator_site: Path
    seed: int
    start: datetime
    end: datetime
    step_s: int


@dataclass(frozen=True, slots=True)
class Past:
    """Simulated readings of the points that rules read, and the faults that were really there."""

    samples: Mapping[PointId, Samples]
    devices: Mapping[str, Samples]
    truth: tuple[TrueFault, ...]
    by_key: Mapping[Key, Samples]


def numbered(site: Site) -> Site:
    """The site with point numbers of our own, as no database gives them here."""
    numbers = iter(range(1, 1_000_000))
    return replace(site, equipment=tuple(_numbered(e, numbers) for e in site.equipment))


def _numbered(equipment: Equipment, numbers: Iterator[int]) -> Equipment:
    points = tuple(replace(p, point_id=PointId(next(numbers))) for p in equipment.points)
    return replace(equipment, points=points)


def bindings(site: Site, step_s: int) -> tuple[list[Binding], list[Binding]]:
    """Every rule where it applies: on the history's step or a longer one, and those that need a fine one.

    A generator cranks for ten seconds, which readings of five minutes cannot show.
    """
    found = bind(rules(), site)
    coarse = [b for b in found if b.timing.step_s >= QUICK_S]
    quick = [b for b in found if b.timing.step_s < QUICK_S]
    return (
        [_on_step(b, max(float(step_s), b.timing.step_s)) for b in coarse],
        [_on_step(b, float(FINE_S)) for b in quick],
    )


def _on_step(binding: Binding, step_s: float) -> Binding:
    return replace(binding, timing=replace(binding.timing, step_s=step_s))


def simulate(
    site: Site,
    bound: Sequence[Binding],
    scenario: Scenario,
    faults: Sequence[Injection] = (),
    more: Set[Key] = frozenset(),
) -> Past:
    """Run the simulator over the scenario and take its readings, of `more` signals too.

    Raises EnvironmentProblem with the simulator's own words when it refuses.
    """
    wanted = {p.key: p.point_id for b in bound for p in b.all_points}
    device_of = {e.equipment_id: e.device_id for e in site.equipment if e.device_id}
    told = any(b.devices for b in bound)
    shown = {p.key: p.point_id for e in site.equipment for p in e.points[:1] if told}
    keys = sorted({*wanted, *shown, *more})
    with tempfile.TemporaryDirectory() as folder:
        points, truth = Path(folder) / "points.json", Path(folder) / "truth.json"
        points.write_text(json.dumps(keys), encoding="utf-8")
        at, readings = _read(_argv(scenario, points, truth, faults), keys, scenario)
        rows = json.loads(truth.read_text(encoding="utf-8"))
    by_key = dict(zip(keys, _all_samples(at, readings, scenario.step_s), strict=True))
    by_device: dict[str, list[Samples]] = {}
    for key in shown:
        if (device := device_of.get(key[0])) is not None:
            by_device.setdefault(device, []).append(by_key[key])
    devices = {device: device_samples_from_readings(found_) for device, found_ in by_device.items()}
    numbers = {**wanted, **shown}
    samples = {number: by_key[k] for k, number in numbers.items()}
    return Past(samples, devices, tuple(_fault(row, faults) for row in rows), by_key)


def judge(bound: Sequence[Binding], past: Past, scenario: Scenario, zone: ZoneInfo) -> list[Finding]:
    """Every rule over the past; the first day only warms the lookbacks up."""
    start = scenario.start + timedelta(days=1)
    runs = (replay(b, past.samples, past.devices, start, scenario.end, zone) for b in bound)
    return [finding for run in runs for finding in run.findings]


def _argv(scenario: Scenario, points: Path, truth: Path, faults: Sequence[Injection]) -> list[str]:
    argv = [sys.executable, "-m", "simulators", "history", "--site", str(scenario.simulator_site)]
    argv += ["--seed", str(scenario.seed), "--step", str(scenario.step_s)]
    argv += ["--from", scenario.start.isoformat(), "--to", scenario.end.isoformat()]
    argv += ["--points", str(points), "--truth", str(truth)]
    for fault in faults:
        argv += ["--fault", fault.option()]
    return argv


def _read(argv: Sequence[str], keys: Sequence[Key], scenario: Scenario) -> tuple[Micros, NDArray[np.float64]]:
    """Times in µs, shape (n,), and readings, shape (keys, n)."""
    times = grid(scenario.start, scenario.end, scenario.step_s)
    at = times - scenario.step_s * US  # from the start on, without the end
    readings = np.full((len(keys), len(at)), np.nan)
    filled = 0
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=said) as process:
            if process.stdout is None:
                raise EnvironmentProblem("The simulator gives no output")
            for head, block in _blocks(process.stdout, keys):
                first = to_micros(datetime.fromisoformat(str(head["from"])))
                begin = int(np.searchsorted(at, first))
                readings[:, begin : begin + block.shape[1]] = block
                filled += block.shape[1]
        if process.returncode != 0 or filled != len(at):
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
            raise EnvironmentProblem(f"The simulator stopped: {words[-1] if words else 'without a word'}")
    return at, readings


def _blocks(
    stream: IO[bytes], keys: Sequence[Key]
) -> Iterator[tuple[dict[str, object], NDArray[np.float64]]]:
    while line := stream.readline():
        head: dict[str, object] = json.loads(line)
        if "end" in head:
            return
        body = np.frombuffer(stream.read(int(str(head["bytes"]))), dtype="<f8").reshape(len(keys), -1)
        yield head, body


def _all_samples(at: Micros, readings: NDArray[np.float64], step_s: int) -> Iterator[Samples]:
    """Each row's samples; those of rows without a gap share their times, for memory's sake."""
    good = np.zeros(len(at), dtype=np.int16)
    for row in readings:
        there = ~np.isnan(row)
        if there.all():
            yield Samples(at, row, good, float(step_s))
        else:
            yield Samples(at[there], row[there], good[: int(there.sum())], float(step_s))


def _fault(row: Mapping[str, Any], injected: Sequence[Injection]) -> TrueFault:
    """The simulator's truth under the name that it was injected by."""
    start, end = datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"])
    for one in injected:
        simulated = KINDS[one.name].simulated_as or one.name
        if (one.place, one.start, simulated) == (row["equipment"], start, row["name"]):
            return TrueFault(one.name, one.place, start, end, one.below)
    return TrueFault(row["name"], row["equipment"], start, end)
