"""A room temperature that no room has.

A broken wire or a short circuit reads as the end of the range. Source: engineering practice; the collector
flags only what the quantity itself cannot be.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="dq-range",
    subject="data_quality",
    inputs=(Input("zone", Role.ZONE_TEMPERATURE),),
    parameters=(
        Parameter("lowest_c", 5.0, "Cel", "engineering practice: a room in Taiwan"),
        Parameter("highest_c", 45.0, "Cel", "engineering practice: a room in Taiwan"),
    ),
    hold_s=900,
    keep_s=3600,
    priority=Priority.LOW,
    lookback_s=0,
    source="engineering practice: outside what a room can have",
    fault=("sensor_broken",),
    texts={
        "zh-TW": RuleTexts(
            name="室內溫度讀值不合理",
            likely_causes=(
                "感測器斷線或短路",
                "輸入模組型式設定錯誤",
                "感測器損壞",
            ),
            what_to_check=(
                "量測感測器電阻",
                "輸入型式與量程設定",
                "接線",
            ),
            safety="控制箱內作業先斷電並驗電。",
            suggestion="修復接線或更換感測器；修復前該點不應參與控制。",
        ),
        "en": RuleTexts(
            name="Room temperature is impossible",
            likely_causes=(
                "The sensor's wire is broken or short-circuited",
                "The input is set to another type of sensor",
                "The sensor has failed",
            ),
            what_to_check=(
                "The sensor's resistance",
                "Type and range of the input",
                "The wiring",
            ),
            safety="Switch the panel off and test before working in it.",
            suggestion="Mend the wire or replace the sensor; until then let nothing be controlled by it.",
        ),
    },
    cases=(
        Case(
            "reads 0 Cel",
            {"zone": "26x20 0x60"},
            ((10, Expect.NORMAL), (30, Expect.PENDING), (70, Expect.ACTIVE)),
        ),
        Case("a room", {"zone": "26x80"}, ((79, Expect.NORMAL),)),
        Case("exactly 5 Cel", {"zone": "5x80"}, ((79, Expect.NORMAL),)),
        Case("a cold wave", {"zone": "9x80"}, ((79, Expect.NORMAL),)),
        Case("not read: cannot tell", {"zone": "?x80"}, ((79, Expect.NORMAL),)),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Outside the limits."""
    zone = frame["zone"]
    return Verdict((zone < p["lowest_c"]) | (zone > p["highest_c"]), figures={"zone_temperature_Cel": zone})
