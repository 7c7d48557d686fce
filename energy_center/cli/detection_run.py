"""One scored run: simulated history with injected faults, the rules over it, and how well they did."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_center.cli.detection_plan import Injection
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Site
from energy_center.errors import EnvironmentProblem
from energy_center.rules.backtest import Backtest, replay
from energy_center.rules.bind import Binding, bind
from energy_center.rules.device_samples import device_samples_from_readings
from energy_center.rules.find_rules import rules
from energy_center.rules.score import TrueFault
from energy_center.rules.window import US, Samples, to_micros

Key = tuple[str, str]


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


def numbered(site: Site) -> Site:
    """The site with point numbers of our own, as no database gives them here."""
    numbers = iter(range(1, 1_000_000))
    return replace(site, equipment=tuple(_numbered(e, numbers) for e in site.equipment))


def _numbered(equipment: Equipment, numbers: Iterator[int]) -> Equipment:
    points = tuple(replace(p, point_id=PointId(next(numbers))) for p in equipment.points)
    return replace(equipment, points=points)


def bindings(site: Site, step_s: int) -> list[Binding]:
    """Every rule where it applies, on the history's step."""
    return [replace(b, timing=replace(b.timing, step_s=float(step_s))) for b in bind(rules(), site)]


def simulate(site: Site, bound: Sequence[Binding], scenario: Scenario, faults: Sequence[Injection]) -> Past:
    """Run the simulator over the scenario and take its readings.

    Raises EnvironmentProblem with the simulator's own words when it refuses.
    """
    wanted = {p.key: p.point_id for b in bound for p in b.all_points}
    device_of = {e.equipment_id: e.device_id for e in site.equipment if e.device_id}
    shown = {p.key: p.point_id for e in site.equipment for p in e.points[:1]}
    keys = sorted({*wanted, *shown})
    with tempfile.TemporaryDirectory() as folder:
        points, truth = Path(folder) / "points.json", Path(folder) / "truth.json"
        points.write_text(json.dumps(keys), encoding="utf-8")
        readings, step_us, first = _read(_argv(scenario, points, truth, faults), keys)
        found = tuple(_fault(row, faults) for row in json.loads(truth.read_text(encoding="utf-8")))
    at = first + np.arange(readings.shape[1], dtype=np.int64) * step_us
    by_key = {k: _samples(at, row, scenario.step_s) for k, row in zip(keys, readings, strict=True)}
    by_device: dict[str, list[Samples]] = {}
    for key in shown:
        if (device := device_of.get(key[0])) is not None:
            by_device.setdefault(device, []).append(by_key[key])
    devices = {device: device_samples_from_readings(found_) for device, found_ in by_device.items()}
    numbers = {**wanted, **shown}
    return Past({numbers[k]: s for k, s in by_key.items()}, devices, found)


def judge(bound: Sequence[Binding], past: Past, scenario: Scenario, zone: ZoneInfo) -> list[Backtest]:
    """Every rule over the past; the first day only warms the lookbacks up."""
    start = scenario.start + timedelta(days=1)
    return [replay(b, past.samples, past.devices, start, scenario.end, zone) for b in bound]


def _argv(scenario: Scenario, points: Path, truth: Path, faults: Sequence[Injection]) -> list[str]:
    argv = [sys.executable, "-m", "simulators", "history", "--site", str(scenario.simulator_site)]
    argv += ["--seed", str(scenario.seed), "--step", str(scenario.step_s)]
    argv += ["--from", scenario.start.isoformat(), "--to", scenario.end.isoformat()]
    argv += ["--points", str(points), "--truth", str(truth)]
    for fault in faults:
        argv += ["--fault", fault.option()]
    return argv


def _read(argv: Sequence[str], keys: Sequence[Key]) -> tuple[NDArray[np.float64], int, int]:
    """Readings of shape (keys, steps), the step and the first time in µs."""
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=said) as process:
            if process.stdout is None:
                raise EnvironmentProblem("The simulator gives no output")
            blocks = list(_blocks(process.stdout, keys))
        if process.returncode != 0 or not blocks:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
            raise EnvironmentProblem(f"The simulator stopped: {words[-1] if words else 'without a word'}")
    blocks.reverse()
    head = blocks[0][0]
    readings = np.concatenate([block for _, block in blocks], axis=1)
    first = to_micros(datetime.fromisoformat(str(head["from"])))
    return readings, round(float(str(head["step_s"])) * US), first


def _blocks(
    stream: IO[bytes], keys: Sequence[Key]
) -> Iterator[tuple[dict[str, object], NDArray[np.float64]]]:
    while line := stream.readline():
        head: dict[str, object] = json.loads(line)
        if "end" in head:
            return
        body = np.frombuffer(stream.read(int(str(head["bytes"]))), dtype="<f8").reshape(len(keys), -1)
        yield head, body


def _samples(at: NDArray[np.int64], row: NDArray[np.float64], step_s: int) -> Samples:
    there = ~np.isnan(row)
    quality = np.zeros(int(there.sum()), dtype=np.int16)
    return Samples(at[there], row[there], quality, float(step_s))


def _fault(row: Mapping[str, str], injected: Sequence[Injection]) -> TrueFault:
    """The simulator's truth under the name that it was injected by."""
    start, end = datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"])
    names = (i.name for i in injected if (i.place, i.start) == (row["equipment"], start))
    return TrueFault(next(names, row["name"]), row["equipment"], start, end)
