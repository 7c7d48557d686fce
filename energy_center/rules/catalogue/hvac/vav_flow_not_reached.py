"""A variable-volume box is wide open and gets too little air.

A stuck damper, a closed fire damper, a torn duct, or too little pressure. Source: ASHRAE Guideline 36-2021
alarms of terminal units: flow below 70 % of its set-point.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Signal

RULE = Rule(
    rule_id="vav-flow-not-reached",
    subject="hvac",
    inputs=(
        Input("flow", Role.SUPPLY_AIR_FLOW),
        Input("setpoint", Role.SUPPLY_AIR_FLOW_SETPOINT),
        Input("damper", Role.DAMPER_POSITION),
    ),
    parameters=(
        Parameter("least_share", 0.7, "1", "ASHRAE Guideline 36-2021: low-airflow alarm"),
        Parameter("wide_open", 90.0, "%", "ASHRAE Guideline 36-2021: the damper asks for all"),
        Parameter("least_m3_h", 100.0, "m3/h", "engineering practice: below it flow cells are blind"),
        Parameter("average_min", 10.0, "min", "engineering practice"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.LOW,
    lookback_s=700,
    source="ASHRAE Guideline 36-2021: terminal unit gets less than 70 % of its air",
    fault=("vav_starved",),
    texts={
        "zh-TW": RuleTexts(
            name="變風量箱風量不足",
            likely_causes=(
                "風門或致動器卡住",
                "防火風門關閉",
                "風管破損或軟管壓扁",
                "空調箱靜壓不足",
            ),
            what_to_check=(
                "箱體風門實際開度",
                "防火風門與軟管",
                "空調箱風管靜壓",
                "風量感測管是否堵塞",
            ),
            safety="天花板內作業使用合格梯具，並留意致動器動作。",
            suggestion="排除阻塞或修復風門；多箱同時發生先檢查空調箱靜壓。",
        ),
        "en": RuleTexts(
            name="VAV box gets too little air",
            likely_causes=(
                "The damper or its actuator is stuck",
                "A fire damper has shut",
                "A duct is torn or a hose squeezed",
                "The air handler gives too little pressure",
            ),
            what_to_check=(
                "The true position of the damper",
                "Fire dampers and hoses",
                "Static pressure of the air handler",
                "Is the flow sensor blocked?",
            ),
            safety="Use a proper ladder above the ceiling; the actuator may move.",
            suggestion="Clear the way or mend the damper; where many suffer, look at the air handler first.",
        ),
    },
    cases=(
        Case(
            "40 % of its set-point, wide open",
            {"flow": "400x90", "setpoint": "1000x90", "damper": "100x90"},
            ((5, Expect.PENDING), (80, Expect.ACTIVE)),
        ),
        Case(
            "gets its air",
            {"flow": "980x90", "setpoint": "1000x90", "damper": "95x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "exactly 70 %",
            {"flow": "700x90", "setpoint": "1000x90", "damper": "100x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "still opening",
            {"flow": "400x90", "setpoint": "1000x90", "damper": "60x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "flow not read: cannot tell",
            {"flow": "?x90", "setpoint": "1000x90", "damper": "100x90"},
            ((89, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Means of ten minutes: share of the wanted flow with the damper wide open."""
    steps = frame.steps(p["average_min"] * 60)
    flow, wanted = frame["flow"].mean(steps), frame["setpoint"].mean(steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = Signal(flow.values / wanted.values).rounded()
    used, asks = wanted > p["least_m3_h"], frame["damper"].mean(steps) > p["wide_open"]
    figures = {"flow_share": share, "supply_air_flow_m3_per_h": flow}
    return Verdict.below(share, p["least_share"], figures, used, asks)
