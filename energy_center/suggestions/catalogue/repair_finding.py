"""A fault that stands: what its repair brings."""

from collections.abc import Mapping

import numpy as np

from energy_center.domain.site import Text
from energy_center.suggestions.history import QUARTER_H, History, OpenFinding
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
    measure_id="repair-finding",
    kind=Kind.REPAIR,
    effort=Effort.MEDIUM,
    needs=(
        "an alarm with its waste",
        "the meter behind it",
    ),
    source="Waste of the finding per day, as long as such faults stand when nobody acts",
    numbers=(
        Number("days", 90.0, "d", "eng.: a season; a fault that nobody repairs stands so long"),
        Number("price_ntd_per_m3", 12.075, "1", "highest step of the water tariff, to be confirmed"),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="修復異常",
            why="告警顯示持續浪費。",
            steps=(
                "依告警頁的檢查步驟處理",
                "派工並於修復後驗證",
            ),
            note="依告警頁的安全提醒。",
            made="告警估計的每日浪費 × 90 天，依該設備電表的用電時段分配計價，且不超過電表用量的一半。",
        ),
        "en": MeasureTexts(
            name="Repair the fault",
            why="An alarm shows a waste that goes on.",
            steps=(
                "Follow the checks on the alarm's page",
                "Order the work and verify afterwards",
            ),
            note="See the safety note on the alarm's page.",
            made=(
                "Waste per day of the alarm x 90 days, spread over the hours in which the "
                "equipment's meter counts and priced there, not above half of what it counts."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """One draft an alarm whose waste per day is known."""
    drafts = [_draft(history, finding, p) for finding in history.findings]
    return tuple(d for d in drafts if d is not None)


def _draft(history: History, finding: OpenFinding, p: Mapping[str, float]) -> Draft | None:
    water_m3 = (finding.per_day_m3 or 0.0) * p["days"]
    saved = {}
    equipment = next((e for e in history.equipment if e.equipment_id == finding.equipment_id), None)
    meter = (equipment and history.meter_of(equipment)) or history.main_meter()
    if finding.per_day_kwh and meter is not None:
        used = np.nan_to_num(history.power_kw[meter]) * QUARTER_H
        whole = float(np.sum(used))
        if whole > 0:
            saved[meter] = used * min(0.5, finding.per_day_kwh * p["days"] / whole)
    if not saved and water_m3 <= 0:
        return None
    return Draft(
        subject_id=f"{finding.equipment_id}/{finding.rule_id}",
        coverage=1.0,
        confidence=by_coverage(1.0, Confidence.MEDIUM if finding.days >= 1 else Confidence.LOW),
        reason=Text(f"告警已持續 {finding.days:.1f} 天", f"The alarm has stood for {finding.days:.1f} days"),
        saved=saved,
        money_ntd=water_m3 * p["price_ntd_per_m3"] if water_m3 else None,
        slot=f"finding-{finding.alarm_id}",
        water_m3=water_m3 or None,
        figures={
            name: figure
            for name, figure in (
                ("per_day_kwh", finding.per_day_kwh),
                ("per_day_m3", finding.per_day_m3),
                ("days", finding.days),
            )
            if figure is not None
        },
        alarm_id=finding.alarm_id,
    )
