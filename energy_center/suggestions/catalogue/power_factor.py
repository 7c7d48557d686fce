"""Capacitors that bring the month’s power factor to the best that the tariff rewards."""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.history import History
from energy_center.suggestions.measure import (
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
)
from energy_center.suggestions.money import bills, total

MEASURE = Measure(
    measure_id="power-factor",
    kind=Kind.BILL,
    effort=Effort.MEDIUM,
    needs=("active and reactive energy of the main meter, or the bills' power factor",),
    source="Tariff: 0.1 % of the bill per point up to 95 %; kvar = P (tan phi 1 - tan phi 2)",
    numbers=(
        Number("best_pct", 95.0, "%", "tariff book"),
        Number("margin_pct", 1.0, "%", "eng.: aim a point above"),
        Number("cost_ntd_per_kvar", 1500.0, "1", "experience, detuned bank installed; to be confirmed"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="功率因數改善",
            why="月平均功率因數低於 95 %，少拿折扣。",
            steps=(
                "先查既有電容器與自動調整器",
                "增設自動電容器組（加諧波電抗）",
                "避免夜間超前",
            ),
            note="先量諧波；停電施工。",
            made="各月功率因數改為 95 % 後以電價引擎重算；電容量 = 最差月平均功率 × (tanφ1 − tanφ2)。",
        ),
        "en": MeasureTexts(
            name="Raise the power factor",
            why="The month's power factor is below 95 %: part of the rebate is lost.",
            steps=(
                "Check the present capacitors and their controller",
                "Add an automatic bank, detuned",
                "Avoid leading at night",
            ),
            note="Measure harmonics first; works need an outage.",
            made=(
                "Each month billed anew at 95 %; kvar = mean power of the worst month x (tan phi 1 "
                "- tan phi 2)."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """Every month's bill at the best power factor against the bill as it is."""
    billing = history.billing
    if billing is None:
        return Insufficient(("the building has no tariff or main meter",))
    known = [pf for pf in billing.power_factors if pf is not None]
    if len(known) < len(billing.power_factors) / 2:
        return Insufficient((f"the power factor of {len(known)} months is known",))
    best = Decimal(str(p["best_pct"]))
    raised = tuple(None if pf is None else max(pf, best) for pf in billing.power_factors)
    saving = total(bills(billing)) - total(bills(replace(billing, power_factors=raised)))
    if saving <= 0:
        return ()
    worst = float(min(known))
    mean_kw = float(np.nanmean(billing.series.energy)) * 4.0
    kvar = mean_kw * (_tan(worst) - _tan(p["best_pct"] + p["margin_pct"]))
    coverage = len(known) / len(billing.power_factors)
    months = [(p.first, pf) for p, pf in zip(billing.periods, billing.power_factors, strict=True) if pf]
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.HIGH),
            reason=Text(
                "帳單引擎逐月重算；電容造價待報價", "Billed anew; the price of the bank awaits an offer"
            ),
            money_ntd=saving,
            slot="power_factor",
            cost_ntd=round(p["cost_ntd_per_kvar"] * kvar, -3),
            figures={"worst_pct": worst, "needed_kvar": kvar},
            bars=Bars(
                "%",
                tuple(f"{first:%Y-%m}" for first, _ in months),
                tuple(float(pf) for _, pf in months),
                tuple(float(max(pf, best)) for _, pf in months),
            ),
        ),
    )


def _tan(percent: float) -> float:
    return math.tan(math.acos(min(percent, 100.0) / 100.0))
