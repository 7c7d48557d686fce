"""The fire panel reports trouble: a broken loop, lost power, an isolated zone.

A part of the building is not watched. Source: Taiwan's fire safety equipment rules: the receiver shows broken
wires and lost supply; owners keep it in order.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="fire-panel-trouble",
    subject="safety",
    inputs=(Input("trouble", Role.PANEL_TROUBLE),),
    parameters=(),
    hold_s=600,
    keep_s=600,
    priority=Priority.HIGH,
    source="fire safety equipment rules of Taiwan: supervision of the receiver",
    fault=("fire_panel_trouble",),
    texts={
        "zh-TW": RuleTexts(
            name="火警受信總機故障訊號",
            likely_causes=(
                "迴路斷線",
                "主電源或備用電池失效",
                "分區被隔離",
                "感知器拆除未復原",
            ),
            what_to_check=(
                "總機故障顯示",
                "備用電池電壓",
                "隔離清單與施工單",
                "感知器是否拆除",
            ),
            safety="維修期間安排人員巡守該區。",
            suggestion="通知消防維護廠商；修復前對該區加強巡查並記錄。",
        ),
        "en": RuleTexts(
            name="Fire panel reports trouble",
            likely_causes=(
                "A loop is broken",
                "Mains or battery have failed",
                "A zone is isolated",
                "A detector was taken off",
            ),
            what_to_check=(
                "The fault shown on the panel",
                "The battery's voltage",
                "Isolations and work permits",
                "Missing detectors",
            ),
            safety="Have the zone walked while it is under repair.",
            suggestion="Call the fire contractor; until mended walk the zone and keep a record.",
        ),
    },
    cases=(
        Case(
            "a loop is broken",
            {"trouble": "0x3 1x16"},
            (
                (2.0, Expect.NORMAL),
                (18.0, Expect.ACTIVE),
            ),
        ),
        Case(
            "in order",
            {"trouble": "0x16"},
            ((15.0, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"trouble": "?x16"},
            ((15.0, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """The trouble contact stands."""
    return Verdict(frame["trouble"].on(), figures={"panel_trouble": frame["trouble"]})
