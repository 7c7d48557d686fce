"""A filter's pressure drop, brought to full fan speed, is above its final value.

The fan works harder for less air, and dust breaks through. Source: engineering practice; the drop grows with
the square of the air flow, so that a slow fan must not hide a clogged filter.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Signal, held

RULE = Rule(
    rule_id="ahu-filter-clogged",
    subject="hvac",
    inputs=(
        Input("drop", Role.FILTER_PRESSURE_DROP),
        Input("speed", Role.FAN_SPEED),
        Input("fan", Role.FAN_STATUS),
    ),
    parameters=(
        Parameter(
            "final_pa",
            250.0,
            "Pa",
            "usual final drop of bag filters at full flow; the filter's data sheet",
            attribute="final_filter_pa",
        ),
        Parameter("least_speed", 30.0, "%", "engineering practice: below it the drop is too small to tell"),
        Parameter("average_min", 15.0, "min", "engineering practice"),
    ),
    hold_s=18000,
    keep_s=14400,
    priority=Priority.LOW,
    lookback_s=1000,
    source="engineering practice: final pressure drop at full flow",
    fault=("filter_clogged",),
    texts={
        "zh-TW": RuleTexts(
            name="空調箱濾網阻塞",
            likely_causes=(
                "濾網已達使用期限",
                "施工粉塵或外氣污染",
                "濾網受潮",
            ),
            what_to_check=(
                "現場差壓計讀值",
                "濾網更換紀錄",
                "濾網框是否漏風",
            ),
            safety="更換時停機並戴口罩，避免粉塵散入風管。",
            suggestion="更換濾網；同時檢查濾網框密合，並登錄更換日期。",
        ),
        "en": RuleTexts(
            name="Air filter is clogged",
            likely_causes=(
                "The filter has reached its life",
                "Building dust or polluted outdoor air",
                "The filter is wet",
            ),
            what_to_check=(
                "The pressure gauge at the unit",
                "The record of filter changes",
                "Does the frame leak?",
            ),
            safety="Stop the unit and wear a mask; keep the dust out of the duct.",
            suggestion="Change the filter, check that the frame seals, and note the date.",
        ),
    },
    cases=(
        Case(
            "120 Pa at 60 % is 333 Pa at full speed",
            {"drop": "120x340", "speed": "60x340", "fan": "1x340"},
            (
                (10, Expect.NORMAL),
                (100, Expect.PENDING),
                (335, Expect.ACTIVE),
            ),
        ),
        Case(
            "new",
            {"drop": "60x300", "speed": "80x300", "fan": "1x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "exactly at the final drop",
            {"drop": "250x300", "speed": "100x300", "fan": "1x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "the night pauses the hold",
            {"drop": "120x180 0x200 120x180", "speed": "60x180 0x200 60x180", "fan": "1x180 0x200 1x180"},
            (
                (300, Expect.PENDING),
                (559, Expect.ACTIVE),
            ),
        ),
        Case(
            "speed not read: cannot tell",
            {"drop": "300x300", "speed": "?x300", "fan": "1x300"},
            ((299, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Quarter-hour means, the drop brought to full speed by the square law."""
    steps = frame.steps(p["average_min"] * 60)
    speed = frame["speed"].mean(steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        full = Signal(frame["drop"].mean(steps).values / np.square(speed.values / 100.0)).rounded()
    running = held(frame["fan"].on(), steps) & (speed > p["least_speed"])
    return Verdict.above(
        full, p["final_pa"], {"filter_drop_at_full_speed_Pa": full, "fan_speed_%": speed}, running
    )
