"""Another tariff of the utility for the same use."""

from collections.abc import Mapping

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.history import History
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
    measure_id="tariff-plan",
    kind=Kind.BILL,
    effort=Effort.LOW,
    needs=(
        "quarter-hours of the main meter",
        "tariffs that the account may choose",
    ),
    source="Tariff engine: the same use billed by every tariff, each at its best contract",
    numbers=(Number("least_share", 0.003, "1", "eng.: less of the bill is within the doubt of a year"),),
    texts={
        "zh-TW": MeasureTexts(
            name="改選電價方案",
            why="同樣用電以另一種時間電價計費較便宜。",
            steps=(
                "以下一年的排程再試算一次",
                "向台電申請變更（選定後一年內不得變更）",
            ),
            note="選定後一年內不能改回。",
            made="以電價引擎對同一批 15 分鐘用電逐月計費，各方案取其最佳契約容量後比較。",
        ),
        "en": MeasureTexts(
            name="Choose another tariff",
            why="The same use would cost less by another time-of-use tariff.",
            steps=(
                "Check it once more with next year's plans",
                "Ask the utility for the change (it holds for a year)",
            ),
            note="There is no way back within a year.",
            made="The same quarter-hours billed by each tariff month by month, each at its best contract.",
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """The cheapest offer against the present tariff."""
    billing = history.billing
    if billing is None or not billing.plans:
        return Insufficient(("the building has no tariff with a choice",))
    whole = float(billing.series.coverage.mean()) if len(billing.series.coverage) else 0.0
    if whole < LEAST_COVERAGE:
        return too_little("main meter", whole)
    present = next((plan for plan in billing.plans if plan.is_present), None)
    best = min(billing.plans, key=lambda plan: plan.total)
    if present is None:
        return Insufficient(("the present tariff could not be billed over the year",))
    saving = present.total - best.total
    if best.is_present or saving < p["least_share"] * present.total:
        return ()
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=whole,
            confidence=by_coverage(whole, Confidence.MEDIUM),
            reason=Text(
                f"{best.name.zh_tw}；同樣用電計費，契約容量亦已調整",
                f"{best.name.en}; the same use, at its best contract",
            ),
            money_ntd=saving,
            slot="capacity",
            figures={"present_ntd": present.total, "best_ntd": best.total},
        ),
    )
