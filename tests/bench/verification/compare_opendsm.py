"""The same meters and days by opendsm's daily model, in its own environment."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from energy_center.analysis.verification.series import DayKind, DaySeries, DaySpan
from energy_center.analysis.verification.verify import Estimate, verify
from energy_center.domain.calendars import SATURDAY
from tests.bench.verification.buildings import BASELINE, REPORTING, Case, make_case
from tests.bench.verification.score import true_saving

_PYTHON = Path(__file__).parents[3] / "build" / "opendsm-venv" / "bin" / "python"
_METERS = tuple((3000 + i, effect) for i, effect in enumerate((0.0, 0.05, 0.10, 0.20) * 5))
_CLOSE = 0.015


@dataclass(frozen=True, slots=True)
class Compared:
    """Savings as shares of what each model expects.

    opendsm knows weekends but no holidays: `ours` and `theirs` are of the days of a plain week alone,
    the others of all days.
    """

    meter: int
    version: str
    true: float
    ours: float
    theirs: float
    ours_all: float
    theirs_all: float
    model: str
    our_cv: float
    their_cv: float

    @property
    def is_close(self) -> bool:
        """Within 1.5 points of percent."""
        return abs(self.ours - self.theirs) <= _CLOSE


def compare() -> list[Compared]:
    """Nothing where opendsm is not installed."""
    if not _PYTHON.exists():
        return []
    cases = [make_case(seed, effect) for seed, effect in _METERS]
    plain = [_plain_week(case) for case in cases]
    theirs = _run_opendsm([_document(case.days) for case in (*plain, *cases)])
    answers, count = theirs["meters"], len(cases)
    return [
        _compared(seed, plain[i], cases[i], answers[i], answers[count + i], theirs["version"])
        for i, (seed, _) in enumerate(_METERS)
    ]


def _plain_week(case: Case) -> Case:
    """Without days off on weekdays and make-up Saturdays, on either side of the measure."""
    days = case.days
    is_weekday = np.array([date.fromordinal(int(on)).weekday() < SATURDAY for on in days.day])
    moved = is_weekday != (days.kind == DayKind.WORKING)
    out = np.isin(case.hours.day, days.day[moved])
    return replace(
        case,
        days=replace(days, energy_kwh=np.where(moved, np.nan, days.energy_kwh)),
        hours=replace(case.hours, energy_kwh=np.where(out, np.nan, case.hours.energy_kwh)),
    )


def _estimate(case: Case) -> Estimate:
    found = verify(case.days, case.hours, BASELINE, REPORTING).estimate
    if found is None:
        raise RuntimeError("a made-up meter without a baseline")
    return found


def _compared(seed: int, plain: Case, whole: Case, other: dict, other_all: dict, version: str) -> Compared:
    ours, ours_all = _estimate(plain), _estimate(whole)
    true_kwh = true_saving(plain, ours)
    one, two = _shares(ours, other)
    one_all, two_all = _shares(ours_all, other_all)
    return Compared(
        meter=seed,
        version=version,
        true=true_kwh / (true_kwh + ours.actual_kwh.sum()),
        ours=one,
        theirs=two,
        ours_all=one_all,
        theirs_all=two_all,
        model=ours.baseline.name,
        our_cv=ours.baseline.cv_rmse,
        their_cv=other["cv"],
    )


def _shares(ours: Estimate, other: dict) -> tuple[float, float]:
    """Our saving and theirs, over the days of which both speak."""
    names = [str(date.fromordinal(int(on))) for on in ours.day]
    both = np.array([name in other["days"] for name in names])
    theirs = sum(other["days"][name] for name in names if name in other["days"])
    actual = ours.actual_kwh[both].sum()
    return float(1 - actual / ours.expected_kwh[both].sum()), float(1 - actual / theirs)


def _document(days: DaySeries) -> dict[str, object]:
    return {"baseline": _days(days, BASELINE), "reporting": _days(days, REPORTING)}


def _days(days: DaySeries, span: DaySpan) -> list[dict[str, object]]:
    within = days.within(span)
    return [
        {
            "on": str(date.fromordinal(int(on))),
            "energy_kwh": None if np.isnan(kwh) else float(kwh),
            "temperature_c": float(celsius),
        }
        for on, kwh, celsius in zip(within.day, within.energy_kwh, within.temperature_c, strict=True)
    ]


def _run_opendsm(meters: list[dict[str, object]]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "in.json", Path(folder) / "out.json"
        asked.write_text(json.dumps(meters))
        script = Path(__file__).with_name("run_opendsm.py")
        subprocess.run([_PYTHON, script, asked, answered], check=True)
        return json.loads(answered.read_text())
