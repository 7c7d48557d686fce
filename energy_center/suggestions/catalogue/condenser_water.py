"""Condenser water warmer than the tower could give."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import by_meter, chillers, coverage_of, outdoor, wet_bulb_c
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
    measure_id="condenser-water",
    kind=Kind.PLANT,
    effort=Effort.MEDIUM,
    needs=(
        "condenser water entering each chiller",
        "power of each chiller",
        "outdoor temperature and humidity",
    ),
    source="Approach above design; 3 % of chiller power per K: eng.",
    numbers=(
        Number("approach_k", 4.5, "K", "design approach 4 K and half a kelvin of doubt"),
        Number("lowest_c", 21.0, "Cel", "lowest condenser water of the machines; confirm with the maker"),
        Number("per_k", 0.03, "1/K", "eng."),
        Number("rise", 0.25, "1", "eng.: share that the fans take back"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="冷卻水溫最佳化",
            why="冷卻水比水塔能達到的溫度高。",
            steps=(
                "清洗填料與散水盤",
                "風扇轉速改以濕球趨近控制",
                "檢查並聯水塔水量",
            ),
            note="不低於主機允許的最低冷卻水溫；退伍軍人菌防治照舊。",
            made=(
                "冷卻水進水溫高於濕球 + 4.5 K（且不低於 21 度）的度數 × 3 %/K × 主機用電，扣 25 % 風扇增加。"
            ),
        ),
        "en": MeasureTexts(
            name="Cooler condenser water",
            why="Condenser water is warmer than the towers could make it.",
            steps=(
                "Clean fill and distribution",
                "Control the fans by the approach to wet bulb",
                "Check the flow of towers in parallel",
            ),
            note="Not below the machines' lowest condenser water; keep legionella control.",
            made=(
                "Kelvins of entering water above wet bulb + 4.5 K (21 Cel at least) x 3 %/K x "
                "chiller energy, less 25 % for fans."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Kelvins above the design approach, times the power per kelvin."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    weather = outdoor(history)
    if isinstance(weather, Insufficient):
        return weather
    target = np.maximum(wet_bulb_c(*weather) + p["approach_k"], p["lowest_c"])
    saved: list[Floats] = []
    for machine in machines:
        above_k = np.nan_to_num(np.maximum(machine.entering_c - target, 0.0))
        share = np.minimum(p["per_k"] * above_k * (1.0 - p["rise"]), 1.0)
        saved.append(np.where(machine.is_on, np.nan_to_num(machine.power_kw), 0.0) * share * QUARTER_H)
    coverage = min(coverage_of(machines), float(np.mean(~np.isnan(target))))
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.LOW),
            reason=Text("濕球由氣象站推算", "The wet bulb is reckoned from the weather station"),
            saved=by_meter(history, machines, saved),
        ),
    )
