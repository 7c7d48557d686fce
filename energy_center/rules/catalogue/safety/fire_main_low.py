"""The pressure of the fire main is low.

A leak, an open valve or a failed jockey pump: hydrants and sprinklers would have no water. Source: Taiwan's
fire safety equipment rules want pressure at every hydrant at all times.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="fire-main-pressure-low",
    subject="safety",
    inputs=(Input("pressure", Role.FIRE_MAIN_PRESSURE),),
    parameters=(
        Parameter(
            "least_kpa",
            600.0,
            "kPa",
            "commissioning value of the main at rest",
            attribute="least_pressure_kpa",
        ),
    ),
    hold_s=120,
    keep_s=600,
    priority=Priority.CRITICAL,
    source="fire safety equipment rules of Taiwan: pressure of hydrants and sprinklers",
    fault=("fire_main_leak",),
    texts={
        "zh-TW": RuleTexts(
            name="消防管網壓力過低",
            likely_causes=(
                "管線或閥件洩漏",
                "補壓泵故障",
                "測試閥未關",
                "壓力計異常",
            ),
            what_to_check=(
                "消防泵室壓力錶",
                "補壓泵運轉與開關",
                "測試閥與排水閥",
                "管線是否漏水",
            ),
            safety="消防泵可能自動啟動，勿靠近轉動部位。",
            suggestion="立即修復洩漏或補壓泵；恢復前通知消防管理人並加強巡查。",
        ),
        "en": RuleTexts(
            name="Fire main pressure is low",
            likely_causes=(
                "Pipe or valve leak",
                "The jockey pump has failed",
                "A test valve is open",
                "The gauge is wrong",
            ),
            what_to_check=(
                "The gauge in the pump room",
                "The jockey pump and its switch",
                "Test and drain valves",
                "Water from the pipes",
            ),
            safety="The fire pump may start by itself: keep clear of its shaft.",
            suggestion=(
                "Mend leak or jockey pump at once; until then tell the fire manager and walk the building."
            ),
        ),
    },
    cases=(
        Case(
            "450 kPa",
            {"pressure": "700x5 450x10"},
            (
                (4, Expect.NORMAL),
                (6, Expect.PENDING),
                (12, Expect.ACTIVE),
            ),
        ),
        Case(
            "holds",
            {"pressure": "700x15"},
            ((14, Expect.NORMAL),),
        ),
        Case(
            "exactly at the limit",
            {"pressure": "600x15"},
            ((14, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"pressure": "?x15"},
            ((14, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Below the least pressure; a tenth of it is not asked for the way back, only 20 kPa."""
    pressure = frame["pressure"]
    return Verdict(
        pressure < p["least_kpa"], pressure < p["least_kpa"] + 20.0, {"fire_main_pressure_kPa": pressure}
    )
