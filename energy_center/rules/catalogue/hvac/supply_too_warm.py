"""The cooling valve is wide open and the supply air stays above its set-point.

The coil is fouled, starved of water or too small for the day. Source: ASHRAE Guideline 36-2021 AFDD: supply
air temperature too high at full cooling.
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
from energy_center.rules.window import Frame, held

RULE = Rule(
    rule_id="ahu-supply-too-warm",
    subject="hvac",
    inputs=(
        Input("supply", Role.SUPPLY_AIR_TEMPERATURE),
        Input("setpoint", Role.SUPPLY_AIR_TEMPERATURE_SETPOINT),
        Input("valve", Role.CHILLED_WATER_VALVE),
        Input("fan", Role.FAN_STATUS),
        Input("water", Role.CHILLED_WATER_SUPPLY_TEMPERATURE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter("over_k", 2.0, "K", "ASHRAE Guideline 36-2021: sensor errors of 1 K each"),
        Parameter("wide_open", 95.0, "%", "ASHRAE Guideline 36-2021: full cooling"),
        Parameter(
            "cold_water_c", 10.0, "Cel", "engineering practice: with warmer water the plant is the cause"
        ),
        Parameter("average_min", 10.0, "min", "engineering practice"),
    ),
    hold_s=2700,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="ASHRAE Guideline 36-2021 AFDD: supply air too warm at full cooling",
    fault=("coil_fouled",),
    hides=frozenset({Path.THERMAL}),
    needs_cold=True,
    texts={
        "zh-TW": RuleTexts(
            name="冰水閥全開仍達不到送風設定溫度",
            likely_causes=(
                "盤管髒污或積塵",
                "冰水流量不足、過濾器堵塞",
                "閥未實際開啟",
                "送風設定溫度過低",
            ),
            what_to_check=(
                "盤管前後水溫與壓差",
                "Y 型過濾器",
                "閥桿實際位置",
                "盤管表面清潔度",
            ),
            safety="清洗盤管前停機上鎖；藥劑須戴護目鏡與手套。",
            suggestion="清洗盤管與過濾器；必要時調整水量平衡。",
        ),
        "en": RuleTexts(
            name="Supply air stays too warm at full cooling",
            likely_causes=(
                "The coil is dirty",
                "Too little water, a blocked strainer",
                "The valve does not really open",
                "The set-point is too low",
            ),
            what_to_check=(
                "Water temperatures and pressure over the coil",
                "The strainer",
                "The stem of the valve",
                "The face of the coil",
            ),
            safety="Stop and lock out before washing the coil; wear goggles and gloves.",
            suggestion="Clean coil and strainer; balance the water flow if need be.",
        ),
    },
    cases=(
        Case(
            "4 K over at full cooling",
            {"supply": "18x120", "setpoint": "14x120", "valve": "100x120", "fan": "1x120"},
            (
                (10, Expect.NORMAL),
                (40, Expect.PENDING),
                (90, Expect.ACTIVE),
            ),
        ),
        Case(
            "reaches its set-point",
            {"supply": "14.3x120", "setpoint": "14x120", "valve": "70x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "exactly 2 K over",
            {"supply": "16x120", "setpoint": "14x120", "valve": "100x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "the water is warm: the plant is the cause",
            {"supply": "18x120", "setpoint": "14x120", "valve": "100x120", "fan": "1x120", "water": "13x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "set-point not read: cannot tell",
            {"supply": "18x120", "setpoint": "?x120", "valve": "100x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
    ),
    also=(
        "stuck_damper",
        "reheat_against_cooling",
        "after_hours_cooling",
        "capacity_lost",
        "low_delta_t",
        "chiller_short_cycling",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Means of ten minutes, with the fan on for half an hour and cold water at hand."""
    steps = frame.steps(p["average_min"] * 60)
    over = frame["supply"].mean(steps) - frame["setpoint"].mean(steps)
    over = over.rounded()
    running = held(frame["fan"].on(), 3 * steps)
    if frame.has("water"):
        running = running & (frame["water"].mean(steps) < p["cold_water_c"])
    wide = frame["valve"].mean(steps) > p["wide_open"]
    figures = {"over_setpoint_K": over, "chilled_water_valve_%": frame["valve"]}
    return Verdict.above(over, p["over_k"], figures, running, wide)
