"""A sump pump runs and runs.

Much water comes in, or the pump hardly lifts: soon the pit overflows. Source: engineering practice: a pit
is emptied in minutes.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, held

RULE = Rule(
    rule_id="sump-pump-runs-long",
    subject="drainage",
    inputs=(Input("pump", Role.PUMP_STATUS),),
    parameters=(Parameter("most_min", 40.0, "min", "engineering practice: several times the usual run"),),
    hold_s=0,
    keep_s=3600,
    priority=Priority.HIGH,
    lookback_s=2500,
    source="engineering practice: a run several times the usual one",
    fault=("inflow_high",),
    texts={
        "zh-TW": RuleTexts(
            name="廢水泵長時間運轉",
            likely_causes=(
                "入流量過大（漏水、地下水或洗地）",
                "水泵效率降低或葉輪磨損",
                "逆止閥洩漏",
                "浮球或液位開關卡住",
            ),
            what_to_check=(
                "水位趨勢與入流來源",
                "水泵電流與出水",
                "逆止閥",
                "液位開關",
            ),
            safety="進入坑道屬局限空間作業，須通風、測氣並有人監視。",
            suggestion="查明入流來源並備妥抽水泵；效率下降者安排檢修。",
        ),
        "en": RuleTexts(
            name="Sump pump runs for long",
            likely_causes=(
                "Much water comes in: a leak, ground water, washing",
                "The pump is worn",
                "The check valve leaks",
                "A float or level switch is stuck",
            ),
            what_to_check=(
                "Level and where the water comes from",
                "Current and discharge of the pump",
                "The check valve",
                "The level switches",
            ),
            safety="Pits are confined spaces: ventilate, measure the air, have somebody watch.",
            suggestion="Find where the water comes from and keep a pump at hand; have a worn pump mended.",
        ),
    },
    cases=(
        Case("on for an hour", {"pump": "0x10 1x60"}, ((30, Expect.NORMAL), (65, Expect.ACTIVE))),
        Case("minutes at a time", {"pump": "0x10 1x6 0x60 1x6 0x20"}, ((101, Expect.NORMAL),)),
        Case("exactly forty minutes", {"pump": "0x10 1x40 0x30"}, ((79, Expect.NORMAL),)),
        Case("not read: cannot tell", {"pump": "?x80"}, ((79, Expect.NORMAL),)),
    ),
    classes=frozenset({"Sump_Pump"}),
    also=(
        "pump_no_effect",
        "pump_short_cycling",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """On in every step of the time."""
    long = held(frame["pump"].on(), frame.steps(p["most_min"] * 60) + 1)
    return Verdict(long, figures={"pump_status": frame["pump"]})
