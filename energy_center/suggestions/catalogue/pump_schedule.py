"""Water lifted to the roof tank outside of the peak hours."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
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
    measure_id="pump-schedule",
    kind=Kind.OPERATION,
    effort=Effort.LOW,
    needs=(
        "power of lift and transfer pumps over the year",
        "a roof tank that holds a day",
    ),
    source="NT$ = kWh moved x (price from - price to), by the tariff engine",
    numbers=(
        Number("from_h", 16.0, "h", "summer peak begins"),
        Number("to_h", 22.0, "h", "peak ends"),
        Number("night_from_h", 0.0, "h", "off-peak of all days"),
        Number("night_to_h", 6.0, "h", "off-peak of all days"),
        Number("share", 0.8, "1", "eng."),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="揚水泵避開尖峰",
            why="揚水泵在尖峰時段運轉。",
            steps=(
                "夜間補滿水塔",
                "尖峰時段提高啟動水位門檻",
                "保留低水位強制啟動",
            ),
            note="消防蓄水量不得動用。",
            made="尖峰時段泵用電的 80 % 移到同日 0-6 時，以電價引擎重算。",
        ),
        "en": MeasureTexts(
            name="Lift water outside of the peak",
            why="Lift pumps run in peak hours.",
            steps=(
                "Fill the roof tank at night",
                "Raise the start level in the peak",
                "Keep the forced start at low level",
            ),
            note="Never touch the reserve for fire fighting.",
            made=(
                "80 % of the pumps' energy in peak hours goes to 0-6 o'clock of the same day; the "
                "year's bills anew."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Moves the lift pumps' peak to the night."""
    pumps = history.of_class("Water_Pump", "Domestic_Water_Pump")
    powers = {
        m: kw
        for e in pumps
        if (m := history.meter_of(e))
        and (kw := history.gauges.get((e.equipment_id, Role.ACTIVE_POWER))) is not None
    }
    if not powers:
        return Insufficient(("no lift pump with a year of its power",))
    coverage = known_share(*powers.values())
    if coverage < LEAST_COVERAGE:
        return too_little("lift pumps", coverage)
    taken = history.is_working & history.between(p["from_h"], p["to_h"])
    given = history.between(p["night_from_h"], p["night_to_h"])
    moves = tuple(
        move_within_day(history, m, taken, given, p["share"], power_kw=kw) for m, kw in powers.items()
    )
    moved = sum(float(np.sum(m.taken)) for m in moves)
    return (
        Draft(
            subject_id=pumps[0].equipment_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.MEDIUM),
            reason=Text(
                "泵功率為實測，水塔容量待確認", "Pump power is measured, the tank's size is to be confirmed"
            ),
            moves=moves,
            figures={"moved_kwh": moved},
        ),
    )
