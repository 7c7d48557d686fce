"""The pumps of a sump start far too often.

Each start heats the winding and wears contactor and seal; usually the check valve leaks and the water
runs back. Source: engineering practice: submersible pumps bear about ten starts an hour.
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
    Where,
)
from energy_center.rules.window import Frame, Signal

HOUR_S = 3600

RULE = Rule(
    rule_id="pump-short-cycling",
    subject="drainage",
    inputs=(
        Input("level", Role.SUMP_LEVEL),
        Input("starts", Role.START_COUNT, Where.PARTS, many=True),
    ),
    parameters=(
        Parameter("most_starts", 10.0, "1/h", "engineering practice: submersible pumps, all of a pit"),
    ),
    hold_s=3600,
    keep_s=7200,
    priority=Priority.MEDIUM,
    lookback_s=HOUR_S + 60,
    source="engineering practice: ten starts an hour",
    fault=("pump_short_cycling",),
    texts={
        "zh-TW": RuleTexts(
            name="泵起停過於頻繁",
            likely_causes=("逆止閥洩漏，水流回坑", "起停液位間距過小", "浮球卡住", "入流量持續"),
            what_to_check=("停泵後水位是否回升", "浮球與液位設定", "逆止閥", "是否有持續入流"),
            safety="下坑作業屬局限空間，先通風量測並斷電上鎖。",
            suggestion="修理逆止閥或加大起停間距，以免馬達燒損。",
        ),
        "en": RuleTexts(
            name="Sump pumps start too often",
            likely_causes=(
                "The check valve leaks and the water runs back",
                "Start and stop levels are too close",
                "A float sticks",
                "Water keeps coming in",
            ),
            what_to_check=(
                "Does the level rise right after a stop?",
                "Floats and level settings",
                "The check valve",
                "A lasting inflow",
            ),
            safety="The pit is a confined space: ventilate, measure, lock out.",
            suggestion="Mend the check valve or set the levels further apart, before a motor burns.",
        ),
    },
    cases=(
        Case(
            "twenty an hour over two pumps",
            {"level": "1.1x240", "starts[0]": "100x30 100..135x210", "starts[1]": "50x30 50..85x210"},
            ((50, Expect.NORMAL), (100, Expect.PENDING), (200, Expect.ACTIVE)),
        ),
        Case(
            "two an hour",
            {"level": "1.1x240", "starts[0]": "100..104x240", "starts[1]": "50..54x240"},
            ((239, Expect.NORMAL),),
        ),
        Case(
            "counter not read: cannot tell",
            {"level": "1.1x240", "starts[0]": "100..180x240", "starts[1]": "?x240"},
            ((239, Expect.NORMAL),),
        ),
    ),
    also=(
        "inflow_high",
        "pump_no_effect",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Starts of all pumps of the pit in the last hour."""
    steps = frame.steps(HOUR_S)
    total = Signal(np.sum([counter.rise(steps).values for counter in frame.all("starts")], axis=0))
    return Verdict.above(total, p["most_starts"], {"starts_per_hour": total, "sump_level_m": frame["level"]})
