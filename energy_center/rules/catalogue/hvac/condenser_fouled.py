"""A chiller condenses too far above its leaving condenser water: the tubes are fouled.

Each kelvin costs about 3 % of the chiller's power. Source: engineering practice; the approach grows with
load and is compared with the clean machine's at the same load.
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
from energy_center.rules.window import Frame, Mask, Signal, held

POWER_PER_K = 0.03

RULE = Rule(
    rule_id="chiller-condenser-fouled",
    subject="hvac",
    inputs=(
        Input("condensing", Role.CONDENSING_TEMPERATURE),
        Input("leaving", Role.CONDENSER_WATER_LEAVING_TEMPERATURE),
        Input("load", Role.LOAD_RATIO),
        Input("status", Role.CHILLER_STATUS),
        Input("power", Role.ACTIVE_POWER, optional=True),
    ),
    parameters=(
        Parameter("over_k", 1.5, "K", "engineering practice: above the clean approach at the same load"),
        Parameter("clean_k", 1.6, "K", "commissioning value at full load", attribute="clean_approach_k"),
        Parameter("least_load", 40.0, "%", "engineering practice: the approach scales with load"),
        Parameter("average_min", 15.0, "min", "engineering practice: plant figures"),
    ),
    hold_s=6 * 3600,
    keep_s=6 * 3600,
    priority=Priority.MEDIUM,
    lookback_s=960,
    source="engineering practice: approach 1.5 K over the clean value at the same load",
    fault=("fouled_condenser",),
    texts={
        "zh-TW": RuleTexts(
            name="冰水主機冷凝器積垢",
            likely_causes=("冷凝器管內結垢", "冷卻水流量不足", "冷媒側有不凝結氣體", "水處理失效"),
            what_to_check=(
                "趨近溫度與清潔值的差",
                "冷卻水流量與過濾器",
                "水質與加藥紀錄",
                "排氣裝置運轉時數",
            ),
            safety="通管前隔離並洩壓；化學清洗須著防護具並依安全資料表操作。",
            suggestion="安排通管清洗；趨近溫度每降 1 K 約省 3 % 主機用電。",
        ),
        "en": RuleTexts(
            name="Chiller condenser is fouled",
            likely_causes=(
                "Scale in the condenser tubes",
                "Too little condenser water",
                "Non-condensable gas in the refrigerant",
                "Water treatment has failed",
            ),
            what_to_check=(
                "The approach against its clean value",
                "Condenser water flow and strainer",
                "Water quality and dosing records",
                "Hours of the purge unit",
            ),
            safety="Isolate and relieve before brushing tubes; wear protection with cleaning chemicals.",
            suggestion="Have the tubes cleaned; each kelvin less saves about 3 % of the chiller's power.",
        ),
    },
    cases=(
        Case(
            "4.5 K at 80 % load",
            {"condensing": "36x30 39.5x420", "leaving": "35x450", "load": "80x450", "status": "1x450"},
            ((25, Expect.NORMAL), (200, Expect.PENDING), (440, Expect.ACTIVE)),
        ),
        Case(
            "clean",
            {"condensing": "36.5x450", "leaving": "35x450", "load": "80x450", "status": "1x450"},
            ((449, Expect.NORMAL),),
        ),
        Case(
            "exactly 1.5 K over the clean approach at full load",
            {"condensing": "38.1x450", "leaving": "35x450", "load": "100x450", "status": "1x450"},
            ((449, Expect.NORMAL),),
        ),
        Case(
            "low load says nothing",
            {"condensing": "39.5x450", "leaving": "35x450", "load": "30x450", "status": "1x450"},
            ((449, Expect.NORMAL),),
        ),
        Case(
            "a stop at noon pauses the hold",
            {
                "condensing": "39.5x200 30x100 39.5x200",
                "leaving": "35x200 30x100 35x200",
                "load": "80x200 0x100 80x200",
                "status": "1x200 0x100 1x200",
            },
            ((250, Expect.PENDING), (499, Expect.ACTIVE)),
        ),
        Case(
            "condensing temperature not read: cannot tell",
            {"condensing": "?x450", "leaving": "35x450", "load": "80x450", "status": "1x450"},
            ((449, Expect.NORMAL),),
        ),
    ),
)


def _clean_k(frame: Frame, p: Parameters) -> Signal:
    """Approach of the clean machine at the present load: three tenths of it remain without load."""
    share = frame["load"].mean(frame.steps(p["average_min"] * 60)) * 0.01
    return (share * 0.7 + 0.3) * p["clean_k"]


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Quarter-hour mean of the approach over the clean one, where there is enough load."""
    steps = frame.steps(p["average_min"] * 60)
    approach = frame["condensing"].mean(steps) - frame["leaving"].mean(steps)
    # on for the whole mean: a mean that reaches back into the standstill is too small
    loaded = (frame["load"].mean(steps) > p["least_load"]) & held(frame["status"].on(), steps)
    over = (approach - _clean_k(frame, p)).rounded()
    return Verdict.above(over, p["over_k"], {"approach_K": approach, "load_%": frame["load"]}, loaded)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """Three percent of the measured power for each kelvin above the clean approach."""
    if not frame.has("power"):
        return Waste(basis="chiller power not metered")
    approach = frame["condensing"] - frame["leaving"]
    excess_k = np.maximum((approach - _clean_k(frame, p)).values, 0.0)
    wasted_kw = (frame["power"].values * POWER_PER_K * excess_k)[mask.true]
    energy_kwh = float(np.nansum(wasted_kw)) * frame.step_s / 3600.0
    return Waste(energy_kwh=energy_kwh, basis="3 % of the chiller's power per kelvin; estimated")
