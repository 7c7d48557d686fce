"""The battery of an uninterruptible supply would last for too short a time.

Batteries age from their fourth year on; nobody notices until the mains fail. Source: engineering practice:
time for the generator, and to shut servers down in order.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="ups-runtime-short",
    subject="supply",
    inputs=(
        Input("runtime", Role.RUNTIME_REMAINING),
        Input("battery", Role.ON_BATTERY, optional=True),
    ),
    parameters=(
        Parameter(
            "least_min",
            15.0,
            "min",
            "engineering practice: shut-down in order",
            attribute="least_runtime_min",
        ),
    ),
    hold_s=14400,
    keep_s=3600,
    priority=Priority.MEDIUM,
    source="engineering practice: time to shut down in order",
    fault=("ups_battery_aged",),
    texts={
        "zh-TW": RuleTexts(
            name="不斷電系統備援時間不足",
            likely_causes=(
                "電池老化",
                "負載增加",
                "電池溫度過高",
                "單一電池失效",
            ),
            what_to_check=(
                "電池內阻與出廠日期",
                "負載率",
                "電池室溫度",
                "最近一次放電測試",
            ),
            safety="更換電池須絕緣手套與護目鏡，留意極性。",
            suggestion="安排放電測試並更換電池；負載增加者評估擴充。",
        ),
        "en": RuleTexts(
            name="UPS battery would not last long enough",
            likely_causes=(
                "The battery has aged",
                "The load has grown",
                "The battery is too warm",
                "One cell has failed",
            ),
            what_to_check=(
                "Internal resistance and date of the battery",
                "The load",
                "The room's temperature",
                "The last discharge test",
            ),
            safety="Gloves and goggles for battery work; mind the polarity.",
            suggestion=(
                "Have it discharged for a test and replaced; where the load has grown, look for a larger one."
            ),
        ),
    },
    cases=(
        Case(
            "11 min",
            {"runtime": "40x20 11x280"},
            (
                (10, Expect.NORMAL),
                (100, Expect.PENDING),
                (290, Expect.ACTIVE),
            ),
        ),
        Case(
            "40 min",
            {"runtime": "40x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "exactly 15 min",
            {"runtime": "15x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "falls because it is in use",
            {"runtime": "11x300", "battery": "1x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"runtime": "?x300"},
            ((299, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Below the least time while it is not in use."""
    runtime = frame["runtime"]
    resting = ~frame["battery"].on() if frame.has("battery") else None
    return Verdict.below(runtime, p["least_min"], {"runtime_remaining_min": runtime}, resting)
