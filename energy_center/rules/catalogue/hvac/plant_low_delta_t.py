"""Chilled water returns too cold: the pumps move water for nothing.

Valves pass, coils are dirty or bypassed; more pumps and chillers run than the load needs. Source: ASHRAE
Guideline 36-2021, 5.20 (plant efficiency follows the temperature difference) and engineering practice: 60
% of the design difference.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="plant-low-delta-t",
    subject="hvac",
    inputs=(
        Input("supply", Role.CHILLED_WATER_SUPPLY_TEMPERATURE),
        Input("return", Role.CHILLED_WATER_RETURN_TEMPERATURE),
        Input("flow", Role.CHILLED_WATER_FLOW),
        Input("pressure", Role.CHILLED_WATER_DIFFERENTIAL_PRESSURE),
    ),
    parameters=(
        Parameter("design_k", 5.5, "K", "design of the plant", attribute="design_delta_k"),
        Parameter("share", 60.0, "%", "engineering practice: share of the design difference"),
        Parameter("least_flow", 20.0, "m3/h", "engineering practice: water must move"),
        Parameter("start_min", 20.0, "min", "ASHRAE Guideline 36-2021: mode delay of a chiller"),
    ),
    hold_s=7200,
    keep_s=3600,
    priority=Priority.MEDIUM,
    lookback_s=1860,
    source="ASHRAE Guideline 36-2021 5.20; limit by engineering practice",
    fault=("low_delta_t",),
    texts={
        "zh-TW": RuleTexts(
            name="冰水溫差過小",
            likely_causes=("末端閥關不緊", "盤管積垢或積塵", "旁通管流量過大", "送風溫度設定過低"),
            what_to_check=(
                "各空調箱冰水閥開度與回水溫度",
                "一、二次側流量與旁通方向",
                "盤管清潔度",
                "送風溫度設定",
            ),
            safety="拆修閥件前先關斷並洩壓。",
            suggestion="先找出回水最冷的末端修閥或清洗，再降低二次泵壓差設定。",
        ),
        "en": RuleTexts(
            name="Chilled-water temperature difference is low",
            likely_causes=(
                "Valves of the coils do not shut",
                "Coils are dirty inside or outside",
                "Too much water takes the bypass",
                "Supply-air set-points are too low",
            ),
            what_to_check=(
                "Valve position and return temperature of each air handler",
                "Primary and secondary flow, direction in the bypass",
                "Cleanness of the coils",
                "Supply-air set-points",
            ),
            safety="Shut off and relieve the pressure before working on valves.",
            suggestion="Find the units with the coldest return water and mend or clean them; "
            "then lower the secondary pumps' pressure set-point.",
        ),
    },
    cases=(
        Case(
            "2.5 K for three hours",
            {"supply": "7x220", "return": "12x30 9.5x190", "flow": "200x220", "pressure": "150x220"},
            ((29, Expect.NORMAL), (120, Expect.PENDING), (200, Expect.ACTIVE)),
        ),
        Case(
            "5 K",
            {"supply": "7x220", "return": "12x220", "flow": "200x220", "pressure": "150x220"},
            ((219, Expect.NORMAL),),
        ),
        Case(
            "plant off",
            {"supply": "15x220", "return": "15x220", "flow": "0x220", "pressure": "0x220"},
            ((219, Expect.NORMAL),),
        ),
        Case(
            "return not read: cannot tell",
            {"supply": "7x220", "return": "?x220", "flow": "200x220", "pressure": "150x220"},
            ((219, Expect.NORMAL),),
        ),
        Case(
            "mended: ends after the keep time",
            {"supply": "7x300", "return": "9x200 12x100", "flow": "200x300", "pressure": "150x300"},
            ((199, Expect.ACTIVE), (230, Expect.ACTIVE), (290, Expect.NORMAL)),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Five-minute mean of the difference under its share of the design, once water has moved for a while."""
    steps = frame.steps(300)
    difference = frame["return"].mean(steps) - frame["supply"].mean(steps)
    limit_k = p["design_k"] * p["share"] / 100.0
    slowest = -((-frame["flow"]).highest(frame.steps(p["start_min"] * 60)))
    moving = slowest > p["least_flow"]
    return Verdict.below(
        difference, limit_k, {"difference_K": difference, "flow_m3_per_h": frame["flow"]}, moving
    )
