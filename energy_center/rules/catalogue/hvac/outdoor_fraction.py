"""An air handler takes in much more or less outdoor air than its damper says.

Too much costs cooling on hot days, too little leaves people in stale air. Source: ASHRAE Guideline 36-2021,
AFDD fault condition on the outdoor-air fraction, which needs outdoor and return air to differ enough.
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
from energy_center.rules.window import Frame, Mask, Signal, held

RULE = Rule(
    rule_id="ahu-outdoor-fraction-wrong",
    subject="hvac",
    inputs=(
        Input("mixed", Role.MIXED_AIR_TEMPERATURE),
        Input("back", Role.RETURN_AIR_TEMPERATURE),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
        Input("damper", Role.OUTDOOR_AIR_DAMPER),
        Input("fan", Role.FAN_STATUS),
        Input("speed", Role.FAN_SPEED, optional=True),
    ),
    parameters=(
        Parameter(
            "least_difference_k", 6.0, "K", "ASHRAE Guideline 36-2021: smallest outdoor-return difference"
        ),
        Parameter("off_points", 30.0, "%", "ASHRAE Guideline 36-2021: 30 % of the flow"),
        Parameter("average_min", 15.0, "min", "engineering practice: the mixing box is slow"),
        Parameter("least_speed", 20.0, "%", "engineering practice: below it the sensors see different air"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="ASHRAE Guideline 36-2021 AFDD: outdoor-air fraction against its design",
    fault=("stuck_damper",),
    texts={
        "zh-TW": RuleTexts(
            name="外氣比例與風門開度不符",
            likely_causes=(
                "風門馬達或連桿鬆脫",
                "風門卡在全開或全關",
                "命令已手動覆寫",
                "混合風溫度感測器位置不當",
            ),
            what_to_check=(
                "現場風門實際開度",
                "以手轉動連桿確認是否咬死",
                "比對外氣、回風、混合風溫度",
                "控制器是否有手動覆寫",
            ),
            safety="進入混合箱前先停風機並上鎖，留意風門會自行動作。",
            suggestion="修復風門機構；修復前將風門固定在最小外氣量位置。",
        ),
        "en": RuleTexts(
            name="Outdoor-air share does not follow the damper",
            likely_causes=(
                "The actuator or linkage has come loose",
                "The damper is jammed open or shut",
                "The command is overridden by hand",
                "The mixed-air sensor sits badly",
            ),
            what_to_check=(
                "The true position of the damper",
                "Turn the linkage by hand: does it jam?",
                "Outdoor, return and mixed air by a hand-held thermometer",
                "Overrides in the controller",
            ),
            safety=(
                "Stop and lock out the fan before entering the mixing box; the damper may move by itself."
            ),
            suggestion="Repair the damper; until then fix it at its least outdoor-air position.",
        ),
    },
    cases=(
        Case(
            "open at 90 % though commanded to 20 %",
            {"mixed": "33.3x150", "back": "26x150", "outdoor": "34x150", "damper": "20x150", "fan": "1x150"},
            (
                (10, Expect.NORMAL),
                (40, Expect.PENDING),
                (100, Expect.ACTIVE),
            ),
        ),
        Case(
            "mixes as commanded",
            {"mixed": "27.6x150", "back": "26x150", "outdoor": "34x150", "damper": "20x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "exactly 30 points off is no fault",
            {"mixed": "30x150", "back": "26x150", "outdoor": "34x150", "damper": "20x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "outdoor and return air too alike: cannot tell",
            {"mixed": "29x150", "back": "26x150", "outdoor": "29x150", "damper": "20x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "a fan at a tenth of its speed: not judged",
            {
                "mixed": "33.3x150",
                "back": "26x150",
                "outdoor": "34x150",
                "damper": "20x150",
                "fan": "1x150",
                "speed": "10x150",
            },
            ((149, Expect.NORMAL),),
        ),
        Case(
            "at exactly 20 % it is judged",
            {
                "mixed": "33.3x150",
                "back": "26x150",
                "outdoor": "34x150",
                "damper": "20x150",
                "fan": "1x150",
                "speed": "20x150",
            },
            ((100, Expect.ACTIVE),),
        ),
        Case(
            "fan off",
            {"mixed": "33x150", "back": "26x150", "outdoor": "34x150", "damper": "0x150", "fan": "0x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "outdoor temperature not read: cannot tell",
            {"mixed": "33x150", "back": "26x150", "outdoor": "?x150", "damper": "20x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
    ),
    also=("mixed_air_sensor_wrong",),
)


def _excess(frame: Frame, p: Parameters) -> tuple[Signal, Mask]:
    """Points of outdoor air beyond the damper's command, and where temperatures can tell."""
    steps = frame.steps(p["average_min"] * 60)
    back, outdoor = frame["back"].mean(steps), frame["outdoor"].mean(steps)
    apart = outdoor - back
    far = Signal(np.abs(apart.values)) > p["least_difference_k"]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 100.0 * (frame["mixed"].mean(steps) - back).values / apart.values
    return Signal(share - frame["damper"].mean(steps).values).rounded(), far


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Share of outdoor air by temperatures against the damper, with the fan on for a while."""
    excess, far = _excess(frame, p)
    running = held(frame["fan"].on(), frame.steps(2 * p["average_min"] * 60))
    if frame.has("speed"):
        speed = frame["speed"].mean(frame.steps(p["average_min"] * 60)).rounded()
        running = running & ~(speed < p["least_speed"])
    off = Signal(np.abs(excess.values))
    return Verdict.above(
        off,
        p["off_points"],
        {"outdoor_air_beyond_command_%": excess, "mixed_air_temperature_Cel": frame["mixed"]},
        running & far,
    )
