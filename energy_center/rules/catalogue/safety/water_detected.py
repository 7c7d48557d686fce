"""A leak detector stands in water.

In a switch room or under a raised floor minutes count. Source: engineering practice; the sensor is a plain
contact, so half a minute is enough against splashes.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="leak-detected",
    subject="safety",
    inputs=(Input("leak", Role.LEAK_STATUS),),
    parameters=(),
    hold_s=30,
    keep_s=600,
    priority=Priority.CRITICAL,
    step_s=10,
    source="engineering practice: contact of a leak detector for 30 s",
    fault=("water_leak",),
    texts={
        "zh-TW": RuleTexts(
            name="漏水感知器動作",
            likely_causes=(
                "管線或閥件滲漏",
                "空調冷凝水盤溢流",
                "窗戶或屋頂滲水",
                "清潔用水",
            ),
            what_to_check=(
                "感知器位置是否積水",
                "上方管線與冷凝水盤",
                "鄰近設備是否受潮",
            ),
            safety="電氣室積水先斷電並勿站立水中。",
            suggestion="立即派員確認並止水，必要時切斷受影響設備電源。",
        ),
        "en": RuleTexts(
            name="Water at a leak detector",
            likely_causes=(
                "A pipe or valve leaks",
                "A condensate pan overflows",
                "Window or roof let rain in",
                "Cleaning water",
            ),
            what_to_check=(
                "Is there water at the sensor?",
                "Pipes and condensate pans above it",
                "Is equipment nearby wet?",
            ),
            safety="In a switch room isolate first; never stand in the water.",
            suggestion="Send somebody now and stop the water; isolate equipment that gets wet.",
        ),
    },
    cases=(
        Case(
            "water at the sensor",
            {"leak": "0x3 1x9"},
            (
                (0.3333333333333333, Expect.NORMAL),
                (1.8333333333333333, Expect.ACTIVE),
            ),
            step_s=10,
        ),
        Case(
            "dry",
            {"leak": "0x9"},
            ((1.3333333333333333, Expect.NORMAL),),
            step_s=10,
        ),
        Case(
            "not read: cannot tell",
            {"leak": "?x9"},
            ((1.3333333333333333, Expect.NORMAL),),
            step_s=10,
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """The contact is closed."""
    return Verdict(frame["leak"].on(), figures={"leak_status": frame["leak"]})
