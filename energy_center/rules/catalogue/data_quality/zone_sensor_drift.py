"""At night one room sensor stands apart from the others on its controller.

With the plant off for hours, rooms of a floor agree; a sensor that does not has drifted. Source:
engineering practice.
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

RULE = Rule(
    rule_id="dq-drift",
    subject="data_quality",
    inputs=(Input("zones", Role.ZONE_TEMPERATURE, Where.CONNECTION, many=True),),
    parameters=(
        Parameter("apart_k", 1.8, "K", "engineering practice: rooms of one floor differ by less at night"),
        Parameter("from_h", 1.0, "h", "cooling is off since hours, local"),
        Parameter("to_h", 5.0, "h", "before the morning, local"),
        Parameter("fewest", 3.5, "1", "engineering practice: a median needs four"),
    ),
    hold_s=21600,
    keep_s=21600,
    priority=Priority.LOW,
    step_s=300,
    lookback_s=3700,
    source="engineering practice: offset from the median of its neighbours at night",
    fault=("sensor_drift",),
    texts={
        "zh-TW": RuleTexts(
            name="溫度感測器漂移",
            likely_causes=(
                "感測器老化",
                "安裝位置受日照、設備或外牆影響",
                "校正值設定錯誤",
            ),
            what_to_check=(
                "以標準溫度計比對數值最偏離的感測器",
                "控制器的校正偏移",
                "感測器周圍熱源",
            ),
            safety="高處作業使用合格梯具。",
            suggestion="校正或更換偏離的感測器。",
        ),
        "en": RuleTexts(
            name="Temperature sensor has drifted",
            likely_causes=(
                "The sensor has aged",
                "Sun, equipment or an outer wall warms its place",
                "A wrong offset is set",
            ),
            what_to_check=(
                "The sensor furthest off, by a reference thermometer",
                "Offsets in the controller",
                "Sources of heat around it",
            ),
            safety="Use a proper ladder for work at height.",
            suggestion="Calibrate or replace the sensor that stands apart.",
        ),
    },
    cases=(
        Case(
            "one of five reads 3 K more",
            {
                "zones[0]": "27x500",
                "zones[1]": "27.3x500",
                "zones[2]": "30x500",
                "zones[3]": "26.8x500",
                "zones[4]": "27x500",
            },
            ((30, Expect.NORMAL), (490, Expect.ACTIVE)),
            parameters={"to_h": 24.0},
            starts="2026-06-30T17:00:00+00:00",
        ),
        Case(
            "all agree",
            {"zones[0]": "27x500", "zones[1]": "27.3x500", "zones[2]": "26.5x500", "zones[3]": "26.8x500"},
            ((499, Expect.NORMAL),),
            parameters={"to_h": 24.0},
            starts="2026-06-30T17:00:00+00:00",
        ),
        Case(
            "by day rooms differ",
            {"zones[0]": "27x500", "zones[1]": "27.3x500", "zones[2]": "30x500", "zones[3]": "26.8x500"},
            ((499, Expect.NORMAL),),
            starts="2026-07-01T01:00:00+00:00",
        ),
        Case(
            "exactly 1.8 K",
            {"zones[0]": "27x500", "zones[1]": "27x500", "zones[2]": "28.8x500", "zones[3]": "27x500"},
            ((499, Expect.NORMAL),),
            parameters={"to_h": 24.0},
            starts="2026-06-30T17:00:00+00:00",
        ),
        Case(
            "too few are read: cannot tell",
            {"zones[0]": "27x500", "zones[1]": "27x500", "zones[2]": "30x500", "zones[3]": "?x500"},
            ((499, Expect.NORMAL),),
            parameters={"to_h": 24.0},
            starts="2026-06-30T17:00:00+00:00",
        ),
    ),
    classes=frozenset({"Controller"}),
    also=(
        "fcu_valve_stuck",
        "setpoint_too_low",
        "sensor_stuck",
        "sensor_spikes",
        "sensor_broken",
        "stuck_damper",
        "after_hours_cooling",
        "passing_chilled_water_valve",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Hourly means: the largest distance from the median, judged in the small hours."""
    hour = frame.steps(3600)
    zones = np.stack([zone.mean(hour).values for zone in frame.all("zones")])
    known = (~np.isnan(zones)).sum(axis=0)
    enough = known > p["fewest"]
    zones = np.where(enough, zones, 0.0)  # judged nowhere, and a median of nothing warns
    off = np.abs(zones - np.nanmedian(zones, axis=0))
    furthest = Signal(np.where(enough, np.nanmax(off, axis=0), np.nan)).rounded()
    which = Signal(np.nanargmax(off, axis=0) + 1.0)
    hours = frame.local_hours()
    night = frame.mask((hours >= p["from_h"]) & (hours < p["to_h"]))
    return Verdict.above(
        furthest, p["apart_k"], {"furthest_off_K": furthest, "sensor_in_order": which}, night
    )
