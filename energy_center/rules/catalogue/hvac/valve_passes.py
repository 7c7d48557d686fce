"""The chilled-water valve is commanded shut, yet the supply air is far colder than the mixed air.

Cold water passes: rooms are overcooled or reheated, at any hour the plant runs. Source: NIST APAR rules on
the cooling coil at rest; ASHRAE Guideline 36-2021 fan heat of 1 K.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, held

RULE = Rule(
    rule_id="ahu-valve-passes",
    subject="hvac",
    inputs=(
        Input("supply", Role.SUPPLY_AIR_TEMPERATURE),
        Input("mixed", Role.MIXED_AIR_TEMPERATURE),
        Input("valve", Role.CHILLED_WATER_VALVE),
        Input("fan", Role.FAN_STATUS),
        Input("flow", Role.SUPPLY_AIR_FLOW, optional=True),
        Input("speed", Role.FAN_SPEED, optional=True),
    ),
    parameters=(
        Parameter("shut_below", 5.0, "%", "engineering practice: valves below it are shut"),
        Parameter(
            "least_drop_k",
            3.0,
            "K",
            "two sensors of 1 K each, and fan heat of 1 K (ASHRAE Guideline 36-2021)",
        ),
        Parameter("average_min", 10.0, "min", "engineering practice"),
        Parameter("settled_min", 30.0, "min", "ASHRAE Guideline 36-2021: mode delay"),
        Parameter("least_speed", 20.0, "%", "engineering practice: below it the sensors see different air"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="NIST APAR; ASHRAE Guideline 36-2021: 1 K fan heat, 30 min mode delay",
    fault=("passing_chilled_water_valve",),
    texts={
        "zh-TW": RuleTexts(
            name="冰水閥關閉仍有冷量通過",
            likely_causes=(
                "閥座磨損或異物卡住",
                "致動器行程未校正",
                "旁通管未關",
                "閥體與致動器脫開",
            ),
            what_to_check=(
                "閥關閉時前後管溫差",
                "致動器行程與閥桿位置",
                "旁通閥是否關閉",
            ),
            safety="冰水管路洩壓前不可拆閥；停風機後再進入箱體。",
            suggestion="校正致動器行程；仍洩漏則更換閥座或閥體。",
        ),
        "en": RuleTexts(
            name="Chilled-water valve passes when shut",
            likely_causes=(
                "The seat is worn or something is caught in it",
                "The actuator stroke is not adjusted",
                "A bypass is open",
                "Stem and actuator have come apart",
            ),
            what_to_check=(
                "Pipe temperatures on both sides of the shut valve",
                "Stroke of the actuator and position of the stem",
                "Is the bypass shut?",
            ),
            safety="Relieve the pipe before opening the valve; stop the fan before entering the unit.",
            suggestion="Adjust the stroke; if it still passes, replace seat or valve.",
        ),
    },
    cases=(
        Case(
            "supply 5 K under mixed air with the valve shut",
            {"supply": "21x100", "mixed": "26x100", "valve": "0x100", "fan": "1x100"},
            (
                (20, Expect.NORMAL),
                (50, Expect.PENDING),
                (95, Expect.ACTIVE),
            ),
        ),
        Case(
            "tight: only the fan warms the air",
            {"supply": "26.8x100", "mixed": "26x100", "valve": "0x100", "fan": "1x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "exactly 3 K is no fault",
            {"supply": "23x100", "mixed": "26x100", "valve": "0x100", "fan": "1x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "cooling on purpose",
            {"supply": "15x100", "mixed": "26x100", "valve": "60x100", "fan": "1x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "pipes still cold just after shutting",
            {"supply": "15x30 22x25 26x45", "mixed": "26x100", "valve": "60x30 0x70", "fan": "1x100"},
            (
                (60, Expect.NORMAL),
                (99, Expect.NORMAL),
            ),
        ),
        Case(
            "a fan at a tenth of its speed: not judged",
            {"supply": "21x100", "mixed": "26x100", "valve": "0x100", "fan": "1x100", "speed": "10x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "at exactly 20 % it is judged",
            {"supply": "21x100", "mixed": "26x100", "valve": "0x100", "fan": "1x100", "speed": "20x100"},
            ((95, Expect.ACTIVE),),
        ),
        Case(
            "mixed air not read: cannot tell",
            {"supply": "20x100", "mixed": "?x100", "valve": "0x100", "fan": "1x100"},
            ((99, Expect.NORMAL),),
        ),
    ),
    also=("mixed_air_sensor_wrong",),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Mean drop over the coil with the valve shut and the fan on for the mode delay."""
    steps = frame.steps(p["average_min"] * 60)
    drop = (frame["mixed"].mean(steps) - frame["supply"].mean(steps)).rounded()
    settled = frame.steps(p["settled_min"] * 60)
    on = frame["fan"].on()
    if frame.has("speed"):
        on = on & ~(frame["speed"].mean(steps).rounded() < p["least_speed"])
    shut = held((frame["valve"] < p["shut_below"]) & on, settled)
    figures = {"temperature_drop_K": drop, "chilled_water_valve_%": frame["valve"]}
    # a valve that must open to cool passes little: false, so that a mended one returns in summer too
    return Verdict.above(drop, p["least_drop_k"], figures, on, shut)
