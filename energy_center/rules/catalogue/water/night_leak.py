"""Mains water flows through whole nights, when nobody is there.

A running toilet alone wastes some hundred cubic metres a year. Source: engineering practice of night-flow
analysis: a flow that never stops between 1 and 5 o'clock, nights in a row. Fillings of tanks do stop.
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
    rule_id="water-night-leak",
    subject="water",
    inputs=(Input("flow", Role.WATER_FLOW),),
    parameters=(
        Parameter("least_m3_per_h", 0.1, "m3/h", "engineering practice: above what seeps and drips at night"),
        Parameter("from_h", 1.0, "h", "engineering practice: night hours, local"),
        Parameter("to_h", 5.0, "h", "engineering practice: night hours, local"),
    ),
    hold_s=32400,
    keep_s=21600,
    priority=Priority.MEDIUM,
    step_s=300,
    lookback_s=1000,
    source="engineering practice: night-flow analysis over three nights",
    fault=("toilet_leak_at_night",),
    texts={
        "zh-TW": RuleTexts(
            name="夜間持續用水，疑似漏水",
            likely_causes=(
                "馬桶水箱止水皮漏水",
                "水箱浮球閥未關",
                "地下管線滲漏",
                "冷卻水塔補水不止",
            ),
            what_to_check=(
                "各樓層馬桶以色錠測試",
                "水箱與水塔浮球",
                "夜間關閉分區閥觀察水表",
                "排水井是否有清水流動",
            ),
            safety="管道間作業注意通風與墜落。",
            suggestion="逐區關閥找出漏點並修復；修復後比較夜間最小流量。",
        ),
        "en": RuleTexts(
            name="Water flows all night",
            likely_causes=(
                "A toilet valve leaks",
                "A float valve does not shut",
                "A buried pipe leaks",
                "The cooling tower make-up runs on",
            ),
            what_to_check=(
                "Toilets floor by floor with dye",
                "Floats of tanks and towers",
                "Shut zones at night and watch the meter",
                "Clear water in the drains",
            ),
            safety="Mind air and falls in shafts.",
            suggestion="Shut zone by zone to find it; after the repair compare the night's least flow.",
        ),
    },
    cases=(
        Case(
            "0.3 m3/h night and day",
            {"flow": "0.3x330"},
            (
                (90, Expect.PENDING),
                (3280, Expect.ACTIVE),
            ),
            step_s=600,
            starts="2026-07-01T16:00:00+00:00",
        ),
        Case(
            "drips",
            {"flow": "0.02x330"},
            (
                (1600, Expect.NORMAL),
                (3200, Expect.NORMAL),
            ),
            step_s=600,
            starts="2026-07-01T16:00:00+00:00",
        ),
        Case(
            "exactly at the limit",
            {"flow": "0.1x330"},
            ((3200, Expect.NORMAL),),
            step_s=600,
            starts="2026-07-01T16:00:00+00:00",
        ),
        Case(
            "a tank that fills at two",
            {"flow": "0x12 5x6 0x120 0x18 5x6 0x150"},
            ((3100, Expect.NORMAL),),
            step_s=600,
            starts="2026-07-01T16:00:00+00:00",
        ),
        Case(
            "not read: cannot tell",
            {"flow": "?x330"},
            ((3200, Expect.NORMAL),),
            step_s=600,
            starts="2026-07-01T16:00:00+00:00",
        ),
    ),
    also=(
        "water_burst",
        "mains_valve_stuck",
        "tank_leak",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Quarter-hour mean over the limit, judged at night alone; days pause the hold."""
    flow = frame["flow"].mean(frame.steps(900)).rounded()
    hours = frame.local_hours()
    night = frame.mask((hours >= p["from_h"]) & (hours < p["to_h"]))
    return Verdict.above(flow, p["least_m3_per_h"], {"water_flow_m3_per_h": flow}, night)


def saving(frame: Frame, mask: Mask, _p: Parameters) -> Waste:
    """The flow of the nights; by day the same runs beside what people use."""
    lost_m3 = float(np.nansum(frame["flow"].values[mask.true])) * frame.step_s / 3600.0
    return Waste(water_m3=lost_m3, basis="measured flow at night; by day it runs on unseen")
