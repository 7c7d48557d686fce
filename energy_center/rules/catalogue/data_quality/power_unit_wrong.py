"""A meter's power and its own register differ by a power of ten.

A wrong unit, scale or current-transformer ratio in the meter or in its profile. Source: engineering practice.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Mask

MOST_DIGITS = 3.0

RULE = Rule(
    rule_id="dq-unit-wrong",
    subject="data_quality",
    inputs=(
        Input("power", Role.ACTIVE_POWER),
        Input("energy", Role.ENERGY_IMPORT),
    ),
    parameters=(
        Parameter("least_kw", 1.0, "kW", "engineering practice: below it the register moves too little"),
        Parameter("within", 0.05, "1", "engineering practice: of a load that varies"),
    ),
    hold_s=7200,
    keep_s=3600,
    priority=Priority.MEDIUM,
    step_s=300,
    lookback_s=3700,
    source="engineering practice: ratio of power to its register near 10, 100, 1000 or their inverses",
    fault=("unit_mismatch",),
    texts={
        "zh-TW": RuleTexts(
            name="電表功率與電度單位不符",
            likely_causes=(
                "單位或倍率設定錯誤",
                "比流器比值設定錯誤",
                "韌體更新後暫存器格式改變",
                "設備檔單位不符",
            ),
            what_to_check=(
                "電表顯示值與系統讀值",
                "比流器比值設定",
                "設備檔的單位與倍率",
            ),
            safety="比流器二次側不可開路，須由合格人員作業。",
            suggestion="更正單位或倍率，並重算期間的用電。",
        ),
        "en": RuleTexts(
            name="Meter shows power in a wrong unit",
            likely_causes=(
                "A unit or factor is set wrongly",
                "The ratio of the current transformers is set wrongly",
                "An update changed the format of the registers",
                "The profile has another unit",
            ),
            what_to_check=(
                "The meter's display against the reading",
                "The ratio of the current transformers",
                "Unit and factor in the profile",
            ),
            safety="Never open a current transformer's secondary; qualified people only.",
            suggestion="Correct unit or factor, and reckon the time since then again.",
        ),
    },
    cases=(
        Case(
            "MW read as kW",
            {"power": "0.03x300", "energy": "1000..1150x300"},
            ((30, Expect.NORMAL), (290, Expect.ACTIVE)),
        ),
        Case("they agree", {"power": "30x300", "energy": "1000..1150x300"}, ((299, Expect.NORMAL),)),
        Case(
            "a fifth off is another matter",
            {"power": "24x300", "energy": "1000..1150x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "hardly any load", {"power": "0.0005x300", "energy": "1000..1002.5x300"}, ((299, Expect.NORMAL),)
        ),
        Case(
            "register not read: cannot tell",
            {"power": "0.03x300", "energy": "?x300"},
            ((299, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Hourly mean of the power against the hour's rise of the register."""
    hour = frame.steps(3600)
    counted = frame["energy"].rise(hour) * (3600.0 / (hour * frame.step_s))
    power = frame["power"].mean(hour)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.log10(np.abs(power.values) / counted.values)
    digits[~np.isfinite(digits)] = np.nan
    whole = np.round(digits)
    near = np.abs(digits - whole) < np.log10(1.0 + p["within"])
    wrong = Mask.of(near & (np.abs(whole) >= 1.0) & (np.abs(whole) <= MOST_DIGITS), np.isfinite(digits))
    loaded = counted > p["least_kw"]
    return Verdict(wrong.where(loaded), figures={"power_kW": power, "power_by_register_kW": counted})
