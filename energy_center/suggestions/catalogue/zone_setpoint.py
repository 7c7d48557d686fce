"""Rooms cooled below the 26 Cel of the government rule."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import by_meter, chillers
from energy_center.suggestions.history import QUARTER_H, History
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
    measure_id="zone-setpoint",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=(
        "zone temperatures in office hours",
        "chiller power of the year",
    ),
    source="Government practice 26-28 Cel; 4-6 % of cooling per K",
    numbers=(
        Number("limit_c", 26.0, "Cel", "government rule for offices"),
        Number("per_k", 0.05, "1/K", "experience 4-6 %/K"),
        Number("month_hours", 160.0, "h", "cooled office hours of a month: a whole one is full coverage"),
        Number("least_hours", 6.0, "h", "eng.: a working day at least"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="室溫設定回到 26 度",
            why="辦公時間內部分區域低於 26 度。",
            steps=(
                "把設定點下限鎖在 26 度",
                "臨櫃與會議室先行",
                "用電扇補風",
            ),
            note="體感不適者以風扇或調整出風口處理；機房、檔案、診所除外。",
            made="有冷氣的辦公時間內，各區域低於 26 度的平均度數 × 5 %/K × 主機全年用電。",
        ),
        "en": MeasureTexts(
            name="Set rooms back to 26 Cel",
            why="Some zones are below 26 Cel in office hours.",
            steps=(
                "Lock the set-points' lower end at 26 Cel",
                "Begin with counters and meeting rooms",
                "Add fans",
            ),
            note=(
                "Move outlets or add fans where people complain; server rooms, archives and clinics "
                "are left out."
            ),
            made=(
                "Mean kelvins below 26 Cel of all zones in cooled office hours x 5 %/K x the "
                "chillers' energy of the year."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Mean shortfall of the zones, times the chillers' year."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    least = p["least_hours"] / QUARTER_H
    known = [t for t in history.zones.values() if len(t) >= least]
    if not known:
        return Insufficient(
            (f"no zone temperature is known for {p['least_hours']:.0f} cooled office hours of a month",)
        )
    hours = max(len(t) for t in known) * QUARTER_H
    below = [float(np.mean(np.maximum(p["limit_c"] - t, 0.0))) for t in known]
    mean_k = float(np.mean(below))
    share = min(1.0, p["per_k"] * mean_k)
    saved = [np.where(m.is_on, np.nan_to_num(m.power_kw), 0.0) * QUARTER_H * share for m in machines]
    coverage = min(1.0, hours / p["month_hours"])
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                f"室溫只有 {hours:.0f} 小時的紀錄，推及全年",
                f"Zone temperatures are known for {hours:.0f} hours, taken for the year",
            ),
            saved=by_meter(history, machines, saved),
            figures={"zones": float(len(known)), "mean_below_k": mean_k},
        ),
    )
