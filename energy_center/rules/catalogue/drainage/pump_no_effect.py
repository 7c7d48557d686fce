"""A sump pump runs and the level does not fall.

A worn impeller, a blocked or stuck check valve, or more inflow than the pump lifts; the pit overflows next.
Source: engineering practice: a healthy pump lowers a pit within minutes.
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
from energy_center.rules.window import Frame, any_on, held

RULE = Rule(
    rule_id="sump-pump-no-effect",
    subject="drainage",
    inputs=(
        Input("level", Role.SUMP_LEVEL),
        Input("pumps", Role.PUMP_STATUS, Where.PARTS, many=True),
    ),
    parameters=(
        Parameter("window_min", 10.0, "min", "engineering practice: a pit is emptied within minutes"),
        Parameter("least_fall_m", 0.05, "m", "engineering practice: a twentieth of what a sound pump does"),
    ),
    hold_s=600,
    keep_s=600,
    priority=Priority.HIGH,
    lookback_s=700,
    source="engineering practice: level against pumping for ten minutes",
    fault=("pump_no_effect",),
    texts={
        "zh-TW": RuleTexts(
            name="泵運轉但水位未下降",
            likely_causes=(
                "葉輪磨損或堵塞",
                "逆止閥卡死",
                "出水管破裂回流",
                "入流量大於抽水量",
            ),
            what_to_check=(
                "電流是否偏低",
                "逆止閥與出水閥",
                "現場水位與出水量",
                "備用泵能否投入",
            ),
            safety="進入坑道或池體屬局限空間作業，須通風、測氣並有人監視。",
            suggestion="投入備用泵並清理進水口；仍未下降時調用抽水機。",
        ),
        "en": RuleTexts(
            name="Sump pump runs and the level does not fall",
            likely_causes=(
                "The impeller is worn or blocked",
                "The check valve is stuck",
                "The pipe is broken and the water runs back",
                "More water comes in than the pump lifts",
            ),
            what_to_check=(
                "Is the current low?",
                "Check valve and discharge valve",
                "Level and discharge at the pit",
                "Can the stand-by pump help?",
            ),
            safety="Pits are confined spaces: ventilate, measure the air, have somebody watch.",
            suggestion=(
                "Start the stand-by pump and clear the inlet; if it still does not fall, bring a mobile pump."
            ),
        ),
    },
    cases=(
        Case(
            "runs and runs",
            {"level": "1.2..1.3x60", "pumps[0]": "1x60", "pumps[1]": "0x60"},
            (
                (5, Expect.NORMAL),
                (15, Expect.PENDING),
                (40, Expect.ACTIVE),
            ),
        ),
        Case(
            "pumps down",
            {"level": "1.2..0.4x20 0.4..0.6x40", "pumps[0]": "1x20 0x40", "pumps[1]": "0x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "mended: the next run, shorter than the window, empties the pit",
            {
                "level": "1.2..1.3x60 1.3..0.4x7 0.4..0.6x60",
                "pumps[0]": "1x67 0x60",
                "pumps[1]": "0x127",
            },
            ((59, Expect.ACTIVE), (126, Expect.NORMAL)),
        ),
        Case(
            "stopped, and nothing falls: nobody knows yet",
            {"level": "1.2..1.3x60 1.3..1.4x60", "pumps[0]": "1x60 0x60", "pumps[1]": "0x120"},
            ((59, Expect.ACTIVE), (119, Expect.ACTIVE)),
        ),
        Case(
            "no pump runs",
            {"level": "1.2..1.3x60", "pumps[0]": "0x60", "pumps[1]": "0x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "just started",
            {"level": "1.2x20 1.2..0.8x10", "pumps[0]": "0x20 1x10", "pumps[1]": "0x30"},
            ((29, Expect.NORMAL),),
        ),
        Case(
            "level not read: cannot tell",
            {"level": "?x60", "pumps[0]": "1x60", "pumps[1]": "0x60"},
            ((59, Expect.NORMAL),),
        ),
    ),
    also=(
        "inflow_high",
        "pump_short_cycling",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """One pump on for the whole window, and the level as high as at its start.

    A sound pump empties the pit in less than the window, so that a fall alone shows that one lifts again.
    """
    steps = frame.steps(p["window_min"] * 60)
    fallen = (frame["level"].back(steps) - frame["level"]).rounded()
    runs = held(any_on([pump.on() for pump in frame.all("pumps")]), steps + 1)
    falls = fallen > p["least_fall_m"]
    return Verdict(
        (~falls).where(runs | falls),
        figures={"level_fall_m": fallen, "sump_level_m": frame["level"]},
    )
