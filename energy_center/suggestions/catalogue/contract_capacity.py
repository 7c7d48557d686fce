"""The contract capacity that would have cost least over the year."""

from collections.abc import Mapping
from decimal import Decimal

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
from energy_center.suggestions.money import bills
from energy_center.tariffs.bill_model import WHOLE, Bill
from energy_center.tariffs.contract import advise, grown, parts_of

MEASURE = Measure(
    measure_id="contract-capacity",
    kind=Kind.BILL,
    effort=Effort.LOW,
    needs=(
        "quarter-hours of the main meter",
        "the account's contract",
    ),
    source="Tariff engine: exact to the kW over the months, checked on three grown years",
    numbers=(
        Number("growth", 0.0, "1/a", "no growth assumed"),
        Number("spread", 0.03, "1", "eng.: a month's demand differs by 3 % from year to year"),
        Number("years", 3.0, "a", "weather years that the choice must bear"),
        Number("least_months", 6.0, "1", "eng."),
    ),
    texts={
        "zh-TW": MeasureTexts(
            name="調整契約容量",
            why="現行契約容量與實際最高需量不符，多付基本電費或超約附加費。",
            steps=(
                "以過去十二個月最高需量試算",
                "向台電申請變更（一年內再提高可能需線路費）",
                "訂定需量警戒值",
            ),
            note="契約調低後要有卸載順序，避免超約。",
            made=(
                "以電價引擎對過去每月需量試算各契約容量的基本電費與超約附加費；取三個模擬年的最佳值"
                "，金額為過去一年的差額。"
            ),
        ),
        "en": MeasureTexts(
            name="Adjust the contract capacity",
            why="The contract does not fit the demand: basic charge or surcharge is paid for nothing.",
            steps=(
                "Check it against the highest demands of the past year",
                "Ask the utility for the change (raising it again within a year may cost)",
                "Set a demand alarm below it",
            ),
            note="With a lower contract an order of load shedding is needed.",
            made=(
                "The tariff engine tries every kW against the demand of each month; the choice is "
                "the best over three simulated years, the money that of the past year."
            ),
        ),
    },
)


def find(history: History, p: Mapping[str, float]) -> Found:
    """The best contract of simulated years, priced over the year that was."""
    billing = history.billing
    if billing is None:
        return Insufficient(("the building has no tariff or main meter",))
    made = [bill for bill in bills(billing) if bill.coverage >= WHOLE]
    present = billing.account.contract_on(billing.periods[-1].last)
    parts = parts_of(made, billing.account.industry_factor)
    if len(made) < p["least_months"] or not parts or present is None:
        return Insufficient(
            (f"{len(made)} months are measured whole, {p['least_months']:.0f} are needed, with a contract",)
        )
    chosen = advise(grown(parts, p["growth"], p["spread"], int(p["years"]), seed=1), present.kw).best
    now = advise(parts, present.kw).present
    then = advise(parts, {kind: Decimal(kw) for kind, kw in chosen.kw.items()}).present
    saving = float(now.cost - then.cost) * 12.0 / len(made)
    if saving <= 0:
        return ()
    highest = [max((float(kw) for u in b.uses for kw in u.demand_kw.values()), default=0.0) for b in made]
    coverage = len(made) / len(billing.periods)
    limit = float(sum(chosen.kw.values()))
    return (
        Draft(
            subject_id=history.space.space_id,
            coverage=coverage,
            confidence=by_coverage(coverage, Confidence.HIGH),
            reason=Text("帳單引擎逐月重算", "Billed anew month by month"),
            money_ntd=saving,
            slot="capacity",
            figures={
                "present_kw": float(sum(present.kw.values())),
                "best_kw": limit,
                "months_over": float(then.over_parts),
            },
            bars=_bars(made, highest, limit),
        ),
    )


def _bars(made: list[Bill], highest: list[float], limit: float) -> Bars:
    labels = tuple(f"{bill.period.first:%Y-%m}" for bill in made)
    return Bars("kW", labels, tuple(round(kw, 1) for kw in highest), tuple(limit for _ in made))
