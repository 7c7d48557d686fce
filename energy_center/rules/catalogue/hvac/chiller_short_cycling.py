"""A chiller starts more often than its motor bears.

Each start heats the windings, and nothing gets cold in between. Source: engineering practice; makers of
centrifugal and screw machines allow two to three starts an hour.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="chiller-short-cycling",
    subject="hvac",
    inputs=(Input("starts", Role.START_COUNT),),
    parameters=(
        Parameter(
            "most_starts", 3.0, "1/h", "engineering practice: makers allow two to three starts an hour"
        ),
    ),
    hold_s=1800,
    keep_s=7200,
    priority=Priority.HIGH,
    lookback_s=3700,
    source="engineering practice: makers' limit of starts an hour",
    fault=("chiller_short_cycling",),
    texts={
        "zh-TW": RuleTexts(
            name="冰水主機起停過於頻繁",
            likely_causes=(
                "負載過小",
                "溫度設定的起停差過窄",
                "水量不足使出水溫度驟降",
                "保護開關反覆動作",
            ),
            what_to_check=(
                "負載率與台數",
                "起停溫差設定",
                "冰水流量開關",
                "主機警報紀錄",
            ),
            safety="勿連續復歸重起；馬達須依廠家規定冷卻。",
            suggestion="減少運轉台數或加大起停溫差；確認水量正常後再投入。",
        ),
        "en": RuleTexts(
            name="Chiller starts too often",
            likely_causes=(
                "Too little load",
                "The band between start and stop is too narrow",
                "Too little water: the outlet falls at once",
                "A protection trips again and again",
            ),
            what_to_check=(
                "Load and number of machines",
                "Start and stop band",
                "The flow switch",
                "The chiller's alarm log",
            ),
            safety="Do not reset it again and again: the motor must cool as its maker says.",
            suggestion="Run fewer machines or widen the band; check the water flow before it starts again.",
        ),
    },
    cases=(
        Case(
            "four starts an hour",
            {"starts": "10x30 11x15 12x15 13x15 14x15 15x15 16x15 17x15 18x15"},
            (
                (20, Expect.NORMAL),
                (149, Expect.ACTIVE),
            ),
        ),
        Case(
            "one start",
            {"starts": "10x60 11x90"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "exactly three an hour is borne",
            {"starts": "10x20 11x20 12x20 13x20 14x20 15x20 16x20"},
            ((139, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"starts": "?x150"},
            ((149, Expect.NORMAL),),
        ),
    ),
    classes=frozenset({"Chiller", "Centrifugal_Chiller", "Absorption_Chiller"}),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Starts within the last hour."""
    starts = frame["starts"].rise(frame.steps(3600))
    return Verdict(starts > p["most_starts"], figures={"starts_per_h": starts})
