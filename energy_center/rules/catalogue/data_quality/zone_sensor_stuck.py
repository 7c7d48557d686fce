"""A room temperature has not moved for hours although the weather has.

The controller then cools or heats blindly. Source: engineering practice; a live room moves by hundredths
of a kelvin within an hour.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import (
    Case,
    Expect,
    Input,
    Parameter,
    Parameters,
    Path,
    Rule,
    RuleTexts,
    Verdict,
    Where,
)
from energy_center.rules.window import Frame

WINDOW_S = 6 * 3600

RULE = Rule(
    rule_id="dq-stuck",
    subject="data_quality",
    inputs=(
        Input("zone", Role.ZONE_TEMPERATURE),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
    ),
    parameters=(
        Parameter("most_k", 0.005, "K", "engineering practice: less than any sensor's noise over 6 h"),
        Parameter("outdoor_k", 1.0, "K", "engineering practice: the partner must have moved"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.LOW,
    step_s=300,
    lookback_s=WINDOW_S + 600,
    source="engineering practice: unchanged for 6 h while a partner moves",
    fault=("sensor_stuck",),
    hides=frozenset({Path.SENSOR}),
    also=("sensor_broken",),
    texts={
        "zh-TW": RuleTexts(
            name="室內溫度感測值停滯",
            likely_causes=("感測器或變送器故障", "控制器停止更新", "數值被手動覆寫"),
            what_to_check=("以手持溫度計比對", "控制器是否有手動覆寫(out of service)", "感測器接線"),
            safety="高處感測器作業須使用合格梯具。",
            suggestion="更換或解除覆寫；修復前此點不參與其他判斷。",
        ),
        "en": RuleTexts(
            name="Room temperature reading stands still",
            likely_causes=(
                "The sensor or its transmitter has failed",
                "The controller no longer updates it",
                "Somebody has overridden the value",
            ),
            what_to_check=(
                "Compare with a hand-held thermometer",
                "Is the point overridden (out of service) in the controller?",
                "The sensor's wiring",
            ),
            safety="Use a proper ladder for sensors out of reach.",
            suggestion="Replace the sensor or take the override off.",
        ),
    },
    cases=(
        Case(
            "stands at 24.3",
            {"zone": "24..25x20 24.3x120", "outdoor": "25..33x70 33..26x70"},
            ((95, Expect.NORMAL), (500, Expect.PENDING), (690, Expect.ACTIVE)),
            step_s=300,
        ),
        Case(
            "moves",
            {"zone": "24..25x70 25..24x70", "outdoor": "25..33x70 33..26x70"},
            ((690, Expect.NORMAL),),
            step_s=300,
        ),
        Case(
            "the weather stands still too: nothing can be said",
            {"zone": "24.3x140", "outdoor": "26x140"},
            ((690, Expect.NORMAL),),
            step_s=300,
        ),
        Case(
            "not read: cannot tell",
            {"zone": "?x140", "outdoor": "25..33x140"},
            ((690, Expect.NORMAL),),
            step_s=300,
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """No movement within six hours, in which the outdoor temperature did move."""
    steps = frame.steps(WINDOW_S)
    span = frame["zone"].span(steps, covered=0.9)
    moved = frame["outdoor"].span(steps, covered=0.6) > p["outdoor_k"]
    return Verdict((span < p["most_k"]).where(moved), figures={"zone_temperature_Cel": frame["zone"]})
