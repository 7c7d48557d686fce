"""A photovoltaic inverter makes much less in a day than the sun explains.

Dirt, a dead string, shade. Source: performance ratio of IEC 61724-1 with the module temperature corrected by
-0.37 %/K; only days with sun enough are judged.
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
from energy_center.rules.window import Frame, Mask, Signal

DAY_S = 86_400
MODULE_K_PER_W_M2, LOSS_PER_K, USUAL_RATIO = 0.028, 0.0037, 0.85

RULE = Rule(
    rule_id="pv-underperformance",
    subject="supply",
    inputs=(
        Input("power", Role.ACTIVE_POWER),
        Input("sun", Role.SOLAR_IRRADIANCE, Where.SITE),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
    ),
    parameters=(
        Parameter("rated_kw", None, "kW", "rated output of the inverter", attribute="rated_kw"),
        Parameter(
            "least_ratio",
            0.72,
            "1",
            "engineering practice: 0.85 of the usual corrected ratio of 0.85 to 0.95",
        ),
        Parameter("least_sun_kwh_m2", 2.0, "kWh/m2", "engineering practice: dull days tell nothing"),
    ),
    hold_s=32400,
    keep_s=32400,
    priority=Priority.MEDIUM,
    step_s=900,
    lookback_s=88200,
    source="IEC 61724-1 performance ratio, temperature corrected",
    fault=("soiling",),
    texts={
        "zh-TW": RuleTexts(
            name="太陽光電發電量低於預期",
            likely_causes=(
                "模組髒污",
                "組串斷線或熔絲熔斷",
                "遮蔭增加",
                "變流器降載",
            ),
            what_to_check=(
                "各組串直流電流",
                "模組表面",
                "新增遮蔽物",
                "變流器事件紀錄",
            ),
            safety="直流側日照下持續帶電，須由合格人員操作；屋頂作業繫安全帶。",
            suggestion="清洗模組並檢查組串；清洗後比較效能比確認改善。",
        ),
        "en": RuleTexts(
            name="Photovoltaics make less than the sun explains",
            likely_causes=(
                "Dirt on the modules",
                "A string or its fuse is dead",
                "New shade",
                "The inverter derates",
            ),
            what_to_check=(
                "DC current of each string",
                "The modules",
                "What casts shade",
                "The inverter's event log",
            ),
            safety="The DC side is live in daylight: qualified people only; harness on the roof.",
            suggestion="Wash the modules and check the strings; compare the ratio afterwards.",
        ),
    },
    cases=(
        Case(
            "half of what the sun gives",
            {
                "power": "0x24 -21x120 0x168 -21x120 0x100",
                "sun": "0x24 800x120 0x168 800x120 0x100",
                "outdoor": "30x532",
            },
            (
                (600, Expect.NORMAL),
                (2600, Expect.ACTIVE),
            ),
            {"rated_kw": 50.0},
            step_s=300,
        ),
        Case(
            "in order",
            {
                "power": "0x24 -37x120 0x168 -37x120 0x100",
                "sun": "0x24 800x120 0x168 800x120 0x100",
                "outdoor": "30x532",
            },
            (
                (600, Expect.NORMAL),
                (2600, Expect.NORMAL),
            ),
            {"rated_kw": 50.0},
            step_s=300,
        ),
        Case(
            "a dull day tells nothing",
            {"power": "0x24 -1x120 0x388", "sun": "0x24 80x120 0x388", "outdoor": "22x532"},
            ((2600, Expect.NORMAL),),
            {"rated_kw": 50.0},
            step_s=300,
        ),
        Case(
            "irradiance not read: cannot tell",
            {"power": "-21x532", "sun": "?x532", "outdoor": "30x532"},
            ((2600, Expect.NORMAL),),
            {"rated_kw": 50.0},
            step_s=300,
        ),
    ),
    also=("inverter_tripped",),
    classes=frozenset({"Inverter"}),
)


def _ratio(frame: Frame, p: Parameters) -> tuple[Signal, Signal]:
    """Corrected performance ratio and irradiation (kWh/m2) of the last 24 hours."""
    day = frame.steps(DAY_S)
    sun = frame["sun"]
    module_c = frame["outdoor"] + sun * MODULE_K_PER_W_M2
    corrected = sun.values * (1.0 - LOSS_PER_K * (module_c.values - 25.0)) / 1000.0
    made = Signal(np.maximum(-frame["power"].values, 0.0)).mean(day, covered=0.95)
    due = Signal(corrected).mean(day, covered=0.95)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = made.values / (p["rated_kw"] * due.values)
    return Signal(ratio).rounded(), sun.mean(day, covered=0.95) * (24.0 / 1000.0)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Ratio of the last 24 hours below the least, where they had sun enough."""
    ratio, irradiation = _ratio(frame, p)
    sunny = irradiation > p["least_sun_kwh_m2"]
    return Verdict(
        (ratio < p["least_ratio"]).where(sunny),
        (ratio < 1.05 * p["least_ratio"]).where(sunny),
        {"performance_ratio": ratio, "irradiation_kWh_per_m2": irradiation},
    )


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """What the usual ratio would have made beyond what was made."""
    ratio, irradiation = _ratio(frame, p)
    missing = np.maximum(USUAL_RATIO - ratio.values, 0.0) * irradiation.values * p["rated_kw"] / 24.0
    lost_kwh = float(np.nansum(missing[mask.true])) * frame.step_s / 3600.0
    return Waste(energy_kwh=lost_kwh, basis="usual performance ratio of 0.85; estimated")
