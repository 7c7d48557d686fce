"""Mains water runs into the rainwater tank though there is rainwater enough.

The next rain finds no room, and the mains water is paid for. Source: engineering practice: the make-up opens
at a low level and shuts well below the half.
"""

import numpy as np

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
    Waste,
)
from energy_center.rules.window import Frame, Mask

RULE = Rule(
    rule_id="rain-mains-with-full-tank",
    subject="rainwater",
    inputs=(
        Input("level", Role.TANK_LEVEL),
        Input("valve", Role.MAINS_VALVE),
        Input("mains", Role.MAINS_VOLUME, optional=True),
    ),
    parameters=(Parameter("enough", 30.0, "%", "engineering practice: make-up should have shut by then"),),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    source="engineering practice: make-up only at low level",
    fault=("mains_valve_stuck",),
    texts={
        "zh-TW": RuleTexts(
            name="雨水池水量充足仍補自來水",
            likely_causes=(
                "補水電磁閥卡住",
                "浮球或液位設定錯誤",
                "手動旁通未關",
                "控制器時序錯誤",
            ),
            what_to_check=(
                "電磁閥與旁通閥",
                "高低液位設定",
                "補水量與池水位趨勢",
            ),
            safety="進入坑道或池體屬局限空間作業，須通風、測氣並有人監視。",
            suggestion="關閉補水手動閥並修理電磁閥，讓雨水優先使用。",
        ),
        "en": RuleTexts(
            name="Mains water fills a tank that has rain enough",
            likely_causes=(
                "The make-up valve is stuck open",
                "A float or level setting is wrong",
                "A bypass was left open",
                "The controller runs the wrong sequence",
            ),
            what_to_check=(
                "Make-up valve and bypass",
                "Level settings",
                "Trends of make-up and level",
            ),
            safety="Tanks are confined spaces: ventilate, measure the air, have somebody watch.",
            suggestion="Shut the make-up by hand and repair its valve, so that rain is used first.",
        ),
    },
    cases=(
        Case(
            "open at 60 %",
            {"level": "60x60", "valve": "1x60"},
            (
                (5, Expect.PENDING),
                (50, Expect.ACTIVE),
            ),
        ),
        Case(
            "shut",
            {"level": "60x60", "valve": "0x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "make-up at a low level",
            {"level": "14..25x60", "valve": "1x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "exactly at the limit",
            {"level": "30x60", "valve": "1x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "level not read: cannot tell",
            {"level": "?x60", "valve": "1x60"},
            ((59, Expect.NORMAL),),
        ),
    ),
    also=("tank_level_stuck",),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Make-up open above the level."""
    level = frame["level"]
    return Verdict.above(level, p["enough"], {"tank_level_%": level}, besides=frame["valve"].on())


def saving(frame: Frame, mask: Mask, _p: Parameters) -> Waste:
    """Mains water that ran in while it was not needed."""
    if not frame.has("mains"):
        return Waste(basis="make-up not metered")
    risen = frame["mains"].rise(1).values[mask.true]
    return Waste(water_m3=float(np.nansum(risen)), basis="measured make-up above the level")
