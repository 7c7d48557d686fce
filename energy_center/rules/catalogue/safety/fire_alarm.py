"""The fire panel reports a fire.

Shown here so that nobody misses it; the panel and the fire service's own procedure come first. Source:
Taiwan's fire safety equipment rules (各類場所消防安全設備設置標準).
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="fire-alarm",
    subject="safety",
    inputs=(Input("alarm", Role.FIRE_ALARM),),
    parameters=(),
    hold_s=0,
    keep_s=300,
    priority=Priority.CRITICAL,
    step_s=5,
    source="fire safety equipment rules of Taiwan: automatic fire alarm",
    fault=("fire_alarm",),
    texts={
        "zh-TW": RuleTexts(
            name="火警受信總機動作",
            likely_causes=(
                "火災",
                "煙霧或蒸氣誤動作",
                "施工粉塵",
                "感知器故障",
            ),
            what_to_check=(
                "受信總機顯示的分區",
                "現場確認",
                "監視畫面",
            ),
            safety="依自衛消防編組應變，勿單獨進入煙區，先通報 119。",
            suggestion="依消防防護計畫啟動自衛消防編組；確認為誤報後由受信總機復歸。",
        ),
        "en": RuleTexts(
            name="Fire panel reports a fire",
            likely_causes=(
                "Fire",
                "Smoke or steam",
                "Building dust",
                "A failed detector",
            ),
            what_to_check=(
                "The zone shown on the panel",
                "The place itself",
                "Cameras",
            ),
            safety="Follow the fire plan, never enter smoke alone, call 119 first.",
            suggestion=(
                "Start the self-defence fire team; after a false alarm reset it at the panel, "
                "never from here."
            ),
        ),
    },
    cases=(
        Case(
            "fire",
            {"alarm": "0x3 1x7"},
            (
                (0.16666666666666666, Expect.NORMAL),
                (0.75, Expect.ACTIVE),
            ),
            step_s=5,
        ),
        Case(
            "quiet",
            {"alarm": "0x7"},
            ((0.5, Expect.NORMAL),),
            step_s=5,
        ),
        Case(
            "not read: cannot tell",
            {"alarm": "?x7"},
            ((0.5, Expect.NORMAL),),
            step_s=5,
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """The panel says fire."""
    return Verdict(frame["alarm"].on(), figures={"fire_alarm": frame["alarm"]})
