"""Cool, dry air outside, and the damper stays at its minimum while the coil cools.

Free cooling is a matter of December to March in Taichung. Source: ASHRAE Guideline 36-2021 AFDD on
economisers, with limits on temperature and enthalpy for a humid climate.
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
from energy_center.rules.window import Floats, Frame, Signal, held

RULE = Rule(
    rule_id="ahu-economiser-unused",
    subject="hvac",
    inputs=(
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
        Input("humidity", Role.OUTDOOR_AIR_HUMIDITY, Where.SITE),
        Input("damper", Role.OUTDOOR_AIR_DAMPER),
        Input("valve", Role.CHILLED_WATER_VALVE),
        Input("fan", Role.FAN_STATUS),
    ),
    parameters=(
        Parameter("mild_c", 22.5, "Cel", "engineering practice: below the return air by sensor errors"),
        Parameter(
            "dry_kj_kg", 45.0, "kJ/kg", "engineering practice: below the room by 3 kJ/kg and sensor errors"
        ),
        Parameter("open_at", 50.0, "%", "engineering practice: a damper that uses the air"),
        Parameter("cools_above", 15.0, "%", "engineering practice: the coil really works"),
        Parameter("average_min", 15.0, "min", "engineering practice"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.LOW,
    lookback_s=1900,
    source="ASHRAE Guideline 36-2021 AFDD: economiser not used; enthalpy limit for a humid climate",
    fault=("economiser_disabled",),
    texts={
        "zh-TW": RuleTexts(
            name="可用外氣冷房但未使用",
            likely_causes=(
                "外氣冷房功能未啟用",
                "焓值或溫度設定過嚴",
                "外氣焓感測器故障",
                "風門限位在最小開度",
            ),
            what_to_check=(
                "控制器外氣冷房設定",
                "外氣溫濕度感測器",
                "風門實際行程",
            ),
            safety="進入混合箱前先停風機並上鎖。",
            suggestion="啟用外氣冷房，並檢討切換溫度與焓值。",
        ),
        "en": RuleTexts(
            name="Free cooling is not used",
            likely_causes=(
                "It is switched off in the controller",
                "Its limits are too strict",
                "The outdoor sensors have failed",
                "The damper is limited to its minimum",
            ),
            what_to_check=(
                "Settings of the economiser",
                "Outdoor temperature and humidity",
                "The damper's true travel",
            ),
            safety="Stop and lock out the fan before entering the mixing box.",
            suggestion="Switch it on, and review its limits of temperature and enthalpy.",
        ),
    },
    cases=(
        Case(
            "20 Cel and dry, damper at 20 %",
            {
                "outdoor": "20x150",
                "humidity": "55x150",
                "damper": "20x150",
                "valve": "40x150",
                "fan": "1x150",
            },
            ((10, Expect.NORMAL), (60, Expect.PENDING), (140, Expect.ACTIVE)),
        ),
        Case(
            "damper open",
            {
                "outdoor": "20x150",
                "humidity": "55x150",
                "damper": "75x150",
                "valve": "20x150",
                "fan": "1x150",
            },
            ((149, Expect.NORMAL),),
        ),
        Case(
            "mild but humid",
            {
                "outdoor": "22x150",
                "humidity": "95x150",
                "damper": "20x150",
                "valve": "40x150",
                "fan": "1x150",
            },
            ((149, Expect.NORMAL),),
        ),
        Case(
            "exactly at the limit",
            {
                "outdoor": "22.5x150",
                "humidity": "40x150",
                "damper": "20x150",
                "valve": "40x150",
                "fan": "1x150",
            },
            ((149, Expect.NORMAL),),
        ),
        Case(
            "no cooling needed",
            {"outdoor": "16x150", "humidity": "55x150", "damper": "20x150", "valve": "0x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "humidity not read: cannot tell",
            {"outdoor": "20x150", "humidity": "?x150", "damper": "20x150", "valve": "40x150", "fan": "1x150"},
            ((149, Expect.NORMAL),),
        ),
    ),
    also=("stuck_damper",),
)


def enthalpy_kj_kg(dry_c: Floats, humidity_pct: Floats) -> Floats:
    """Enthalpy of moist air at sea level from dry bulb (Cel) and relative humidity (%).

    Saturation pressure by Magnus (WMO-No. 8, annex 4.B); ASHRAE Fundamentals 2021, chapter 1, equation 30.
    """
    vapour_hpa = humidity_pct / 100.0 * 6.112 * np.exp(17.62 * dry_c / (243.12 + dry_c))
    ratio = 0.622 * vapour_hpa / (1013.25 - vapour_hpa)
    return np.asarray(1.006 * dry_c + ratio * (2501.0 + 1.86 * dry_c), dtype=np.float64)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Quarter-hour means: air that could cool, a coil that does, and a damper that is nearly shut."""
    steps = frame.steps(p["average_min"] * 60)
    outdoor = frame["outdoor"].mean(steps).rounded()
    enthalpy = Signal(enthalpy_kj_kg(outdoor.values, frame["humidity"].mean(steps).values))
    free = (outdoor < p["mild_c"]) & (enthalpy < p["dry_kj_kg"])
    cools = held(frame["fan"].on(), 2 * steps) & (frame["valve"].mean(steps) > p["cools_above"])
    shut = frame["damper"].mean(steps) < p["open_at"]
    figures = {"outdoor_air_damper_%": frame["damper"], "outdoor_enthalpy_kJ_per_kg": enthalpy}
    return Verdict(shut.where(free & cools), figures=figures)
