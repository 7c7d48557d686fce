"""The mixed air is warmer or colder than both airs it is mixed of.

One of three sensors is wrong, and every rule that reads them with it. Source: ASHRAE Guideline 36-2021
AFDD, fault conditions on mixed air below or above outdoor and return air.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import (
    Case,
    Expect,
    Input,
    Parameter,
    Parameters,
    Rule,
    RuleTexts,
    Verdict,
    Where,
)
from energy_center.rules.window import Frame, Signal, held

RULE = Rule(
    rule_id="ahu-mixed-air-implausible",
    subject="hvac",
    inputs=(
        Input("mixed", Role.MIXED_AIR_TEMPERATURE),
        Input("back", Role.RETURN_AIR_TEMPERATURE),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
        Input("fan", Role.FAN_STATUS),
    ),
    parameters=(
        Parameter(
            "error_k", 3.2, "K", "ASHRAE Guideline 36-2021: sensor errors of 3 K and 1 K, squares added"
        ),
        Parameter("average_min", 10.0, "min", "engineering practice"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="ASHRAE Guideline 36-2021 AFDD: mixed air outside outdoor and return air",
    fault=("mixed_air_sensor_wrong",),
    texts={
        "zh-TW": RuleTexts(
            name="混合風溫度不合理",
            likely_causes=(
                "混合風溫度感測器偏移",
                "感測器位置受日照或盤管輻射影響",
                "外氣或回風感測器故障",
            ),
            what_to_check=(
                "以手持溫度計比對三支感測器",
                "感測器安裝位置",
                "校正偏移設定",
            ),
            safety="進入混合箱前先停風機並上鎖。",
            suggestion="校正或更換偏離的感測器。",
        ),
        "en": RuleTexts(
            name="Mixed air cannot be so warm or cold",
            likely_causes=(
                "The mixed-air sensor has drifted",
                "It sits in the sun or sees the coil",
                "The outdoor or return sensor has failed",
            ),
            what_to_check=(
                "All three by a hand-held thermometer",
                "Where the sensors sit",
                "Offsets in the controller",
            ),
            safety="Stop and lock out the fan before entering the mixing box.",
            suggestion="Calibrate or replace the sensor that is off.",
        ),
    },
    cases=(
        Case(
            "8 K above both",
            {"mixed": "36x150", "back": "26x150", "outdoor": "28x150", "fan": "1x150"},
            ((10, Expect.NORMAL), (120, Expect.ACTIVE)),
        ),
        Case(
            "between them",
            {"mixed": "27x150", "back": "26x150", "outdoor": "28x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "exactly 3.2 K above",
            {"mixed": "31.2x150", "back": "26x150", "outdoor": "28x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "fan off",
            {"mixed": "36x150", "back": "26x150", "outdoor": "28x150", "fan": "0x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "outdoor air not read: cannot tell",
            {"mixed": "36x150", "back": "26x150", "outdoor": "?x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """How far the mixed air lies outside the range of outdoor and return air, with the fan on for a while."""
    steps = frame.steps(p["average_min"] * 60)
    mixed, back, outdoor = (frame[name].mean(steps).values for name in ("mixed", "back", "outdoor"))
    above, below = mixed - np.maximum(back, outdoor), np.minimum(back, outdoor) - mixed
    outside = Signal(np.maximum(above, below)).rounded()
    running = held(frame["fan"].on(), 3 * steps)
    return Verdict.above(
        outside, p["error_k"], {"outside_K": outside, "mixed_air_temperature_Cel": frame["mixed"]}, running
    )
