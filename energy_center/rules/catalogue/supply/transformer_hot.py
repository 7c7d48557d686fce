"""A transformer's windings are too hot.

Each 6 to 10 K more halve the life of its insulation; then it trips. Source: IEC 60076-11: class F dry type,
mean winding rise 100 K over 40 Cel; alarms are set well below 155 Cel.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="transformer-overheated",
    subject="supply",
    inputs=(
        Input("winding", Role.WINDING_TEMPERATURE),
        Input("load", Role.LOAD_RATIO, optional=True),
    ),
    parameters=(
        Parameter(
            "most_c",
            110.0,
            "Cel",
            "engineering practice for class F dry type (IEC 60076-11: 155 Cel)",
            attribute="winding_alarm_c",
        ),
    ),
    hold_s=600,
    keep_s=1800,
    priority=Priority.HIGH,
    source="IEC 60076-11, insulation class F; alarm by engineering practice",
    fault=("transformer_overheated",),
    texts={
        "zh-TW": RuleTexts(
            name="變壓器繞組溫度過高",
            likely_causes=(
                "冷卻風扇故障",
                "過載",
                "通風口堵塞",
                "三相不平衡或諧波",
            ),
            what_to_check=(
                "風扇與溫控器",
                "負載率與三相電流",
                "通風與室溫",
                "溫度感測器",
            ),
            safety="變壓器室為高壓活線區，未停電不得進入。",
            suggestion="啟動輔助通風並移轉負載；仍上升時依程序停電檢查。",
        ),
        "en": RuleTexts(
            name="Transformer windings are too hot",
            likely_causes=(
                "A cooling fan has failed",
                "Overload",
                "The ventilation is blocked",
                "Unbalance or harmonics",
            ),
            what_to_check=(
                "Fans and their controller",
                "Load and phase currents",
                "Ventilation and room temperature",
                "The sensor",
            ),
            safety="High voltage: nobody enters before it is switched off.",
            suggestion="Ventilate and move load away; if it keeps rising, switch it off by the procedure.",
        ),
    },
    cases=(
        Case(
            "128 Cel",
            {"winding": "80x10 128x30", "load": "60x40"},
            (
                (9, Expect.NORMAL),
                (15, Expect.PENDING),
                (35, Expect.ACTIVE),
            ),
        ),
        Case(
            "75 Cel",
            {"winding": "75x40", "load": "60x40"},
            ((39, Expect.NORMAL),),
        ),
        Case(
            "exactly at the limit",
            {"winding": "110x40"},
            ((39, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"winding": "?x40"},
            ((39, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Above the alarm temperature; 10 K below it ends the alarm."""
    winding = frame["winding"]
    return Verdict(
        winding > p["most_c"],
        winding > p["most_c"] - 10.0,
        {"winding_temperature_Cel": winding, "load_%": frame["load"]},
    )
