"""The ground water stands above the level that the basement is built for.

It presses through joints and lifts floors; sumps must be watched. Source: the level of the building's own
design; engineering practice.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="groundwater-high",
    subject="drainage",
    inputs=(Input("level", Role.GROUNDWATER_LEVEL),),
    parameters=(
        Parameter(
            "high_level_m",
            None,
            "m",
            "level of the building's design, from the ground up",
            attribute="high_level_m",
        ),
    ),
    hold_s=3600,
    keep_s=21600,
    priority=Priority.HIGH,
    source="the basement's design level",
    fault=("ground_water_rise",),
    texts={
        "zh-TW": RuleTexts(
            name="地下水位過高",
            likely_causes=(
                "連日大雨",
                "周邊工地停止抽水",
                "集水井抽水泵故障",
                "水位計漂移",
            ),
            what_to_check=(
                "集水井水位與抽水泵",
                "底層牆面與伸縮縫滲水",
                "周邊雨量與工地",
                "以手測井確認水位",
            ),
            safety="積水區域先斷電再進入。",
            suggestion="確認抽水泵與備援電源，備妥抽水機與沙包，增加底層巡查。",
        ),
        "en": RuleTexts(
            name="Ground water is high",
            likely_causes=(
                "Days of heavy rain",
                "A building site nearby stopped its pumping",
                "The drainage pumps have failed",
                "The sensor has drifted",
            ),
            what_to_check=(
                "Sumps and their pumps",
                "Walls and joints of the lowest floor",
                "Rain and building sites around",
                "The level by hand in the well",
            ),
            safety="Switch off the area before entering standing water.",
            suggestion=(
                "Check pumps and emergency power, bring mobile pumps and sandbags, walk the lowest "
                "floor more often."
            ),
        ),
    },
    cases=(
        Case(
            "1.5 m below ground against 2",
            {"level": "-4x20 -1.5x120"},
            (
                (10, Expect.NORMAL),
                (50, Expect.PENDING),
                (130, Expect.ACTIVE),
            ),
            {"high_level_m": -2.0},
        ),
        Case(
            "deep",
            {"level": "-5x120"},
            ((119, Expect.NORMAL),),
            {"high_level_m": -2.0},
        ),
        Case(
            "exactly at the level",
            {"level": "-2x120"},
            ((119, Expect.NORMAL),),
            {"high_level_m": -2.0},
        ),
        Case(
            "not read: cannot tell",
            {"level": "?x120"},
            ((119, Expect.NORMAL),),
            {"high_level_m": -2.0},
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Above the level; 10 cm below it ends the alarm."""
    level = frame["level"]
    return Verdict(level > p["high_level_m"], level > p["high_level_m"] - 0.1, {"groundwater_level_m": level})
