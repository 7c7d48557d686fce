"""Vehicles charged outside of the peak hours."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
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
    measure_id="ev-charging-shift",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=("power of the chargers' meter",),
    source="NT$ = kWh moved x (price from - price to), by the tariff engine",
    numbers=(
        Number("from_h", 9.0, "h", "half-peak and peak of working days begin"),
        Number("to_h", 22.0, "h", "peak ends"),
        Number("night_from_h", 0.0, "h", "off-peak of all days"),
        Number("night_to_h", 6.0, "h", "off-peak of all days"),
        Number("most_at_night", 0.15, "1", "eng.: a meter with more of its day's load at night has others"),
        Number("share", 0.6, "1", "eng.: official vehicles that stand overnight"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="電動車改離峰充電",
            why="公務車在尖峰、半尖峰充電。",
            steps=(
                "充電樁設定 00:00-06:00 排程",
                "公務車下班插上即可",
                "訪客與緊急車輛保留即充",
            ),
            note="隔日一早要用的車優先充。",
            made="上班日 9-22 時的充電量 60 % 移到同日 0-6 時，以電價引擎重算整年帳單之差；總電量不變。",
        ),
        "en": MeasureTexts(
            name="Charge vehicles off-peak",
            why="Vehicles are charged in peak and half-peak hours.",
            steps=(
                "Schedule the chargers from 0 to 6 o'clock",
                "Plug official cars in at the end of the day",
                "Leave visitors and emergency cars at once",
            ),
            note="Cars needed early are charged first.",
            made=(
                "60 % of the charging from 9 to 22 o'clock of working days goes to 0-6 o'clock of "
                "the same day; the year's bills anew. No energy is saved."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Moves a share of the chargers' day to the night."""
    meters = history.meters_of(history.of_class("Electric_Vehicle_Charging_Station"))
    if not meters:
        return Insufficient(("no meter of vehicle chargers",))
    mixed = [m for m in meters if not _is_alone(history, m, p["most_at_night"])]
    meters = [m for m in meters if m not in mixed]
    if not meters:
        return Insufficient((f"{', '.join(mixed)}: other loads hang on the chargers' meter",))
    coverage = known_share(*[history.power_kw[m] for m in meters])
    if coverage < LEAST_COVERAGE:
        return too_little("chargers' meter", coverage)
    taken = history.is_working & history.between(p["from_h"], p["to_h"])
    given = history.between(p["night_from_h"], p["night_to_h"])
    moves = tuple(move_within_day(history, m, taken, given, p["share"]) for m in meters)
    moved = sum(float(np.sum(m.taken)) for m in moves)
    return (
        Draft(
            subject_id=meters[0],
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text("可移動的比例為假設", "The share that can be moved is assumed"),
            moves=moves,
            figures={"moved_kwh": moved, "share": p["share"]},
        ),
    )


def _is_alone(history: History, meter_id: str, most_at_night: float) -> bool:
    """Whether the meter rests at night, as chargers of a day's visitors do."""
    by_day = history.power_kw[meter_id][history.is_working & history.between(9.0, 18.0)]
    night = history.night_kw(meter_id)
    return night is not None and night <= most_at_night * float(np.nanmean(by_day))
