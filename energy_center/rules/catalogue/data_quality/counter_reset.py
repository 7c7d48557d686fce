"""An energy register has gone back: the meter was reset, exchanged or has lost its memory.

Consumption is reckoned right across it, but bills need the note. Source: engineering practice; a register
only rises.
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
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="dq-counter-reset",
    subject="data_quality",
    inputs=(Input("energy", Role.ENERGY_IMPORT),),
    parameters=(
        Parameter("most_back_kwh", 1.0, "kW.h", "engineering practice: more than a register's last digit"),
        Parameter("window_min", 15.0, "min", "engineering practice: bridges a few missing readings"),
    ),
    hold_s=0,
    keep_s=86_400,
    priority=Priority.LOW,
    lookback_s=960,
    source="engineering practice: a register only rises",
    fault=("counter_reset",),
    hides=frozenset({Path.SENSOR}),
    texts={
        "zh-TW": RuleTexts(
            name="電能計數器倒退",
            likely_causes=("電表更換或歸零", "電表斷電遺失記憶", "讀取位址或資料型別被更改"),
            what_to_check=("是否有換表紀錄", "電表面板讀值", "設定檔的暫存器位址"),
            safety="換表作業須停電並由合格人員執行。",
            suggestion="登錄換表讀值；該期間帳務標示為暫估直到確認。",
        ),
        "en": RuleTexts(
            name="Energy register went back",
            likely_causes=(
                "The meter was exchanged or reset",
                "The meter lost its memory with its supply",
                "Its register address or data type was changed",
            ),
            what_to_check=(
                "Is there a record of an exchange?",
                "The reading on the meter's display",
                "The register address in the profile",
            ),
            safety="Meters are exchanged by qualified persons with the power off.",
            suggestion="Record the readings of the exchange; the period's bill stays provisional until then.",
        ),
    },
    cases=(
        Case(
            "restarts from zero",
            {"energy": "5000..5010x30 0..20x60"},
            ((29, Expect.NORMAL), (31, Expect.ACTIVE), (89, Expect.ACTIVE)),
        ),
        Case("rises", {"energy": "5000..5030x90"}, ((89, Expect.NORMAL),)),
        Case(
            "across a gap of five minutes",
            {"energy": "5000..5010x30 ?x5 0..20x55"},
            ((29, Expect.NORMAL), (36, Expect.ACTIVE)),
        ),
        Case("not read: cannot tell", {"energy": "?x90"}, ((89, Expect.NORMAL),)),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """The register stands below its highest value of the last minutes."""
    energy = frame["energy"]
    fallen = energy.highest(frame.steps(p["window_min"] * 60)) - energy
    return Verdict(fallen > p["most_back_kwh"], figures={"energy_kWh": energy})
