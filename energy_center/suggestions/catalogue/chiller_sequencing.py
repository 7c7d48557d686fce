"""The set of chillers that serves the load with least power, by the machines’ own curves."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import Chiller, by_meter, chillers, coverage_of
from energy_center.suggestions.history import QUARTER_H, Floats, History
from energy_center.suggestions.measure import (
    Confidence,
    Draft,
    Effort,
    Found,
    Kind,
    Measure,
    MeasureTexts,
    Number,
    by_coverage,
)

MEASURE = Measure(
    measure_id="chiller-sequencing",
    kind=Kind.PLANT,
    effort=Effort.LOW,
    needs=(
        "power, flow, chilled and condenser water temperatures of each chiller",
        "power of pumps and towers",
    ),
    source=(
        "Sum of P_now - min over feasible sets P(load, T_cw); curve: least squares on load, its "
        "square and condenser water"
    ),
    numbers=(
        Number("least_load", 0.25, "1", "eng.: lowest part load of a machine"),
        Number("most_load", 1.0, "1", "rated capacity"),
        Number("reach", 0.7, "1", "eng.: staging timers and starts keep some of it"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="主機台數與順序最佳化",
            why="同樣的冷量可由較省電的主機組合供應，含水泵與水塔。",
            steps=(
                "依曲線改台數切換點",
                "以效率較佳的主機為領機",
                "保留備援機",
            ),
            note="尖峰日保留一台備援；切換間隔至少 20 分鐘。",
            made=(
                "每台主機以自己的曲線（負載、負載平方、冷卻水溫）估算；每刻鐘比較現有組合與可行最佳"
                "組合（含附屬設備每台的用電），取 70 %。"
            ),
        ),
        "en": MeasureTexts(
            name="Stage the chillers on the better curve",
            why=(
                "The same cooling can come from a set of machines that needs less, pumps and towers included."
            ),
            steps=(
                "Move the staging points to the curve",
                "Let the better machine lead",
                "Keep one in reserve",
            ),
            note="Keep a reserve on peak days; 20 minutes at least between changes.",
            made=(
                "Each machine by its own curve (load, its square, condenser water); each "
                "quarter-hour the present set against the best feasible one with what pumps and "
                "towers take per machine; 70 % of it."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Fitted power of the present set less that of the best, quarter-hour by quarter-hour."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    if len(machines) < 2:  # noqa: PLR2004
        return Insufficient(("one chiller leaves nothing to choose",))
    curves = [_curve(m) for m in machines]
    if any(c is None for c in curves):
        return Insufficient(("a chiller has run less than 100 hours: no curve",))
    on = np.array([m.is_on for m in machines])
    load = np.nansum([np.where(m.is_on, m.cooling_kw, 0.0) for m in machines], axis=0)
    entering = np.nanmax([np.where(m.is_on, m.entering_c, -99.0) for m in machines], axis=0)
    per_machine = _auxiliary_kw(history, on.sum(axis=0), load)
    now: Floats = np.zeros(len(history))
    best = np.full(len(history), np.inf)
    rated = np.array([m.rated_kw for m in machines])
    for count in range(1, len(machines) + 1):
        for chosen in combinations(range(len(machines)), count):
            part = load / float(np.sum(rated[list(chosen)]))
            kw: Floats = np.full(len(history), count * per_machine)
            for k in chosen:
                kw = kw + _power(curves[k], part, entering) * rated[k]
            feasible = (part >= p["least_load"]) & (part <= p["most_load"])
            best = np.where(feasible, np.minimum(best, kw), best)
            is_now = np.all(on == np.isin(np.arange(len(machines)), chosen)[:, None], axis=0)
            now = np.where(is_now, kw, now)
    saved = np.where((now > 0) & np.isfinite(best), np.maximum(now - best, 0.0), 0.0) * p["reach"] * QUARTER_H
    whole = np.maximum(np.nansum([np.where(m.is_on, m.power_kw, 0.0) for m in machines], axis=0), 1e-9)
    parts = [saved * np.where(m.is_on, np.nan_to_num(m.power_kw), 0.0) / whole for m in machines]
    coverage = coverage_of(machines)
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                "曲線由自己的運轉紀錄擬合；實際切換有延遲",
                "Curves are fitted to the machines' own year; real staging lags",
            ),
            saved=by_meter(history, machines, parts),
            figures={
                "auxiliary_kw_per_machine": per_machine,
                "hours_h": float(np.sum(saved > 0)) * QUARTER_H,
            },
        ),
    )


def _curve(machine: Chiller) -> Floats | None:
    """Power per rated kW of cooling = c0 + c1 x + c2 x^2 + c3 x (T - 29)."""
    rows = machine.is_on & ~np.isnan(machine.cooling_kw + machine.entering_c) & (machine.cooling_kw > 0)
    if np.sum(rows) < 100 / QUARTER_H:
        return None
    x = machine.cooling_kw[rows] / machine.rated_kw
    terms = np.column_stack([np.ones_like(x), x, x * x, x * (machine.entering_c[rows] - 29.0)])
    found: Floats = np.asarray(
        np.linalg.lstsq(terms, machine.power_kw[rows] / machine.rated_kw, rcond=None)[0], dtype=np.float64
    )
    return found


def _power(curve: Floats | None, part: Floats, entering: Floats) -> Floats:
    assert curve is not None  # noqa: S101 checked by the caller
    power: Floats = curve[0] + curve[1] * part + curve[2] * part**2 + curve[3] * part * (entering - 29.0)
    return power


def _auxiliary_kw(history: History, count: Floats, load: Floats) -> float:
    """What pumps and towers take more for each machine that runs; 0 where they are not metered."""
    meters = history.meters_of(
        history.of_class("Chilled_Water_Pump", "Condenser_Water_Pump", "Cooling_Tower")
    )
    if not meters:
        return 0.0
    power = np.sum([history.power_kw[m] for m in meters], axis=0)
    rows = ~np.isnan(power) & (count > 0)
    if len(np.unique(count[rows])) < 2:  # noqa: PLR2004
        return 0.0
    terms = np.column_stack([np.ones(int(np.sum(rows))), count[rows], load[rows]])
    return max(0.0, float(np.linalg.lstsq(terms, power[rows], rcond=None)[0][1]))
