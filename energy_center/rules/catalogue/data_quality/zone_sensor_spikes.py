"""A room temperature jumps and is back within minutes, again and again.

A loose terminal or a disturbed cable, no weather: means and controls follow it. Source: engineering practice.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Mask, Signal, rolling_sum

WINDOW_S = 6 * 3600

RULE = Rule(
    rule_id="dq-spikes",
    subject="data_quality",
    inputs=(Input("zone", Role.ZONE_TEMPERATURE),),
    parameters=(
        Parameter("jump_k", 5.0, "K", "engineering practice: no room does so in ten minutes"),
        Parameter("back_k", 2.5, "K", "engineering practice: as it was before"),
        Parameter("most_s", 450.0, "s", "engineering practice: one spike of five minutes may be chance"),
    ),
    hold_s=0,
    keep_s=21600,
    priority=Priority.LOW,
    lookback_s=WINDOW_S + 1300,
    source="engineering practice: jumps of 5 K that are gone within ten minutes",
    fault=("sensor_spikes",),
    texts={
        "zh-TW": RuleTexts(
            name="溫度感測器數值跳動",
            likely_causes=(
                "接線端子鬆動",
                "訊號線受電力線干擾",
                "感測器受潮",
                "類比輸入模組故障",
            ),
            what_to_check=(
                "接線端子與屏蔽接地",
                "訊號線與動力線的距離",
                "以另一支溫度計比對",
            ),
            safety="控制箱內作業先斷電並驗電。",
            suggestion="鎖緊端子並改善屏蔽；仍跳動則更換感測器。",
        ),
        "en": RuleTexts(
            name="Temperature sensor jumps",
            likely_causes=(
                "A terminal is loose",
                "A power cable disturbs the signal",
                "The sensor is damp",
                "The analogue input has failed",
            ),
            what_to_check=(
                "Terminals, and the earth of the shield",
                "The distance to power cables",
                "A second thermometer",
            ),
            safety="Switch the panel off and test before working in it.",
            suggestion="Tighten the terminals and mend the shield; replace the sensor if it still jumps.",
        ),
    },
    cases=(
        Case(
            "three jumps of 20 K in two hours",
            {"zone": "26x60 46x5 26x40 46x5 26x40 46x5 26x40"},
            ((80, Expect.NORMAL), (190, Expect.ACTIVE)),
        ),
        Case("steady", {"zone": "26x200"}, ((199, Expect.NORMAL),)),
        Case("a single jump", {"zone": "26x60 46x5 26x135"}, ((199, Expect.NORMAL),)),
        Case("a step that stays", {"zone": "26x60 33x140"}, ((199, Expect.NORMAL),)),
        Case(
            "exactly 5 K is no jump",
            {"zone": "26x60 31x5 26x40 31x5 26x40 31x5 26x40"},
            ((190, Expect.NORMAL),),
        ),
        Case("not read: cannot tell", {"zone": "?x200"}, ((199, Expect.NORMAL),)),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Time within six hours at which the reading of ten minutes ago stood out from those before and after."""
    apart = frame.steps(600)
    zone = frame["zone"]
    middle, before = zone.back(apart), zone.back(2 * apart)
    jumped = Signal(np.abs((middle - before).values)) > p["jump_k"]
    back = Signal(np.abs((zone - before).values)) < p["back_k"]
    spikes = Signal(rolling_sum((jumped & back).true * frame.step_s, frame.steps(WINDOW_S)))
    known = zone.known
    return Verdict(
        Mask.of(spikes.values > p["most_s"], known),
        figures={"spikes_s": spikes, "zone_temperature_Cel": zone},
    )
