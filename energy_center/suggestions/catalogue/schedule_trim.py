"""Cooling and ventilation outside of office hours: stop when the water still carries the building home."""

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
    measure_id="schedule-trim",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=(
        "power of the meters of chillers, pumps, towers and air handlers",
        "office calendar",
    ),
    source="W1 (running that was not needed): energy of the hours avoided, less 10 % of later pull-down",
    numbers=(
        Number("opens_h", 8.0, "h", "office hours of the city: from 8:00"),
        Number("closes_h", 17.5, "h", "office hours of the city: to 17:30"),
        Number("lead_h", 0.75, "h", "eng.: pull-down before opening"),
        Number("pull_down", 0.1, "1", "eng.: share that comes back as later pull-down"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="空調排程修剪",
            why="空調與送風在辦公時間外仍在運轉；冰水與建築蓄冷足以撐到下班。",
            steps=(
                "把主機停機時間改為下班時刻，送風機同時停止",
                "先在一個樓層試行一週並看溫度",
                "有會議室借用時以借用延長",
            ),
            note="下班前半小時室溫可能上升 0.5-1 度；機房、值班室不在此列。",
            made="各電表在辦公時間（加提前量）外、高於夜間值的用電，扣 10 % 後來的降溫負荷。",
        ),
        "en": MeasureTexts(
            name="Trim the cooling schedule",
            why=(
                "Cooling and air handlers run outside of office hours; the chilled water and the "
                "building's mass carry it to the end of the day."
            ),
            steps=(
                "Stop the chillers when offices close, and the air handlers with them",
                "Try one floor for a week and watch its temperature",
                "Let room bookings extend it where needed",
            ),
            note="Rooms may warm by 0.5-1 K in the last half hour; server and duty rooms are left out.",
            made=(
                "Energy of the meters above their night level outside of office hours with the lead "
                "before them, less 10 % for later pull-down."
            ),
        ),
    },
)


_CLASSES = (
    "Centrifugal_Chiller",
    "Chiller",
    "Chilled_Water_Pump",
    "Condenser_Water_Pump",
    "Cooling_Tower",
    "Air_Handler_Unit",
    "Dedicated_Outdoor_Air_System_Unit",
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """What the cooling meters use above their night level outside of [opens - lead, closes)."""
    meters = history.meters_of(history.of_class(*_CLASSES))
    if not meters:
        return Insufficient(("no meter of cooling or ventilation",))
    coverage = known_share(*[history.power_kw[m] for m in meters])
    if coverage < LEAST_COVERAGE:
        return too_little("meters of cooling and ventilation", coverage)
    needed = history.is_working & history.between(p["opens_h"] - p["lead_h"], p["closes_h"])
    saved: dict[str, Floats] = {}
    for meter in meters:
        night = history.night_kw(meter)
        if night is None:
            return Insufficient((f"{meter}: less than 30 nights are known",))
        # what comes and goes by less than this is not a machine that was left on
        excess = np.nan_to_num(history.power_kw[meter] - 1.2 * night)
        saved[meter] = np.where(needed, 0.0, np.maximum(excess, 0.0)) * QUARTER_H * (1.0 - p["pull_down"])
    hours = float(np.sum(np.sum(list(saved.values()), axis=0) > 0)) * QUARTER_H
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.HIGH),
            reason=Text(
                "各空調電表直接量得；辦公時間以行事曆判定",
                "Measured at the meters; office hours by the calendar",
            ),
            saved=saved,
            figures={"hours_outside_h": hours, "meters": float(len(meters))},
        ),
    )
