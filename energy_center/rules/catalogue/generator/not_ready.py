"""The emergency generator would not start or not last: its battery is low at rest or its fuel short.

Source: engineering practice: a 24 V lead battery below 24.4 V is half empty; fuel for the hours that the fire
rules and a typhoon ask for.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Mask

RULE = Rule(
    rule_id="generator-not-ready",
    subject="generator",
    inputs=(
        Input("battery", Role.BATTERY_VOLTAGE),
        Input("fuel", Role.FUEL_LEVEL),
        Input("state", Role.ENGINE_STATE),
    ),
    parameters=(
        Parameter("least_v", 24.4, "V", "24 V lead battery at rest, half empty", attribute="least_battery_v"),
        Parameter("least_fuel", 30.0, "%", "about 8 h at full load", attribute="least_fuel_pct"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.CRITICAL,
    source="engineering practice: battery at rest, fuel for eight hours",
    fault=(
        "battery_weak",
        "fuel_low",
    ),
    texts={
        "zh-TW": RuleTexts(
            name="緊急發電機未備妥",
            likely_causes=(
                "充電器故障",
                "蓄電池老化",
                "燃油不足",
                "油位計異常",
            ),
            what_to_check=(
                "充電器輸出與電池端電壓",
                "電池製造日期",
                "油槽油位",
                "控制器是否在自動",
            ),
            safety="加油時嚴禁煙火；電池旁注意氫氣。",
            suggestion="立即補油或更換電池，完成後手動試車確認。",
        ),
        "en": RuleTexts(
            name="Emergency generator is not ready",
            likely_causes=(
                "The charger has failed",
                "The battery is old",
                "Fuel is short",
                "The gauge is wrong",
            ),
            what_to_check=(
                "Charger output and battery voltage",
                "The battery's date",
                "The level in the tank",
                "Does the controller stand on auto?",
            ),
            safety="No flame while refuelling; batteries give off hydrogen.",
            suggestion="Refuel or replace the battery now, then start it by hand to be sure.",
        ),
    },
    cases=(
        Case(
            "23.7 V at rest",
            {"battery": "27x10 23.7x60", "fuel": "80x70", "state": "0x70"},
            (
                (9, Expect.NORMAL),
                (20, Expect.PENDING),
                (60, Expect.ACTIVE),
            ),
        ),
        Case(
            "fuel at 15 %",
            {"battery": "27x70", "fuel": "15x70", "state": "0x70"},
            ((60, Expect.ACTIVE),),
        ),
        Case(
            "ready",
            {"battery": "27x70", "fuel": "80x70", "state": "0x70"},
            ((69, Expect.NORMAL),),
        ),
        Case(
            "cranking pulls the voltage down",
            {"battery": "27x30 18x2 27x38", "fuel": "80x70", "state": "0x30 1x2 3x38"},
            ((69, Expect.NORMAL),),
        ),
        Case(
            "exactly 24.4 V",
            {"battery": "24.4x70", "fuel": "80x70", "state": "0x70"},
            ((69, Expect.NORMAL),),
        ),
        Case(
            "battery not read: cannot tell",
            {"battery": "?x70", "fuel": "80x70", "state": "0x70"},
            ((69, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Battery below its least at rest, or fuel below its least."""
    rests = ~frame["state"].on()
    weak = (frame["battery"] < p["least_v"]).where(rests)
    empty = frame["fuel"] < p["least_fuel"]
    empty_still = frame["fuel"] < 1.1 * p["least_fuel"]
    condition = Mask(weak.true | empty.true, (weak.false | weak.off) & empty.false, np.zeros_like(empty.true))
    still = Mask(weak.true | empty_still.true, (weak.false | weak.off) & empty_still.false, condition.off)
    return Verdict(condition, still, {"battery_V": frame["battery"], "fuel_%": frame["fuel"]})
