"""A sump is above its high level, or its high float is up, and no pump runs.

The basement floods next: damage to switchgear and lifts. Source: engineering practice for drainage sumps
(high level alarm apart from pump control). The float is a second witness for a level sensor that is
stuck.
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
from energy_center.rules.window import Frame, all_on

RULE = Rule(
    rule_id="sump-high-pump-off",
    subject="drainage",
    inputs=(
        Input("level", Role.SUMP_LEVEL),
        Input("float", Role.HIGH_FLOAT, optional=True),
        Input("pumps", Role.PUMP_STATUS, Where.PARTS, many=True),
    ),
    parameters=(
        Parameter("high_level_m", 1.5, "m", "commissioning value of the pit", attribute="high_level_m"),
    ),
    hold_s=120,
    keep_s=300,
    priority=Priority.CRITICAL,
    step_s=10,
    source="engineering practice: high level for 2 min without a pump",
    fault=("sump_pump_failed",),
    texts={
        "zh-TW": RuleTexts(
            name="廢水坑高水位且泵未運轉",
            likely_causes=("泵過載跳脫或斷電", "起動液位開關故障", "控制盤停在手動", "泵卡異物"),
            what_to_check=(
                "現場水位與浮球",
                "控制盤電源、過載電驛與手自動開關",
                "手動起動備用泵",
                "出水閥與逆止閥",
            ),
            safety="積水可能帶電：先斷開受淹區域電源，勿單獨下坑，下坑前量測氧氣與硫化氫。",
            suggestion="立即手動起動另一台泵；必要時調用抽水機，並開立泵檢修工單。",
        ),
        "en": RuleTexts(
            name="Sump level high and no pump runs",
            likely_causes=(
                "Pump tripped on overload or without power",
                "The start float has failed",
                "The panel stands on manual",
                "Something blocks the pump",
            ),
            what_to_check=(
                "Level and floats at the pit",
                "Panel: supply, overload relay, hand-auto switch",
                "Start the stand-by pump by hand",
                "Discharge valve and check valve",
            ),
            safety="Standing water may be live: isolate the area first. Never enter a pit alone; "
            "measure oxygen and hydrogen sulphide before.",
            suggestion="Start the other pump by hand now; bring a mobile pump if need be; order the repair.",
        ),
    },
    cases=(
        Case(
            "fills and no pump starts",
            {"level": "0.8x6 1.6x30", "float": "0x12 1x24", "pumps[0]": "0x36", "pumps[1]": "0x36"},
            ((0.5, Expect.NORMAL), (1.5, Expect.PENDING), (3.5, Expect.ACTIVE)),
            step_s=10,
        ),
        Case(
            "one pump runs",
            {"level": "1.8x36", "float": "1x36", "pumps[0]": "0x36", "pumps[1]": "1x36"},
            ((5.5, Expect.NORMAL),),
            step_s=10,
        ),
        Case(
            "exactly at the limit is not high",
            {"level": "1.5x36", "float": "0x36", "pumps[0]": "0x36"},
            ((5.5, Expect.NORMAL),),
            step_s=10,
        ),
        Case(
            "a stuck level sensor: the float tells",
            {"level": "0.5x36", "float": "1x36", "pumps[0]": "0x36"},
            ((3, Expect.ACTIVE),),
            step_s=10,
        ),
        Case(
            "pump state unknown: cannot tell",
            {"level": "1.9x36", "float": "1x36", "pumps[0]": "?x36"},
            ((5.5, Expect.NORMAL),),
            step_s=10,
        ),
        Case(
            "a gap of half a minute is bridged, one of 2 min is not",
            {"level": "1.9x6 ?x3 1.9x27", "pumps[0]": "0x36"},
            ((1, Expect.PENDING), (2.4, Expect.PENDING), (2.9, Expect.ACTIVE)),
            step_s=10,
        ),
        Case(
            "a long gap starts the hold again",
            {"level": "1.9x6 ?x12 1.9x18", "pumps[0]": "0x36"},
            ((2.5, Expect.NORMAL), (4, Expect.PENDING), (5.5, Expect.ACTIVE)),
            step_s=10,
        ),
        Case(
            "a pump starts: ends after the keep time",
            {"level": "1.9x24 1.7x50", "pumps[0]": "0x24 1x50"},
            ((3.5, Expect.ACTIVE), (8, Expect.ACTIVE), (10, Expect.NORMAL)),
            step_s=10,
        ),
        Case(
            "wash water comes and goes within the hold",
            {"level": "1.6x9 0.9x27", "pumps[0]": "0x36"},
            ((1, Expect.PENDING), (2, Expect.NORMAL)),
            step_s=10,
        ),
    ),
    also=("inflow_high",),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Level over the limit or float up, and every pump known to be off; 10 % lower on the way back."""
    idle = all_on([~pump.on() for pump in frame.all("pumps")])
    level, limit = frame["level"], p["high_level_m"]
    high, still_high = level > limit, level > 0.9 * limit
    if frame.has("float"):
        up = frame["float"].on()
        high, still_high = high | up, still_high | up
    return Verdict(high & idle, still_high & idle, {"sump_level_m": level})
