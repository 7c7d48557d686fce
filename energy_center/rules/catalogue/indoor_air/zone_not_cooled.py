"""A room stays well above its set-point though its unit runs and calls for all the cold there is.

A stuck valve, a clogged filter, air in the coil: people complain, others turn their set-points down. Source:
engineering practice; ASHRAE Guideline 36-2021 tells of zones two kelvin and more off their set-point.
"""

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
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="zone-not-cooled",
    subject="indoor_air",
    inputs=(
        Input("zone", Role.ZONE_TEMPERATURE),
        Input("setpoint", Role.ZONE_TEMPERATURE_SETPOINT),
        Input("valve", Role.CHILLED_WATER_VALVE),
        Input("fan", Role.FAN_STATUS),
        Input("water", Role.CHILLED_WATER_SUPPLY_TEMPERATURE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter("over_k", 2.0, "K", "ASHRAE Guideline 36-2021: zone temperature alarm"),
        Parameter("wide_open", 90.0, "%", "engineering practice: the unit asks for all it can get"),
        Parameter(
            "cold_water_c", 10.0, "Cel", "engineering practice: with warmer water the plant is the cause"
        ),
    ),
    hold_s=3600,
    keep_s=1800,
    priority=Priority.MEDIUM,
    source="ASHRAE Guideline 36-2021: zone two kelvin above its set-point",
    fault=("fcu_valve_stuck",),
    needs_cold=True,
    texts={
        "zh-TW": RuleTexts(
            name="房間冷不下來",
            likely_causes=(
                "電動閥卡住未開",
                "濾網或盤管髒污",
                "管內積氣",
                "風口被遮擋",
            ),
            what_to_check=(
                "電動閥實際開度與前後管溫",
                "濾網與風量",
                "排氣閥",
                "門窗是否開啟、熱源是否增加",
            ),
            safety="天花板內作業先停電並使用合格梯具。",
            suggestion="修復電動閥或清洗濾網盤管；確認前勿以調低設定溫度因應。",
        ),
        "en": RuleTexts(
            name="Room does not get cool",
            likely_causes=(
                "The valve is stuck shut",
                "Filter or coil are dirty",
                "Air in the pipe",
                "The outlet is covered",
            ),
            what_to_check=(
                "The valve's position and pipe temperatures",
                "Filter and air flow",
                "The vent",
                "Open windows, new sources of heat",
            ),
            safety="Switch the unit off before working above the ceiling; use a proper ladder.",
            suggestion="Mend the valve or clean filter and coil; do not answer with a lower set-point.",
        ),
    },
    cases=(
        Case(
            "28.5 Cel against 26",
            {"zone": "28.5x120", "setpoint": "26x120", "valve": "100x120", "fan": "1x120"},
            (
                (10, Expect.PENDING),
                (90, Expect.ACTIVE),
            ),
        ),
        Case(
            "at its set-point",
            {"zone": "26.2x120", "setpoint": "26x120", "valve": "60x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "exactly two kelvin",
            {"zone": "28x120", "setpoint": "26x120", "valve": "100x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "pulling down on a Monday morning",
            {"zone": "29.5..26x50 26x70", "setpoint": "26x120", "valve": "100x60 50x60", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "no cold water yet",
            {"zone": "29x120", "setpoint": "26x120", "valve": "100x120", "fan": "1x120", "water": "15x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"zone": "?x120", "setpoint": "26x120", "valve": "100x120", "fan": "1x120"},
            ((119, Expect.NORMAL),),
        ),
    ),
    also=(
        "sensor_spikes",
        "sensor_broken",
        "vav_starved",
        "stuck_damper",
        "setpoint_too_low",
        "sensor_stuck",
        "sensor_drift",
        "capacity_lost",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Well above the set-point at full call, while cold water is there."""
    over = (frame["zone"] - frame["setpoint"]).rounded()
    served = frame["fan"].on()
    if frame.has("water"):
        served = served & (frame["water"] < p["cold_water_c"])
    calls = frame["valve"] > p["wide_open"]  # a room that calls no more is mended, not unknown
    figures = {"over_setpoint_K": over, "chilled_water_valve_%": frame["valve"]}
    return Verdict.above(over, p["over_k"], figures, served, calls)
