"""A machine's own controller reports a fault.

It has stopped or soon will. Source: engineering practice: the maker's fault contact, for a minute.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="equipment-fault",
    subject="machines",
    inputs=(Input("fault", Role.FAULT),),
    parameters=(),
    hold_s=60,
    keep_s=300,
    priority=Priority.HIGH,
    source="engineering practice: the maker's own fault contact",
    fault=(
        "equipment_trip",
        "sump_pump_failed",
    ),
    texts={
        "zh-TW": RuleTexts(
            name="設備回報故障",
            likely_causes=(
                "保護裝置跳脫",
                "感測器或變頻器故障",
                "緊急停止未復歸",
            ),
            what_to_check=(
                "設備面板的故障碼",
                "電源與保護電驛",
                "緊急停止按鈕",
            ),
            safety="檢修前停電上鎖；電梯有人受困時依救援程序處理。",
            suggestion="依故障碼排除並記錄；同一故障反覆發生時通知廠商檢查。",
        ),
        "en": RuleTexts(
            name="A machine reports a fault",
            likely_causes=(
                "A protection has tripped",
                "A sensor or drive has failed",
                "The emergency stop was not reset",
            ),
            what_to_check=(
                "The fault code on its panel",
                "Supply and overload relays",
                "The emergency stop",
            ),
            safety="Lock out before repair; with people in a lift follow the rescue procedure.",
            suggestion="Clear it by its code and note it; when it comes back call the maker's service.",
        ),
    },
    cases=(
        Case(
            "tripped",
            {"fault": "0x3 1x7"},
            (
                (2.0, Expect.NORMAL),
                (9.0, Expect.ACTIVE),
            ),
        ),
        Case(
            "in order",
            {"fault": "0x7"},
            ((6.0, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"fault": "?x7"},
            ((6.0, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """The fault contact stands."""
    return Verdict(frame["fault"].on(), figures={"fault": frame["fault"]})
