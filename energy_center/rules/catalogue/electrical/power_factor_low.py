"""The power factor of a meter is low while it carries load.

Taipower adds 0.1 % to the bill for each point under 80 % and takes 0.1 % off for each above it up to 95 %
(Taipower tariff book, chapter on power factor); the reactive current heats cables and transformers
besides. Usually a capacitor bank is off.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Signal

HOUR_S = 3600

RULE = Rule(
    rule_id="power-factor-low",
    subject="electrical",
    inputs=(Input("factor", Role.POWER_FACTOR), Input("power", Role.ACTIVE_POWER)),
    parameters=(
        Parameter("least_factor", 0.85, "1", "engineering practice: half way to the surcharge at 0.80"),
        Parameter("least_kw", 20.0, "kW", "engineering practice: below it the factor says nothing"),
    ),
    hold_s=2 * HOUR_S,
    keep_s=2 * HOUR_S,
    priority=Priority.LOW,
    lookback_s=HOUR_S,
    source="Taipower tariff book: power factor adjustment at 80 and 95 %",
    fault=("low_power_factor",),
    texts={
        "zh-TW": RuleTexts(
            name="功率因數偏低",
            likely_causes=("電容器組跳脫或熔絲斷", "自動功因調整器故障", "馬達長時間輕載"),
            what_to_check=("電容器盤的段數與熔絲", "功因調整器設定與比流器方向", "輕載的大型馬達"),
            safety="電容器斷電後仍帶電，放電並驗電後才可接觸。",
            suggestion="修復電容器組，使月平均功因回到 95 % 以取得電費折扣。",
        ),
        "en": RuleTexts(
            name="Power factor is low",
            likely_causes=(
                "A capacitor bank has tripped or blown its fuses",
                "The automatic controller has failed",
                "Large motors run nearly idle",
            ),
            what_to_check=(
                "Steps and fuses of the capacitor panel",
                "Controller settings and the direction of its current transformer",
                "Large motors with little load",
            ),
            safety="Capacitors stay charged after switching off: discharge and test before touching.",
            suggestion="Repair the bank, so that the month's mean returns to 95 % and the rebate is kept.",
        ),
    },
    cases=(
        Case(
            "0.78 for four hours",
            {"factor": "0.95x60 0.78x240", "power": "200x300"},
            ((60, Expect.NORMAL), (140, Expect.PENDING), (290, Expect.ACTIVE)),
        ),
        Case("0.92 is fine", {"factor": "0.92x300", "power": "200x300"}, ((299, Expect.NORMAL),)),
        Case(
            "exactly at the limit is not low",
            {"factor": "0.85x300", "power": "200x300"},
            ((299, Expect.NORMAL),),
        ),
        Case("hardly any load", {"factor": "0.5x300", "power": "5x300"}, ((299, Expect.NORMAL),)),
        Case("not read: cannot tell", {"factor": "?x300", "power": "200x300"}, ((299, Expect.NORMAL),)),
        Case(
            "repaired: ends after the keep time",
            {"factor": "0.78x240 0.96x300", "power": "200x540"},
            ((239, Expect.ACTIVE), (330, Expect.ACTIVE), (539, Expect.NORMAL)),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Mean of the last hour under the limit, in hours with load; leading counts like lagging."""
    hour = frame.steps(HOUR_S)
    factor = Signal(np.abs(frame["factor"].values)).mean(hour).rounded()
    loaded = frame["power"].mean(hour) > p["least_kw"]
    condition = (factor < p["least_factor"]).where(loaded)
    still = (factor < p["least_factor"] + 0.1 * (1.0 - p["least_factor"])).where(loaded)
    return Verdict(condition, still, {"power_factor": factor, "active_power_kW": frame["power"]})
