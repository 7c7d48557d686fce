"""A chiller runs and its chilled water leaves warmer than the set-point.

Lost refrigerant, a fouled evaporator or more load than it can bear; every air handler follows. Source:
engineering practice; ASHRAE Guideline 36-2021 plant alarms.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import (
    Case,
    Expect,
    Input,
    Parameter,
    Parameters,
    Path,
    Rule,
    RuleTexts,
    Verdict,
)
from energy_center.rules.window import Frame, held

RULE = Rule(
    rule_id="chiller-supply-too-warm",
    subject="hvac",
    inputs=(
        Input("supply", Role.CHILLED_WATER_SUPPLY_TEMPERATURE),
        Input("setpoint", Role.CHILLED_WATER_SUPPLY_TEMPERATURE_SETPOINT),
        Input("status", Role.CHILLER_STATUS),
    ),
    parameters=(
        Parameter("over_k", 1.5, "K", "engineering practice: control band and sensor error"),
        Parameter("settled_min", 45.0, "min", "engineering practice: pulling the loop down after a start"),
        Parameter("average_min", 10.0, "min", "engineering practice"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.HIGH,
    lookback_s=2800,
    source="engineering practice: 1.5 K above the set-point",
    fault=("capacity_lost",),
    hides=frozenset({Path.THERMAL}),
    texts={
        "zh-TW": RuleTexts(
            name="冰水主機出水溫度過高",
            likely_causes=(
                "冷媒不足",
                "蒸發器積垢",
                "負載超過單機容量",
                "冷卻水溫過高",
            ),
            what_to_check=(
                "冷媒壓力與液位",
                "蒸發器趨近溫度",
                "其他主機是否可投入",
                "冷卻水塔運轉",
            ),
            safety="冷媒系統須由合格人員操作。",
            suggestion="先投入備用主機，再請廠商檢查冷媒量與蒸發器。",
        ),
        "en": RuleTexts(
            name="Chilled water leaves too warm",
            likely_causes=(
                "Refrigerant is missing",
                "The evaporator is fouled",
                "More load than one machine bears",
                "Condenser water is too warm",
            ),
            what_to_check=(
                "Refrigerant pressures and level",
                "Approach of the evaporator",
                "Can another chiller help?",
                "The cooling towers",
            ),
            safety="Only certified people may work on the refrigerant circuit.",
            suggestion="Start the stand-by machine, then have refrigerant and evaporator checked.",
        ),
    },
    cases=(
        Case(
            "2.5 K over",
            {"supply": "9.5x120", "setpoint": "7x120", "status": "1x120"},
            (
                (20, Expect.NORMAL),
                (60, Expect.PENDING),
                (100, Expect.ACTIVE),
            ),
        ),
        Case(
            "at its set-point",
            {"supply": "7.2x120", "setpoint": "7x120", "status": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "exactly 1.5 K",
            {"supply": "8.5x120", "setpoint": "7x120", "status": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "pulling down after a start",
            {"supply": "18..7x40 7x80", "setpoint": "7x120", "status": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "off",
            {"supply": "18x120", "setpoint": "7x120", "status": "0x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"supply": "?x120", "setpoint": "7x120", "status": "1x120"},
            ((119, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Mean over the set-point with the machine on for the time of pulling down."""
    steps = frame.steps(p["average_min"] * 60)
    over = (frame["supply"] - frame["setpoint"]).mean(steps).rounded()
    settled = held(frame["status"].on(), frame.steps(p["settled_min"] * 60))
    return Verdict.above(
        over,
        p["over_k"],
        {"over_setpoint_K": over, "chilled_water_supply_temperature_Cel": frame["supply"]},
        settled,
    )
