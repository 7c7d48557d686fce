"""Rain that runs off while mains water is used for what rain could do."""

from collections.abc import Mapping

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
from energy_center.domain.site import Text
from energy_center.suggestions.history import Floats, History
from energy_center.suggestions.measure import (
    LEAST_COVERAGE,
    Bars,
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
    measure_id="rainwater-use",
    kind=Kind.WATER,
    effort=Effort.MEDIUM,
    needs=(
        "inlet volume and level of the rain tank",
        "rain depth",
        "water meter of the building",
    ),
    source="Mass balance of the tank; yield per mm from its own inlet while it was not full",
    numbers=(
        Number("full_pct", 97.0, "%", "eng.: the tank takes no more"),
        Number("flush_share", 0.3, "1", "eng.: share of an office's water that flushes toilets"),
        Number("price_ntd_per_m3", 12.075, "1", "highest step of the water tariff, to be confirmed"),
        Number("least_mm", 30.0, "mm", "eng.: rain to learn the yield from"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="多用雨水",
            why="雨水池滿溢時，沖廁仍用自來水。",
            steps=(
                "把一、二樓沖廁接到雨水系統",
                "清洗過濾器與初期雨水排除",
                "颱風警報前先放空",
            ),
            note="雨水與自來水管分開，補水須跌水式；僅供非接觸用途。",
            made=(
                "雨水池未滿時每毫米雨量的進水量 × 已滿時的雨量 = 流失水量；每月不超過全棟用水的 30 %"
                "，乘自來水價。"
            ),
        ),
        "en": MeasureTexts(
            name="Use more of the rain",
            why="Rain runs off from the full tank while toilets are flushed with mains water.",
            steps=(
                "Connect the toilets of two floors to the rain system",
                "Clean filter and first-flush diverter",
                "Empty the tank before a typhoon",
            ),
            note="Separate pipes, mains top-up by air gap only; for uses without contact.",
            made=(
                "Inlet per mm of rain while the tank was not full x rain while it was full = lost; "
                "not above 30 % of the building's water of the month, at the price of mains water."
            ),
        ),
    },
)


_ROLES = (Role.TANK_INLET_VOLUME, Role.TANK_LEVEL)


def find(history: History, p: Mapping[str, float]) -> Found:
    """What ran off, month by month, as far as the building could have used it."""
    series = _series(history)
    if isinstance(series, Insufficient):
        return series
    tank_id, inlet, level, rain, water = series
    known = ~np.isnan(inlet + level + rain + water)
    coverage = float(np.mean(known))
    if coverage < LEAST_COVERAGE:
        return too_little("rain tank, rain and water meter", coverage)
    is_full = level >= p["full_pct"]
    learnt = known & ~is_full & (rain > 0)
    depth = float(np.sum(rain[learnt]))
    if depth < p["least_mm"]:
        return Insufficient(
            (f"{depth:.0f} mm of rain fell into a tank not full, {p['least_mm']:.0f} are needed",)
        )
    per_mm = float(np.sum(inlet[learnt])) / depth
    lost, used = [], []
    months = sorted({int(m) for m in history.months})
    for month in months:
        rows = known & (history.months == month)
        run_off = per_mm * rain[rows & is_full] - inlet[rows & is_full]
        lost.append(max(0.0, float(np.sum(run_off))))
        used.append(float(np.sum(water[rows])))
    usable = sum(min(a, p["flush_share"] * b) for a, b in zip(lost, used, strict=True))
    if usable <= 0:
        return ()
    labels = tuple(f"{m // 12}-{m % 12 + 1:02d}" for m in months)
    return (
        Draft(
            subject_id=tank_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.LOW),
            reason=Text(
                "流失量由平衡推算，水價待確認", "The run-off is reckoned, the water price to be confirmed"
            ),
            money_ntd=usable * p["price_ntd_per_m3"],
            slot=f"water-{tank_id}",
            water_m3=usable,
            figures={"lost_m3": sum(lost), "per_mm_m3": per_mm, "water_m3": sum(used)},
            bars=Bars("m3", labels, tuple(round(x, 1) for x in used), tuple(round(x, 1) for x in lost)),
        ),
    )


def _series(history: History) -> tuple[str, Floats, Floats, Floats, Floats] | Insufficient:
    tank = next(iter(history.of_class("Rainwater_Tank")), None)
    meter = next(iter(history.of_class("Building_Water_Meter")), None)
    if tank is None or meter is None:
        return Insufficient(("no rain tank, or no water meter",))
    rain = next((v for (_, role), v in history.gauges.items() if role is Role.RAIN_DEPTH), None)
    held = [history.gauges.get((tank.equipment_id, role)) for role in _ROLES]
    water = history.gauges.get((meter.equipment_id, Role.WATER_VOLUME))
    if rain is None or water is None or held[0] is None or held[1] is None:
        return Insufficient(("needs tank inlet and level, rain depth and the building's water",))
    return tank.equipment_id, held[0], held[1], rain, water
