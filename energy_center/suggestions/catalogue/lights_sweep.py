"""Lights and sockets that stay on after people leave."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.history import QUARTER_H, Floats, History, known_share
from energy_center.suggestions.measure import (
    LEAST_COVERAGE,
    Confidence,
    Draft,
    Effort,
    Found,
    Kind,
    Measure,
    MeasureTexts,
    Number,
    by_coverage,
    too_little,
)

MEASURE = Measure(
    measure_id="lights-sweep",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=(
        "power of the floors' lighting and socket meters",
        "office calendar",
    ),
    source="Max(0, P - night level) in the hours after office time; share that a sweep reaches: eng.",
    numbers=(
        Number("from_h", 18.5, "h", "eng.: an hour after closing"),
        Number("to_h", 23.0, "h", "eng.: cleaning ends"),
        Number("share", 0.5, "1", "eng.: half of it is lights and idle sockets, the rest people at work"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="下班後照明巡關",
            why="下班後各樓層照明與插座慢慢才降到夜間值。",
            steps=(
                "18:30 與 20:00 以時控或保全巡視關燈",
                "加班者以分區開關保留",
                "逃生與樓梯照明不在此列",
            ),
            note="走道留引導照明；加班區保留。",
            made="各樓層電表 18:30-23:00 高於夜間中位數的用電，取一半。",
        ),
        "en": MeasureTexts(
            name="Sweep the lights after hours",
            why="After closing, lights and sockets come down to their night level only slowly.",
            steps=(
                "Sweep at 18:30 and 20:00, by timer or by the guard's round",
                "Keep zones where people work late",
                "Leave escape and stair lighting out",
            ),
            note="Keep guiding light in corridors, and zones in use.",
            made="Energy of the floor meters above their night median from 18:30 to 23:00, half of it.",
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """A share of what each floor uses above its own night on working evenings."""
    floors = history.floor_meters()
    if not floors:
        return Insufficient(("no floor has a meter of its own",))
    coverage = known_share(*[history.power_kw[m] for m, _ in floors])
    if coverage < LEAST_COVERAGE:
        return too_little("floor meters", coverage)
    evening = history.is_working & history.between(p["from_h"], p["to_h"])
    saved: dict[str, Floats] = {}
    for meter, _ in floors:
        night = history.night_kw(meter)
        if night is None:
            return Insufficient((f"{meter}: less than 30 nights are known",))
        excess = np.nan_to_num(np.maximum(history.power_kw[meter] - night, 0.0))
        saved[meter] = np.where(evening, excess, 0.0) * QUARTER_H * p["share"]
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                "用電為實測，可關掉的比例為經驗值",
                "The energy is measured, the share that can be swept is experience",
            ),
            saved=saved,
            figures={"floors": float(len(floors))},
        ),
    )
