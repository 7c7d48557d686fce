"""A cooling valve swings widely back and forth: its control loop hunts.

Actuators wear out and the room feels it. Source: ASHRAE Guideline 36-2021 AFDD on unstable control, here by
the valve's travel: wide span and many reversals within an hour.
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
)
from energy_center.rules.window import Floats, Frame, Signal, held, rolling_sum

STRIDE_S = 300  # a reversal counts when the mean of five minutes turns
SWINGS, RIPPLE = "20..80x6 80..20x6 " * 20, "48..52x5 52..48x5 " * 24

RULE = Rule(
    rule_id="ahu-hunting",
    subject="hvac",
    inputs=(
        Input("valve", Role.CHILLED_WATER_VALVE),
        Input("fan", Role.FAN_STATUS),
    ),
    parameters=(
        Parameter(
            "least_span", 20.0, "%", "engineering practice: span of a calm loop within an hour is smaller"
        ),
        Parameter("least_turns", 4.0, "1/h", "engineering practice: reversals within an hour"),
        Parameter("least_move", 5.0, "%", "engineering practice: smaller moves are noise"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.LOW,
    lookback_s=8000,
    source=("ASHRAE Guideline 36-2021 AFDD: unstable control; travel limits by engineering practice"),
    fault=("loop_hunting",),
    texts={
        "zh-TW": RuleTexts(
            name="空調箱冰水閥控制震盪",
            likely_causes=(
                "比例帶過窄或積分時間過短",
                "閥口徑過大",
                "送風溫度感測器反應過慢",
                "冰水壓差過高",
            ),
            what_to_check=(
                "控制迴路參數",
                "閥開度趨勢",
                "感測器位置",
                "水系統壓差",
            ),
            safety="調整參數時先記錄原值，並於輕載時進行。",
            suggestion="放寬比例帶、加長積分時間；閥口徑過大者於更換時縮小。",
        ),
        "en": RuleTexts(
            name="Cooling valve hunts",
            likely_causes=(
                "The proportional band is too narrow or the integral time too short",
                "The valve is too large",
                "The supply sensor reacts too slowly",
                "The water pressure is too high",
            ),
            what_to_check=(
                "The loop's settings",
                "The valve's trend",
                "Where the sensor sits",
                "Differential pressure of the water",
            ),
            safety="Note the old settings first and tune at light load.",
            suggestion=(
                "Widen the band and lengthen the integral time; choose a smaller valve when it is replaced."
            ),
        ),
    },
    cases=(
        Case(
            "swings between 20 and 80 %",
            {"valve": SWINGS, "fan": "1x240"},
            (
                (30, Expect.NORMAL),
                (80, Expect.PENDING),
                (180, Expect.ACTIVE),
            ),
        ),
        Case(
            "follows the load",
            {"valve": "20..80x240", "fan": "1x240"},
            ((239, Expect.NORMAL),),
        ),
        Case(
            "small ripple",
            {"valve": RIPPLE, "fan": "1x240"},
            ((239, Expect.NORMAL),),
        ),
        Case(
            "fan off",
            {"valve": SWINGS, "fan": "0x240"},
            ((239, Expect.NORMAL),),
        ),
        Case(
            "valve not read: cannot tell",
            {"valve": "?x240", "fan": "1x240"},
            ((239, Expect.NORMAL),),
        ),
    ),
)


def _turns(frame: Frame, p: Parameters) -> Floats:
    """Reversals of moves larger than the noise, within the last hour; five-minute means on any step."""
    smooth = frame["valve"].mean(frame.steps(STRIDE_S), covered=0.5)
    moved = (smooth - smooth.back(frame.steps(STRIDE_S))).values
    way = np.where(np.abs(moved) > p["least_move"], np.sign(moved), 0.0)
    last = _last_nonzero(way, frame.steps(3600))
    turned = (way != 0) & (np.concatenate([[0.0], last[:-1]]) * way < 0)
    return rolling_sum(turned * 1.0, frame.steps(3600))


def _last_nonzero(way: Floats, within: int) -> Floats:
    """At each step the newest direction that was not zero, of so many steps: an older one is forgotten.

    Without the bound a live window would see other reversals than a long backtest.
    """
    steps = np.arange(len(way))
    place = np.maximum.accumulate(np.where(way != 0, steps, 0))
    return np.where(steps - place < within, way[place], 0.0)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Wide span and many reversals while the fan runs."""
    hour = frame.steps(3600)
    span = frame["valve"].span(hour)
    turns = Signal(np.where(span.known, _turns(frame, p), np.nan))
    running = held(frame["fan"].on(), hour)
    swings = (span > p["least_span"]) & (turns > p["least_turns"] - 0.5)
    calmer = (span > 0.9 * p["least_span"]) & (turns > p["least_turns"] - 1.5)
    return Verdict(
        swings.where(running), calmer.where(running), {"valve_span_%": span, "reversals_per_h": turns}
    )
