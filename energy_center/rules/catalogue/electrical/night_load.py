"""A meter takes more at night than it usually does.

Lights, sockets or fans that nobody switched off. Source: engineering practice. Many meters run at night by
design, so the rule applies only where the site file says what this one usually takes.
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

FROM_H, TO_H = 23.0, 5.0

RULE = Rule(
    rule_id="night-load-high",
    subject="electrical",
    inputs=(Input("power", Role.ACTIVE_POWER),),
    parameters=(
        Parameter(
            "most_night_kw",
            None,
            "kW",
            "usual night load of this meter, with a margin",
            attribute="most_night_kw",
        ),
    ),
    hold_s=7200,
    keep_s=3600,
    priority=Priority.LOW,
    lookback_s=1900,
    source="engineering practice: usual night load of the same meter",
    fault=("lights_after_hours",),
    texts={
        "zh-TW": RuleTexts(
            name="夜間用電偏高",
            likely_causes=(
                "照明未關",
                "插座負載或事務機未斷電",
                "送風機未停",
                "清潔或加班",
            ),
            what_to_check=(
                "該樓層照明與插座",
                "夜間巡查紀錄",
                "是否有核准加班",
            ),
            safety="單獨夜間巡查須攜帶通訊設備。",
            suggestion="以定時或感應控制照明，下班由保全巡查關閉。",
        ),
        "en": RuleTexts(
            name="Night load is high",
            likely_causes=(
                "Lights were left on",
                "Sockets and office machines stay on",
                "Fans run on",
                "Cleaning or overtime",
            ),
            what_to_check=(
                "Lights and sockets of the floor",
                "The night round's notes",
                "Approved overtime",
            ),
            safety="On a night round alone carry a radio.",
            suggestion="Switch lights by time or presence; let the night round switch off what is left.",
        ),
    },
    cases=(
        Case(
            "lights burn",
            {"power": "20x100 16x60"},
            (
                (470, Expect.NORMAL),
                (770, Expect.ACTIVE),
            ),
            {"most_night_kw": 6.0},
            step_s=300,
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "dark",
            {"power": "20x96 4x60"},
            ((770, Expect.NORMAL),),
            {"most_night_kw": 6.0},
            step_s=300,
            starts="2026-07-01T08:00:00+00:00",
        ),
        Case(
            "exactly the usual load",
            {"power": "6x156"},
            ((770, Expect.NORMAL),),
            {"most_night_kw": 6.0},
            step_s=300,
            starts="2026-07-01T08:00:00+00:00",
        ),
        Case(
            "by day it says nothing",
            {"power": "20x150"},
            ((700, Expect.NORMAL),),
            {"most_night_kw": 6.0},
            step_s=300,
            starts="2026-07-01T00:00:00+00:00",
        ),
        Case(
            "not read: cannot tell",
            {"power": "?x156"},
            ((770, Expect.NORMAL),),
            {"most_night_kw": 6.0},
            step_s=300,
            starts="2026-07-01T08:00:00+00:00",
        ),
    ),
    also=(
        "demand_surge",
        "frozen_gateway",
    ),
    classes=frozenset({"Electrical_Meter"}),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Half-hour mean over the usual load, judged from 23 to 5 o'clock."""
    power = frame["power"].mean(frame.steps(1800)).rounded()
    hours = frame.local_hours()
    night = frame.mask((hours >= FROM_H) | (hours < TO_H))
    return Verdict.above(power, p["most_night_kw"], {"power_kW": power}, night)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """What is above the usual load."""
    excess = np.maximum(frame["power"].values - p["most_night_kw"], 0.0)[mask.true]
    wasted_kwh = float(np.nansum(excess)) * frame.step_s / 3600.0
    return Waste(energy_kwh=wasted_kwh, basis="measured power above the usual night load")
