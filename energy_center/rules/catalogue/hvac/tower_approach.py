"""A cooling tower gives back water much warmer than the wet-bulb temperature.

Scaled fill, a slipping belt, blocked nozzles: each kelvin costs some 3 % of the chillers' power. Source:
engineering practice; design approach 4 to 5 K. Wet bulb by Stull (2011), J. Appl. Meteor. Climatol. 50.
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
from energy_center.rules.window import Floats, Frame, Signal, held

RULE = Rule(
    rule_id="tower-approach-high",
    subject="hvac",
    inputs=(
        Input("water", Role.CONDENSER_WATER_SUPPLY_TEMPERATURE),
        Input("fan", Role.FAN_STATUS),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE),
        Input("humidity", Role.OUTDOOR_AIR_HUMIDITY, Where.SITE),
    ),
    parameters=(
        Parameter("over_k", 6.5, "K", "engineering practice: design approach of 4 to 5 K and sensor errors"),
        Parameter(
            "least_water_c",
            24.0,
            "Cel",
            "engineering practice: below it the fans hold the water warm on purpose",
        ),
        Parameter("average_min", 30.0, "min", "engineering practice"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="engineering practice: approach to the wet bulb (Stull 2011)",
    fault=("tower_fouled",),
    texts={
        "zh-TW": RuleTexts(
            name="冷卻水塔趨近溫度過高",
            likely_causes=(
                "散熱材結垢或破損",
                "風車皮帶打滑",
                "灑水頭堵塞",
                "風量被遮擋或熱風回流",
            ),
            what_to_check=(
                "散熱材與灑水頭",
                "風車轉速與皮帶",
                "水質與排放",
                "進風口周圍",
            ),
            safety="水塔作業須停機上鎖、戴口罩防退伍軍人菌，並使用安全索。",
            suggestion="清洗散熱材與灑水頭、調整皮帶；趨近溫度每降 1 K 約省 3 % 主機用電。",
        ),
        "en": RuleTexts(
            name="Cooling tower water stays too warm",
            likely_causes=(
                "The fill is scaled or broken",
                "The fan belt slips",
                "The nozzles are blocked",
                "Air is blocked or runs in a circle",
            ),
            what_to_check=(
                "Fill and nozzles",
                "Fan speed and belt",
                "Water quality and bleed",
                "Around the air inlets",
            ),
            safety="Lock out the fan, wear a mask against legionella and a harness on the tower.",
            suggestion=(
                "Clean fill and nozzles, tighten the belt; each kelvin saves about 3 % of the "
                "chillers' power."
            ),
        ),
    },
    cases=(
        Case(
            "8 K above the wet bulb",
            {"water": "35x150", "fan": "1x150", "outdoor": "32x150", "humidity": "70x150"},
            (
                (10, Expect.NORMAL),
                (60, Expect.PENDING),
                (120, Expect.ACTIVE),
            ),
        ),
        Case(
            "4 K above it",
            {"water": "31.4x150", "fan": "1x150", "outdoor": "32x150", "humidity": "70x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "held warm on a winter day",
            {"water": "21x150", "fan": "1x150", "outdoor": "15x150", "humidity": "60x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "fan off",
            {"water": "35x150", "fan": "0x150", "outdoor": "32x150", "humidity": "70x150"},
            ((149, Expect.NORMAL),),
        ),
        Case(
            "humidity not read: cannot tell",
            {"water": "35x150", "fan": "1x150", "outdoor": "32x150", "humidity": "?x150"},
            ((149, Expect.NORMAL),),
        ),
    ),
)


def wet_bulb_c(dry_c: Floats, humidity_pct: Floats) -> Floats:
    """Wet-bulb temperature at sea level from dry bulb (Cel) and relative humidity (%), Stull's equation 1."""
    rh = humidity_pct
    return np.asarray(
        dry_c * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(dry_c + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035,
        dtype=np.float64,
    )


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Half-hour means of the approach while the fan runs and the water is not held warm."""
    steps = frame.steps(p["average_min"] * 60)
    water = frame["water"].mean(steps)
    wet = wet_bulb_c(frame["outdoor"].mean(steps).values, frame["humidity"].mean(steps).values)
    approach = Signal(water.values - wet).rounded()
    free = held(frame["fan"].on(), steps) & (water > p["least_water_c"])
    return Verdict.above(
        approach, p["over_k"], {"approach_K": approach, "condenser_water_supply_temperature_Cel": water}, free
    )
