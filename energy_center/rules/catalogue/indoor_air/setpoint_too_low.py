"""A room's cooling set-point is below what public buildings may cool to.

Each kelvin lower costs some 6 % of the cooling. Source: Taiwan's energy-saving rules for public authorities:
indoor cooling not below 26 Cel; a kelvin of grace before it is told.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="zone-setpoint-too-low",
    subject="indoor_air",
    inputs=(
        Input("setpoint", Role.ZONE_TEMPERATURE_SETPOINT),
        Input("schedule", Role.SCHEDULE, optional=True),
    ),
    parameters=(
        Parameter(
            "least_c",
            25.0,
            "Cel",
            "26 Cel of the energy-saving rules for public authorities, less one kelvin",
        ),
    ),
    hold_s=1800,
    keep_s=900,
    priority=Priority.LOW,
    source="energy-saving rules for public authorities: 26 Cel",
    fault=("setpoint_too_low",),
    texts={
        "zh-TW": RuleTexts(
            name="室內設定溫度低於規定",
            likely_causes=(
                "使用者調低後未恢復",
                "溫控器未鎖定",
                "房間冷量不足而調低",
            ),
            what_to_check=(
                "溫控器設定與鎖定",
                "房間是否真的過熱",
                "送風與出風口是否正常",
            ),
            safety="高處溫控器作業須使用合格梯具。",
            suggestion="恢復為 26 °C 並鎖定下限；若因過熱而調低，先檢查該區空調。",
        ),
        "en": RuleTexts(
            name="Room set-point is below the permitted limit",
            likely_causes=(
                "Somebody lowered it and did not put it back",
                "The thermostat is not locked",
                "The room gets too little cold air",
            ),
            what_to_check=(
                "The thermostat's setting and lock",
                "Is the room really too warm?",
                "Air flow and outlets",
            ),
            safety="Use a proper ladder for thermostats out of reach.",
            suggestion=(
                "Put it back to 26 °C and lock the lower limit; where the room is too warm, look "
                "at its unit first."
            ),
        ),
    },
    cases=(
        Case(
            "22 Cel in office hours",
            {"setpoint": "26x10 22x60", "schedule": "1x70"},
            (
                (9, Expect.NORMAL),
                (20, Expect.PENDING),
                (60, Expect.ACTIVE),
            ),
        ),
        Case(
            "26 Cel",
            {"setpoint": "26x60", "schedule": "1x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "exactly the limit",
            {"setpoint": "25x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "nobody is cooled at night",
            {"setpoint": "22x60", "schedule": "0x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"setpoint": "?x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "put back",
            {"setpoint": "22x40 26x30"},
            (
                (39, Expect.ACTIVE),
                (69, Expect.NORMAL),
            ),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Set-point under the limit, while the room is scheduled."""
    low = frame["setpoint"] < p["least_c"]
    if frame.has("schedule"):
        low = low.where(frame["schedule"].on())
    return Verdict(low, figures={"zone_temperature_setpoint_Cel": frame["setpoint"]})
