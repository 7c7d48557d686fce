"""Cooling made before the peak and the building’s mass used in it."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import chillers
from energy_center.suggestions.history import History, known_share
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
from energy_center.suggestions.shift import move_within_day

MEASURE = Measure(
    measure_id="pre-cooling",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=("power of the chillers' meters",),
    source="NT$ = kWh moved x (price from - price to) less the loss, by the tariff engine",
    numbers=(
        Number("peak_from_h", 16.0, "h", "summer peak begins"),
        Number("peak_to_h", 17.5, "h", "offices close"),
        Number("cool_from_h", 13.0, "h", "eng.: three hours before"),
        Number(
            "share", 0.25, "1", "eng.: what an office of concrete carries for an hour and a half within 1 K"
        ),
        Number("loss", 0.05, "1", "eng.: warmer air in, more gain"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="尖峰前預冷",
            why="夏月 16 時起為尖峰，主機此時仍滿載。",
            steps=(
                "13-16 時室溫設定降 0.5-1 度",
                "16 時後回到 26-27 度並限載主機",
                "先在兩個樓層試行",
            ),
            note="室溫於 25-27 度間浮動；臨櫃先不列入。",
            made=(
                "夏月上班日 16:00-17:30 主機用電的 25 % 移到 13-16 時（多用 5 %），以電價引擎重算整"
                "年帳單之差。"
            ),
        ),
        "en": MeasureTexts(
            name="Pre-cool before the peak",
            why="In summer the peak begins at 16 o'clock with the chillers still at work.",
            steps=(
                "Lower the set-points by 0.5-1 K from 13 to 16 o'clock",
                "Go back to 26-27 Cel at 16 and limit the chillers",
                "Try it on two floors",
            ),
            note="Rooms float between 25 and 27 Cel; leave counters out at first.",
            made=(
                "25 % of the chillers' energy from 16:00 to 17:30 of working days goes to 13-16 "
                "o'clock with 5 % more; the year's bills anew. Only days with a peak band count."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Moves a share of the chillers' late afternoon forward, in the months that have a peak."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    meters = list(dict.fromkeys(m.meter_id for m in machines))
    coverage = known_share(*[history.power_kw[m] for m in meters])
    if coverage < LEAST_COVERAGE:
        return too_little("chillers' meters", coverage)
    # the tariff's summer: 16 May to 15 October for high voltage
    summer_days = np.array([(5, 16) <= (on.month, on.day) <= (10, 15) for on in history.days])
    summer = history.is_working & summer_days[history.day_of]
    taken = summer & history.between(p["peak_from_h"], p["peak_to_h"])
    given = summer & history.between(p["cool_from_h"], p["peak_from_h"])
    moves = tuple(move_within_day(history, m, taken, given, p["share"], p["loss"]) for m in meters)
    moved = sum(float(np.sum(m.taken)) for m in moves)
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.LOW),
            reason=Text("建築蓄冷量未量測，先試行", "The building's mass is not measured: try it first"),
            moves=moves,
            figures={"moved_kwh": moved, "loss_kwh": moved * p["loss"], "days": moved_days(history, taken)},
        ),
    )


def moved_days(history: History, taken: np.ndarray) -> float:
    """Number of days on which something is moved."""
    return float(len(np.unique(history.day_of[taken])))
