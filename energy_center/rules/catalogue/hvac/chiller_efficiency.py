"""A chiller takes more power for its cooling than its own figure at this condenser water.

Lost refrigerant, fouled tubes, worn compressor. Source: its rated kW/RT, corrected by 2.7 % for each kelvin
of entering condenser water from 29 Cel (AHRI 551/591 style); part-load curves of screw and centrifugal
machines stay within a tenth of it above 40 % load.
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

WATER_KWH_PER_M3_K, KW_PER_RT = 1.163, 3.517
RATED_ENTERING_C, SHARE_PER_K = 29.0, 0.027

RULE = Rule(
    rule_id="chiller-efficiency-low",
    subject="hvac",
    inputs=(
        Input("power", Role.ACTIVE_POWER),
        Input("supply", Role.CHILLED_WATER_SUPPLY_TEMPERATURE),
        Input("back", Role.CHILLED_WATER_RETURN_TEMPERATURE),
        Input("flow", Role.CHILLED_WATER_FLOW),
        Input("entering", Role.CONDENSER_WATER_ENTERING_TEMPERATURE),
        Input("load", Role.LOAD_RATIO),
        Input("status", Role.CHILLER_STATUS),
    ),
    parameters=(
        Parameter(
            "rated_kw_per_rt",
            None,
            "kW/RT",
            "the machine's own figure at full load and 29 Cel",
            attribute="rated_kw_per_rt",
        ),
        Parameter("over_share", 0.12, "1", "engineering practice: metering errors of flow and temperatures"),
        Parameter("least_load", 40.0, "%", "engineering practice: below it part load hides the rest"),
    ),
    hold_s=14460,
    keep_s=14400,
    priority=Priority.MEDIUM,
    lookback_s=3700,
    source="own rated kW/RT corrected for condenser water",
    fault=("refrigerant_low",),
    texts={
        "zh-TW": RuleTexts(
            name="冰水主機效率偏低",
            likely_causes=(
                "冷媒不足",
                "冷凝器或蒸發器積垢",
                "壓縮機磨耗",
                "水量或感測器失準",
            ),
            what_to_check=(
                "冷媒壓力與過冷度",
                "兩器趨近溫度",
                "冰水流量計與溫度計校正",
                "保養紀錄",
            ),
            safety="冷媒系統須由合格人員操作；電氣量測為活線作業。",
            suggestion="安排廠商檢查冷媒與清洗兩器；效率差的主機排為最後投入。",
        ),
        "en": RuleTexts(
            name="Chiller takes too much power for its cooling",
            likely_causes=(
                "Refrigerant is missing",
                "Condenser or evaporator are fouled",
                "The compressor is worn",
                "Flow or temperatures are measured wrongly",
            ),
            what_to_check=(
                "Refrigerant pressures and subcooling",
                "Approach of both vessels",
                "Calibration of flow and temperatures",
                "The maintenance record",
            ),
            safety="Only certified people may work on the refrigerant circuit; panels are live.",
            suggestion="Have refrigerant and both vessels checked; let this machine start last until then.",
        ),
    },
    cases=(
        Case(
            "0.78 against 0.60 kW/RT",
            {
                "power": "178x400",
                "supply": "7x400",
                "back": "12x400",
                "flow": "138x400",
                "entering": "29x400",
                "load": "75x400",
                "status": "1x400",
            },
            (
                (30, Expect.NORMAL),
                (200, Expect.PENDING),
                (390, Expect.ACTIVE),
            ),
            {"rated_kw_per_rt": 0.6},
        ),
        Case(
            "0.58",
            {
                "power": "132x400",
                "supply": "7x400",
                "back": "12x400",
                "flow": "138x400",
                "entering": "29x400",
                "load": "75x400",
                "status": "1x400",
            },
            ((399, Expect.NORMAL),),
            {"rated_kw_per_rt": 0.6},
        ),
        Case(
            "warm condenser water explains it",
            {
                "power": "164x400",
                "supply": "7x400",
                "back": "12x400",
                "flow": "138x400",
                "entering": "35x400",
                "load": "75x400",
                "status": "1x400",
            },
            ((399, Expect.NORMAL),),
            {"rated_kw_per_rt": 0.6},
        ),
        Case(
            "little load",
            {
                "power": "100x400",
                "supply": "7x400",
                "back": "8.5x400",
                "flow": "138x400",
                "entering": "29x400",
                "load": "25x400",
                "status": "1x400",
            },
            ((399, Expect.NORMAL),),
            {"rated_kw_per_rt": 0.6},
        ),
        Case(
            "flow not read: cannot tell",
            {
                "power": "178x400",
                "supply": "7x400",
                "back": "12x400",
                "flow": "?x400",
                "entering": "29x400",
                "load": "75x400",
                "status": "1x400",
            },
            ((399, Expect.NORMAL),),
            {"rated_kw_per_rt": 0.6},
        ),
    ),
    also=("fouled_condenser",),
)


def _excess(frame: Frame, p: Parameters) -> tuple[Signal, Signal]:
    """kW/RT as an hour's mean, and its share above the machine's own figure."""
    steps = frame.steps(3600)
    cooling_rt = (frame["back"] - frame["supply"]) * frame["flow"] * (WATER_KWH_PER_M3_K / KW_PER_RT)
    with np.errstate(divide="ignore", invalid="ignore"):
        kw_per_rt = frame["power"].mean(steps).values / cooling_rt.mean(steps).values
    warmer = (frame["entering"].mean(steps) - RATED_ENTERING_C) * SHARE_PER_K
    own = p["rated_kw_per_rt"] * (1.0 + warmer.values)
    return Signal(kw_per_rt), Signal(kw_per_rt / own - 1.0).rounded()


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Share above the machine's own figure, with enough load for the whole hour."""
    steps = frame.steps(3600)
    kw_per_rt, over = _excess(frame, p)
    loaded = (frame["load"].mean(steps) > p["least_load"]) & held(frame["status"].on(), steps)
    return Verdict.above(over, p["over_share"], {"kW_per_RT": kw_per_rt, "load_%": frame["load"]}, loaded)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """Power above the machine's own figure."""
    _, over = _excess(frame, p)
    excess = np.maximum(over.values, 0.0)[mask.true]
    wasted_kw = frame["power"].values[mask.true] * excess / (1.0 + excess)
    return Waste(
        energy_kwh=float(np.nansum(wasted_kw)) * frame.step_s / 3600.0,
        basis="measured power above the machine's own kW/RT",
    )
