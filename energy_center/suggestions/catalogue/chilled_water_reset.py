"""Warmer chilled water when the air outside is dry."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import by_meter, chillers, coverage_of, dew_point_c, outdoor
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
    measure_id="chilled-water-reset",
    kind=Kind.PLANT,
    effort=Effort.LOW,
    needs=(
        "chilled water supply temperature and power of each chiller",
        "outdoor temperature and humidity",
    ),
    source="ASHRAE Guideline 36-2021, 5.20 (reset), 2 %/K of chiller power: eng.",
    numbers=(
        Number("design_c", 7.0, "Cel", "design supply temperature"),
        Number("dew_point_c", 20.0, "Cel", "eng.: below it the coils need not dry"),
        Number("slope", 0.25, "1", "eng.: kelvins of water per kelvin of dew point"),
        Number("most_k", 3.0, "K", "eng."),
        Number("per_k", 0.02, "1/K", "eng.: 2 % of chiller power per K"),
        Number("rise", 0.2, "1", "eng.: share that pumps and fans take back"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="冰水溫度依露點重置",
            why="室外露點低時冰水仍偏低溫。",
            steps=(
                "在控制器啟用出水溫度重置：露點 20 度以下每度升 0.25 度，最多 3 度",
                "看最開的閥，超過 90 % 就退回",
                "雨天保持原設定",
            ),
            note="需要除濕時（露點 20 度以上）不重置；檔案庫另計。",
            made="露點低於 20 度的運轉時數：主機用電 × 2 %/K × 尚可提高的度數，扣 20 % 泵與風機增加。",
        ),
        "en": MeasureTexts(
            name="Reset the chilled water by dew point",
            why="The water is colder than needed when the air outside is dry.",
            steps=(
                "Enable the reset in the controller: 0.25 K per K of dew point below 20 Cel, 3 K at most",
                "Go back when the most open valve passes 90 %",
                "Keep the setting on rainy days",
            ),
            note="No reset while the coils must dry the air (dew point above 20 Cel); archives apart.",
            made=(
                "Running hours with a dew point below 20 Cel: chiller energy x 2 %/K x kelvins left "
                "to raise, less 20 % for pumps and fans."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Kelvins between the water as it is and as it might be, times the power per kelvin."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    weather = outdoor(history)
    if isinstance(weather, Insufficient):
        return weather
    dry_k = np.maximum(p["dew_point_c"] - dew_point_c(*weather), 0.0)
    target = p["design_c"] + np.minimum(p["slope"] * dry_k, p["most_k"])
    saved, kelvins = [], []
    for machine in machines:
        supply = history.gauges[machine.equipment.equipment_id, Role.CHILLED_WATER_SUPPLY_TEMPERATURE]
        raise_k = np.nan_to_num(np.where(dry_k > 0, np.maximum(target - supply, 0.0), 0.0))
        share = p["per_k"] * np.minimum(raise_k, p["most_k"]) * (1.0 - p["rise"])
        saved.append(np.where(machine.is_on, np.nan_to_num(machine.power_kw), 0.0) * share * QUARTER_H)
        kelvins.append(raise_k[machine.is_on & (raise_k > 0)])
    coverage = min(coverage_of(machines), float(np.mean(~np.isnan(dry_k))))
    raised = np.concatenate(kelvins)
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                "水溫與用電為實測，每度的效果為經驗值",
                "Water and power are measured, the effect per K is experience",
            ),
            saved=by_meter(history, machines, saved),
            figures={
                "machine_hours_h": len(raised) * QUARTER_H,
                "mean_raise_k": float(np.mean(raised)) if len(raised) else 0.0,
            },
        ),
    )
