"""A new machine in place of an old one, with its pay-back."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.cooling import KW_PER_RT, Chiller, by_meter, chillers, coverage_of
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
from energy_center.suggestions.money import bills, total

MEASURE = Measure(
    measure_id="chiller-replacement",
    kind=Kind.INVESTMENT,
    effort=Effort.HIGH,
    needs=(
        "power, flow and water temperatures of each chiller",
        "installed_on and rated_rt of each chiller",
    ),
    source="(kW/RT old - kW/RT new) x RTh of the year; prices: experience, to be replaced by an offer",
    numbers=(
        Number("least_age_a", 10.0, "a", "eng.: younger machines are not replaced for energy alone"),
        Number(
            "new_kw_per_rt",
            0.5,
            "kW",
            "season mean of a new magnetic-bearing machine; to be confirmed by an offer",
        ),
        Number("most_payback_a", 20.0, "a", "eng.: about the life of a machine"),
        Number("cost_ntd_per_rt", 28000.0, "1", "experience, installed; to be confirmed by an offer"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="汰換老舊主機",
            why="主機已達使用年限，效率低於新機。",
            steps=(
                "以實測冷凍噸時數索取報價",
                "與汰換計畫、補助（節能補助）一併評估",
                "採購條件列季節性能保證值",
            ),
            note="汰換期間保留備援；冷媒依法回收。",
            made=(
                "（實測全年 kW/RT − 新機 kW/RT）× 全年冷凍噸時；回收年限 = 每噸造價 × 噸數 ÷ 年節省"
                "金額，未扣維修節省與殘值。"
            ),
        ),
        "en": MeasureTexts(
            name="Replace old chillers",
            why="The machines have reached their age, and need more per ton than new ones.",
            steps=(
                "Ask for offers with the measured ton-hours",
                "Weigh it with the replacement plan and subsidies",
                "Write the seasonal efficiency into the contract as a guarantee",
            ),
            note="Keep a reserve during the works; recover the refrigerant by law.",
            made=(
                "(kW/RT of the year as measured - kW/RT of a new machine) x ton-hours; pay-back = "
                "price per ton x tons / money a year, without repairs saved or value left."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """One draft a machine that is old enough."""
    machines = chillers(history)
    if isinstance(machines, Insufficient):
        return machines
    coverage = coverage_of(machines)
    old = [m for m in machines if (_age(m, history.days[-1]) or 0.0) >= p["least_age_a"]]
    drafts = [d for machine in old if (d := _draft(history, machine, p, coverage)) is not None]
    worth = tuple(d for d in drafts if _payback_a(history, d) <= p["most_payback_a"])
    if drafts and not worth:
        best = min(_payback_a(history, d) for d in drafts)
        return Insufficient((f"pays back in {best:.0f} years at the prices assumed: not worth it",))
    return worth


def _payback_a(history: History, draft: Draft) -> float:
    """Years, at the mean price of the building's energy; the list reckons it anew by the bills."""
    saved = sum(float(np.sum(kwh)) for kwh in draft.saved.values())
    mean = _mean_price(history)
    return (draft.cost_ntd or 0.0) / (saved * mean) if saved * mean > 0 else np.inf


def _mean_price(history: History) -> float:
    billing = history.billing
    if billing is None:
        return 0.0
    return total(bills(billing)) / max(float(np.nansum(billing.series.energy)), 1.0)


def _age(machine: Chiller, on: date) -> float | None:
    installed = machine.equipment.attributes.get("installed_on")
    return (on - date.fromisoformat(str(installed))).days / 365.25 if installed else None


def _draft(history: History, machine: Chiller, p: Mapping[str, float], coverage: float) -> Draft | None:
    power = np.where(machine.is_on, np.nan_to_num(machine.power_kw), 0.0)
    tons = np.where(machine.is_on, np.nan_to_num(machine.cooling_kw), 0.0) / KW_PER_RT
    ton_hours = float(np.sum(tons)) * QUARTER_H
    if ton_hours <= 0:
        return None
    now = float(np.sum(power)) * QUARTER_H / ton_hours
    saved = power * QUARTER_H * max(0.0, 1.0 - p["new_kw_per_rt"] / now)
    rated_rt = machine.rated_kw / KW_PER_RT
    return Draft(
        subject_id=machine.equipment.equipment_id,
        coverage=coverage,
        confidence=by_coverage(coverage, Confidence.MEDIUM),
        reason=Text(
            "舊機效率為實測；新機效率與造價待報價確認",
            "The old machine is measured; the new one's efficiency and price await an offer",
        ),
        saved=by_meter(history, (machine,), [saved]),
        cost_ntd=round(p["cost_ntd_per_rt"] * rated_rt, -3),
        figures={
            "kw_per_rt": now,
            "ton_hours": ton_hours,
            "age_a": _age(machine, history.days[-1]) or 0.0,
        },
    )
