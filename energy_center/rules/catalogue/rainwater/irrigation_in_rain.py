"""The garden is watered although it has rained enough.

Rainwater that toilets could use is poured on wet ground. Source: engineering practice: 5 mm within a day are
enough for a day.
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
    Where,
)
from energy_center.rules.window import Floats, Frame, Mask, Signal

DAY_S = 86_400

RULE = Rule(
    rule_id="rain-irrigation-in-rain",
    subject="rainwater",
    inputs=(
        Input("irrigation", Role.IRRIGATION_VOLUME),
        Input("rain", Role.RAIN_DEPTH, Where.SITE),
    ),
    parameters=(
        Parameter("enough_mm", 5.0, "mm", "engineering practice: rain of a day that spares a watering"),
        Parameter("least_m3", 0.02, "m3", "two steps of the meter"),
    ),
    hold_s=600,
    keep_s=86400,
    priority=Priority.LOW,
    lookback_s=87600,
    source="engineering practice: 5 mm of rain within a day",
    fault=("irrigation_fixed",),
    texts={
        "zh-TW": RuleTexts(
            name="降雨後仍自動澆灌",
            likely_causes=(
                "澆灌控制器未接雨量訊號",
                "時程設為固定",
                "雨量感測器故障",
            ),
            what_to_check=(
                "澆灌控制器設定",
                "雨量計訊號",
                "土壤濕度",
            ),
            safety="電磁閥井開蓋注意墜落與積水。",
            suggestion="以雨量連動澆灌，或雨後手動停用一日。",
        ),
        "en": RuleTexts(
            name="The garden is watered after rain",
            likely_causes=(
                "The controller has no rain signal",
                "It runs on a fixed time",
                "The rain gauge has failed",
            ),
            what_to_check=(
                "Settings of the controller",
                "The rain signal",
                "How wet the soil is",
            ),
            safety="Mind falls and water in valve pits.",
            suggestion="Couple the watering to the rain gauge, or switch it off for a day after rain.",
        ),
    },
    cases=(
        Case(
            "after 12 mm",
            {"irrigation": "10x60 10..10.5x30", "rain": "100..112x30 112x60"},
            (
                (40, Expect.NORMAL),
                (85, Expect.ACTIVE),
            ),
        ),
        Case(
            "dry",
            {"irrigation": "10x60 10..10.5x30", "rain": "100x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "no watering",
            {"irrigation": "10x90", "rain": "100..112x30 112x60"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "rain not read: cannot tell",
            {"irrigation": "10x60 10..10.5x30", "rain": "?x90"},
            ((89, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Water given in the last quarter of an hour, rain within the last day."""
    given = frame["irrigation"].rise(frame.steps(900))
    rained = Signal(_since_day(frame))
    wet = rained > p["enough_mm"]
    return Verdict((given > p["least_m3"]) & wet, figures={"irrigation_m3": given, "rain_24h_mm": rained})


def _since_day(frame: Frame) -> Floats:
    """Rise of the rain gauge within a day, or since the frame's start where that is shorter."""
    rain = frame["rain"].values
    day = frame.steps(DAY_S)
    before = frame["rain"].back(day).values
    first = rain[np.argmax(~np.isnan(rain))] if len(rain) else np.nan
    early = np.isnan(before) & (np.arange(len(rain)) < day)
    risen = rain - np.where(early, first, before)
    return np.where(risen < 0, np.nan, risen)


def saving(frame: Frame, mask: Mask, _p: Parameters) -> Waste:
    """Water given to wet ground."""
    given = frame["irrigation"].rise(1).values[mask.true]
    return Waste(water_m3=float(np.nansum(given)), basis="measured irrigation after rain")
