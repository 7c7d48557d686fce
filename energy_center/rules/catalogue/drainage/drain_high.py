"""A drainage channel backs up.

Leaves at the grating or a flooded street sewer: the ramp and the ground floor flood next. Source: the
channel's own depth; engineering practice.
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
    rule_id="drain-level-high",
    subject="drainage",
    inputs=(
        Input("level", Role.DRAINAGE_LEVEL),
        Input("rain", Role.RAIN_RATE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter(
            "high_level_m", None, "m", "depth of the channel, less some freeboard", attribute="high_level_m"
        ),
    ),
    hold_s=300,
    keep_s=900,
    priority=Priority.HIGH,
    step_s=30,
    source="the channel's own depth",
    fault=("drain_blocked",),
    texts={
        "zh-TW": RuleTexts(
            name="排水溝水位過高",
            likely_causes=(
                "落葉或垃圾堵塞",
                "道路側溝倒灌",
                "雨量超過設計",
                "水位計異常",
            ),
            what_to_check=(
                "攔污柵與溝內異物",
                "道路側溝水位",
                "車道防水閘門",
                "現場水位",
            ),
            safety="大雨中作業須兩人以上並穿救生衣，勿打開不明深度的溝蓋。",
            suggestion="清除攔污柵；持續上升時關閉車道防水閘門並堆置沙包。",
        ),
        "en": RuleTexts(
            name="Drainage channel is high",
            likely_causes=(
                "Leaves or rubbish",
                "The street sewer runs back",
                "More rain than it is made for",
                "The sensor is wrong",
            ),
            what_to_check=(
                "Grating and channel",
                "The street's gutter",
                "The flood gate of the ramp",
                "The level by eye",
            ),
            safety="In heavy rain work in pairs with life vests; open no cover of unknown depth.",
            suggestion=(
                "Clear the grating; if it keeps rising, shut the flood gate of the ramp and lay sandbags."
            ),
        ),
    },
    cases=(
        Case(
            "1.0 m against 0.8",
            {"level": "0.2x20 1.0x30", "rain": "20x50"},
            (
                (15, Expect.NORMAL),
                (22, Expect.PENDING),
                (40, Expect.ACTIVE),
            ),
            {"high_level_m": 0.8},
        ),
        Case(
            "flows off",
            {"level": "0.3x50", "rain": "20x50"},
            ((49, Expect.NORMAL),),
            {"high_level_m": 0.8},
        ),
        Case(
            "exactly at the level",
            {"level": "0.8x50"},
            ((49, Expect.NORMAL),),
            {"high_level_m": 0.8},
        ),
        Case(
            "not read: cannot tell",
            {"level": "?x50"},
            ((49, Expect.NORMAL),),
            {"high_level_m": 0.8},
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Above the level, with or without rain."""
    level = frame["level"]
    figures = {"drainage_level_m": level, "rain_mm_per_h": frame["rain"]}
    return Verdict.above(level, p["high_level_m"], figures)
