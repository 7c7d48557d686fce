"""Primary pumps at constant speed though the water comes back too cool."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import chillers, coverage_of
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
    measure_id="primary-pump-speed",
    kind=Kind.PLANT,
    effort=Effort.MEDIUM,
    needs=(
        "chiller supply and return temperatures",
        "rated_kw and duty of the primary pumps",
    ),
    source="W5: P x (1 - (n2/n1)^2.5), n2/n1 = dT / dT design, not below the machines' least flow",
    numbers=(
        Number("design_k", 5.5, "K", "design temperature difference"),
        Number("least_speed", 0.75, "1", "eng.: least flow of the evaporators; confirm with the maker"),
        Number("load", 0.75, "1", "eng.: shaft load of a pump at its setting, of rated power"),
        Number("cost_ntd_per_kw", 9000.0, "1", "experience, drive installed; to be confirmed"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="一次側冰水泵變頻",
            why="主機溫差低於設計，定速一次泵打了多餘的水。",
            steps=(
                "加裝變頻器，依主機溫差調速",
                "設定蒸發器最低流量",
                "同時檢查旁通管",
            ),
            note="流量不得低於主機最低值，否則結冰跳機。",
            made=(
                "一次泵額定功率 × 0.75 × 運轉台數 × (1 − (溫差/設計溫差)^2.5)，轉速不低於 75 %，且不"
                "高於泵電表。"
            ),
        ),
        "en": MeasureTexts(
            name="Variable speed for the primary pumps",
            why=(
                "The chillers' temperature difference is below design: pumps at constant speed move "
                "water for nothing."
            ),
            steps=(
                "Fit drives that follow the temperature difference",
                "Set the evaporators' least flow",
                "Check the decoupler on the way",
            ),
            note="Never below the machines' least flow: they would freeze and trip.",
            made=(
                "Rated power of the primary pumps x 0.75 x machines running x (1 - (dT / design "
                "dT)^2.5), speed not below 75 %, never above the pumps' meter."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """The affinity law with an exponent of 2.5 on each machine's own pump."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    pumps = [e for e in history.of_class("Chilled_Water_Pump") if e.attributes.get("duty") == "primary"]
    rated = [float(kw) for e in pumps if isinstance(kw := e.attributes.get("rated_kw"), int | float)]
    meters = history.meters_of(pumps)
    if not rated or len(meters) != 1:
        return Insufficient(("needs primary pumps with rated_kw on one meter",))
    each = float(np.mean(rated)) * p["load"]
    saved: Floats = np.zeros(len(history))
    shares = []
    for machine in machines:
        with np.errstate(invalid="ignore", divide="ignore"):
            delta = machine.cooling_kw / machine.rated_kw * p["design_k"]
        speed = np.clip(np.nan_to_num(delta, nan=p["design_k"]) / p["design_k"], p["least_speed"], 1.0)
        less = np.where(machine.is_on, each * (1.0 - speed**2.5), 0.0)
        shares.append(speed[machine.is_on])
        saved = saved + less * QUARTER_H
    limit = np.nan_to_num(history.power_kw[meters[0]]) * QUARTER_H
    coverage = coverage_of(machines)
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.LOW),
            reason=Text(
                "泵無單獨電表，功率由額定推算", "The pumps have no meter of their own: power by rating"
            ),
            saved={meters[0]: np.minimum(saved, limit)},
            cost_ntd=round(p["cost_ntd_per_kw"] * sum(rated), -3),
            figures={"mean_speed": float(np.mean(np.concatenate(shares))), "pumps_kw": sum(rated)},
        ),
    )
