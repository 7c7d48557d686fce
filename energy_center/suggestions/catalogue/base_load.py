"""Floors whose closed-time load per square metre stands above that of their better neighbours."""

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
    measure_id="base-load",
    kind=Kind.OPERATION,
    effort=Effort.MEDIUM,
    needs=(
        "power of the floors' meters",
        "area_m2 of the floors",
        "office calendar",
    ),
    source=(
        "Sum of max(0, P_night - P_target) over closed hours; target: the better quarter of the "
        "building's own floors"
    ),
    numbers=(
        Number("quantile", 0.25, "1", "eng.: what a quarter of the floors reach, the others can"),
        Number("tolerance", 1.1, "1", "eng.: nearer to the target is no finding"),
        Number("reach", 0.7, "1", "eng.: share of the excess that can be switched off"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="降低夜間與假日基載",
            why="部分樓層夜間每平方公尺用電高於同棟較佳樓層。",
            steps=(
                "夜間巡查：飲水機、事務機、舊冷氣、電腦",
                "裝插座時控或總開關",
                "與該樓層單位約定假日關閉清單",
            ),
            note="網路、冰箱、門禁與值班設備不可斷電。",
            made=(
                "閉館時間內樓層功率高於目標（較佳四分之一樓層的每平方公尺夜間功率乘面積）的部分，取 "
                "70 %；多在離峰，故金額低。"
            ),
        ),
        "en": MeasureTexts(
            name="Lower the base load at night and on days off",
            why=(
                "Some floors use more per square metre when closed than the better floors of the "
                "same building."
            ),
            steps=(
                "Walk the floor at night: water heaters, copiers, old air conditioners, computers",
                "Fit socket timers or a master switch",
                "Agree a list for days off with the department",
            ),
            note="Network, refrigerators, access control and duty equipment stay on.",
            made=(
                "Floor power above the target (night power per m2 of the better quarter, times its "
                "area) in closed hours, 70 % of it; mostly off-peak, so little money per kWh."
            ),
        ),
    },
)


LEAST_FLOORS = 4


def find(history: History, p: Mapping[str, float]) -> Found:
    """Night power of each floor against what the better quarter needs per square metre."""
    floors = [(m, _area(s.attributes.get("area_m2"))) for m, s in history.floor_meters()]
    known = [(m, area) for m, area in floors if area > 0]
    if len(known) < LEAST_FLOORS:
        return Insufficient((f"{len(known)} floors have a meter and an area, {LEAST_FLOORS} are needed",))
    coverage = known_share(*[history.power_kw[m] for m, _ in known])
    if coverage < LEAST_COVERAGE:
        return too_little("floor meters", coverage)
    nights = {m: history.night_kw(m) for m, _ in known}
    per_m2 = {m: night / area for m, area in known if (night := nights[m]) is not None}
    if len(per_m2) < LEAST_FLOORS:
        return Insufficient(("less than 30 nights are known",))
    target = float(np.quantile(list(per_m2.values()), p["quantile"]))
    closed = ~(history.is_working & history.between(6.0, 20.0))
    saved: dict[str, Floats] = {}
    for meter, area in known:
        if per_m2.get(meter, 0.0) <= target * p["tolerance"]:
            continue
        # only the part that stands all night: what comes on for a while is somebody at work
        held = np.minimum(history.power_kw[meter], per_m2[meter] * area)
        excess = np.nan_to_num(np.maximum(held - target * area, 0.0))
        saved[meter] = np.where(closed, excess, 0.0) * QUARTER_H * p["reach"]
    if not saved:
        return ()
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                "夜間用電為實測；樓層用途不同，目標為同棟比較",
                "The night is measured; floors differ in use, the target is a comparison",
            ),
            saved=saved,
            figures={
                "target_w_per_m2": 1000.0 * target,
                "worst_w_per_m2": 1000.0 * max(per_m2.values()),
                "floors_above": float(len(saved)),
            },
        ),
    )


def _area(found: object) -> float:
    return float(found) if isinstance(found, int | float) else 0.0
